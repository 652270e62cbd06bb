"""The suites that are run, a row each."""

from __future__ import annotations

from .values import Suite

SUITES = (
    Suite(
        name="httpcore",
        distribution="httpcore",
        unpacked=("tests", "pyproject.toml"),
        paths=("tests",),
    ),
    Suite(
        name="pyopenssl",
        distribution="pyOpenSSL",
        unpacked=("tests", "pyproject.toml", "setup.cfg"),
        paths=("tests",),
    ),
    Suite(
        # Its servers speak HTTP without TLS.
        name="httpx",
        distribution="httpx",
        connects=False,
        failing="they look up a name of the internet, or a warning comes with newer versions.",
        unpacked=("tests", "pyproject.toml"),
        paths=("tests",),
    ),
    Suite(
        name="requests",
        distribution="requests",
        unpacked=("tests", "pyproject.toml", "requirements-dev.txt"),
        paths=("tests",),
        failing="they want an address that does not answer, and here it is refused at once.",
    ),
    Suite(
        name="urllib3",
        distribution="urllib3",
        unpacked=("test", "dummyserver", "pyproject.toml"),
        paths=("test",),
        left_out=(
            (
                "test_http2_probe_blocked_per_thread",
                "takes an order of threads for granted, and waits for ever where it is another.",
            ),
            (
                "does_not_hang",
                "may take half a second, and ends the whole run where it takes more.",
            ),
        ),
        failing=(
            "its servers need changes to hypercorn of its authors' own, which no index has;"
            " without them they cannot tell a client's certificate or its ALPN, nor be proxies."
        ),
        authority=("dummyserver/certs/cacert.pem", "dummyserver/certs/cacert.key"),
    ),
    Suite(
        name="aiohttp",
        distribution="aiohttp",
        unpacked=("tests", "pyproject.toml", "pytest.ini", "examples"),
        # Those that connect; the others are of servers and of parts.
        paths=(
            "tests/test_client_fingerprint.py",
            "tests/test_client_functional.py",
            "tests/test_connector.py",
            "tests/test_proxy_functional.py",
        ),
        options=("--numprocesses=0", "--no-cov"),
    ),
    Suite(
        name="botocore",
        distribution="botocore",
        unpacked=("tests", "pyproject.toml"),
        paths=("tests/unit",),
    ),
    Suite(
        name="twisted",
        distribution="Twisted",
        # The tests come with the library.
        unpacked=("pyproject.toml",),
        paths=("twisted.test.test_sslverify",),
        # Its own configuration, which says nothing, and not that of a folder above.
        options=("--pyargs", "-c", "pyproject.toml"),
    ),
)
