"""What is in force can be asked, without I/O and without a secret."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from mxcert_runtime import activate, deactivate, explain, identities
from mxcert_runtime.decisions.current_service import enter_service, leave_service
from mxcert_runtime.decisions.policy import Choice, Decision
from mxcert_runtime.errors import HostNameError
from tests.support.client_files import ClientFiles
from tests.support.pki import Leaf


@pytest.fixture
def settings(client_files: ClientFiles, alpha: Leaf, beta: Leaf) -> dict[str, Any]:
    """Two identities, with a rule of each kind."""
    first = client_files.identity(
        "alpha", alpha, hosts=["good.example", "*.wild.example:8443", "[::1]:443"]
    )
    second = client_files.identity("beta", beta, hosts=["other.example"], services=["Billing"])
    never = {"hosts": ["open.example"]}
    return {"unlisted_hosts": "none", "identity": [first, second], "no_certificate": never}


@pytest.fixture
def active(settings: dict[str, Any]) -> None:
    """The settings are in force."""
    activate(settings)


def presented(decision: Decision) -> str:
    """The identity's name, or the choice."""
    return decision.identity.name if decision.identity else decision.choice.value


TARGETS = [
    ("good.example", "alpha"),
    ("GOOD.example.", "alpha"),
    ("good.example:444", "alpha"),
    ("https://good.example", "alpha"),
    ("https://good.example:8443/path?query#fragment", "alpha"),
    ("HTTPS://user:secret@Good.Example/", "alpha"),
    ("wss://good.example/socket", "alpha"),
    ("//good.example/", "alpha"),
    ("a.wild.example", "none"),
    ("a.wild.example:8443", "alpha"),
    ("https://a.wild.example", "none"),
    ("https://a.wild.example:8443", "alpha"),
    ("https://[::1]/", "alpha"),
    ("https://[0:0::1]:443/", "alpha"),
    ("https://[::1]:444/", "none"),
    ("[::1]:443", "alpha"),
    ("https://open.example/", "none"),
    ("https://other.example/", "beta"),
    ("https://unlisted.example/", "none"),
    # whose host is not the first that one sees
    ("https://good.example:x@evil/", "none"),
    ("https://good.example@evil/", "none"),
    ("https://evil/?https://good.example/", "none"),
    ("https://evil/#@good.example/", "none"),
    ("https://evil/@good.example/", "none"),
    ("https://good.example.evil/", "none"),
    ("https://evil@good.example/", "alpha"),
]


@pytest.mark.usefixtures("active")
@pytest.mark.parametrize(("target", "expected"), TARGETS)
def test_explain(target: str, expected: str) -> None:
    """The decision is for the host that a client would connect to."""
    assert expected == presented(explain(target))


@pytest.mark.usefixtures("active")
@pytest.mark.parametrize("address", ["::1", "2001:db8::1"])
def test_explain_a_bare_address(address: str) -> None:
    """An IPv6 address may stand without brackets, as it may in the settings."""
    assert "none" == presented(explain(address))


@pytest.mark.usefixtures("active")
def test_explain_gives_the_reason() -> None:
    """The decision names its rule, or says that there is none."""
    rule = explain("https://good.example/").rule
    assert rule is not None
    assert "good.example" == rule.name
    assert "good.example" in str(explain("https://good.example/"))
    assert explain("https://unlisted.example/").rule is None
    assert "unlisted_hosts" in explain("https://unlisted.example/").reason


@pytest.mark.usefixtures("active")
def test_explain_gives_the_question_and_the_places() -> None:
    """Beside the decision stand the question, and each place down to the one that decided."""
    explanation = explain("https://good.example/", service="Other")
    question = (explanation.host, explanation.port, explanation.service)
    assert ("good.example", 443, "Other") == question
    places = [(each.name, each.decision is not None) for each in explanation.places]
    assert [
        ("service Other", False),
        ("good.example:443", False),
        ("good.example", True),
    ] == places
    (warning,) = explanation.warnings
    assert "no setting knows the service 'Other'" in warning


@pytest.mark.usefixtures("active")
@pytest.mark.parametrize(
    ("target", "port"),
    [
        ("smtp://good.example", 25),
        ("imap://good.example", 143),
        ("amqps://good.example", 5671),
        ("nobody://good.example", None),
    ],
)
def test_explain_knows_ports_of_schemes(target: str, port: int | None) -> None:
    """Also of protocols that begin TLS on the way; of other schemes the port is not known."""
    assert port == explain(target).port


@pytest.mark.usefixtures("active")
def test_explain_a_service() -> None:
    """A service that is passed counts, else the one that the running code has named."""
    assert "beta" == presented(explain("https://good.example/", service="Billing"))
    assert "alpha" == presented(explain("https://good.example/", service="Unknown"))
    entry = enter_service("Billing")
    try:
        assert "beta" == presented(explain("https://good.example/"))
        assert "alpha" == presented(explain("https://good.example/", service="Unknown"))
    finally:
        leave_service(entry)
    assert "alpha" == presented(explain("https://good.example/"))


NO_HOST = [
    "",
    "/",
    "https://",
    "https:///path",
    "https://:443/",
    "https://user@/",
    "?query",
    "https://[::1",
    "https://good.example:x/",
    "good.example:99999",
]


@pytest.mark.parametrize("target", NO_HOST)
@pytest.mark.parametrize("is_active", [True, False])
def test_explain_without_a_host(target: str, is_active: bool, settings: dict[str, Any]) -> None:
    """What names no host is an error, whether or not anything is in force."""
    if is_active:
        activate(settings)
    with pytest.raises(HostNameError) as caught:
        explain(target)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("port", ["x", "99999", "-1"])
def test_explain_says_what_is_wrong_with_a_port(port: str) -> None:
    """A target with a host and a wrong port is not said to have no host."""
    with pytest.raises(HostNameError) as caught:
        explain(f"https://good.example:{port}/")
    assert "port" in caught.value.problem


@pytest.mark.parametrize("target", ["https://user:hunter2@/", "https://user:hunter2@a:x/"])
def test_explain_does_not_repeat_a_password(target: str) -> None:
    """The password in a URL does not come back in the error."""
    with pytest.raises(HostNameError) as caught:
        explain(target)
    assert "hunter2" not in str(caught.value) + repr(caught.value)


def test_explain_while_nothing_is_active(settings: dict[str, Any]) -> None:
    """Nothing is presented, and the reason says why; so again after deactivation."""
    for _ in range(2):
        decision = explain("https://good.example/", service="Billing")
        assert (Choice.NONE, None, None) == (decision.choice, decision.identity, decision.rule)
        assert "nothing is activated" == decision.reason
        activate(settings)
        assert "alpha" == presented(explain("https://good.example/"))
        deactivate()


@pytest.mark.usefixtures("active")
def test_explain_does_no_io(monkeypatch: pytest.MonkeyPatch) -> None:
    """No name is looked up and no socket is made."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "socket", refuse)
    assert "none" == presented(explain("https://nowhere.invalid/"))


@pytest.mark.usefixtures("active")
def test_identities(alpha: Leaf, beta: Leaf) -> None:
    """Each identity in the order of the settings, with what may be told."""
    first, second = identities()
    assert ("alpha", alpha.subject, alpha.fingerprint) == (
        first.name,
        first.subject,
        first.fingerprint,
    )
    assert alpha.certificate.issuer.rfc4514_string() == first.issuer
    assert ("beta", beta.fingerprint) == (second.name, second.fingerprint)
    assert "EC-secp256r1" == first.key_type
    assert first.not_before < first.not_after
    assert first.not_after.tzinfo is not None


@pytest.mark.usefixtures("active")
def test_identities_hold_no_key() -> None:
    """Every value of a summary is a text or a time: there is no way from it to the key."""
    for summary in identities():
        assert {"str", "datetime"} == {type(value).__name__ for value in vars(summary).values()}
        assert "PRIVATE" not in repr(summary)
        with pytest.raises(AttributeError):
            summary.name = "another"  # type: ignore[misc]


def test_no_identities_while_nothing_is_active(settings: dict[str, Any]) -> None:
    """Nothing is loaded before activation and after deactivation."""
    assert () == identities()
    activate(settings)
    assert 2 == len(identities())
    deactivate()
    assert () == identities()
