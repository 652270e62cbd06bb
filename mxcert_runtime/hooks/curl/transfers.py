"""One transfer of a handle: what it presents is put into the handle, and taken out at its end."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

from ...base import logger as _logger
from ...connections import Attempt, OwnTls, begin_unasked, reuse_key_now
from ...decisions import in_force
from ...errors import MxcertError
from ...identity import Authorities, Identity, exportable
from .fence import (
    NOWHERE,
    could_present_elsewhere,
    could_trust_elsewhere,
    fence_of,
    is_within,
)
from .options import CA_CERTS, OWN, Options
from .urls import CurlUrl, Place, UnreadableUrlError, read_url

#: what is set where the program has not set it, of options that cannot be unset
_DEFAULTS = {"SSL_OPTIONS": 0, "SSLCERTTYPE": "PEM", "SSLKEYTYPE": "PEM"}

#: from here on libcurl lets the handshake end before it looks at the server's certificate
_FIRST_LATE = 8, 17
_LATE = (
    "libcurl from 8.17 on",
    "Use a pycurl whose libcurl is older (such as the wheels of pycurl 7.45.7) or a client of "
    'Python\'s `ssl` for hosts with pinned CAs, or set `require_verified_server = "off"` '
    "(MXCERT_REQUIRE_VERIFIED_SERVER=off) if whoever answers may see the identity",
)

Set = Callable[[int, Any], None]


class Transfer:
    """What was put into a handle for its transfer; ``set_option`` is pycurl's own."""

    def __init__(self, options: Options, set_option: Set, rounds: int = 0) -> None:
        self._options = options
        self._set_option = set_option
        #: how often the multi had been driven before
        self.rounds = rounds
        self.service: str | None = None
        #: where TLS leads, as far as that was read
        self.url: CurlUrl | None = None
        self._touched: list[str] = []
        self._place: Place | None = None
        self._attempt: Attempt | None = None
        self._is_fenced = False

    def begin_anew(self, service: str | None, url: CurlUrl | None) -> None:
        """The same for a transfer that is on a multi; ``url`` is what libcurl has read already.

        What cannot be carried out there leads nowhere, since the transfer is not to be kept off.
        """
        try:
            self.begin(service, url)
        except BaseException:
            self._put("CONNECT_TO", [NOWHERE])
            raise

    def begin(self, service: str | None, url: CurlUrl | None = None) -> None:
        """Put in what is decided. Raises ``pycurl.error`` where that cannot be carried out."""
        self.service = service
        if in_force.up_to_date() is None:
            return
        refused = None
        try:
            self._begin(url)
        except UnreadableUrlError:
            _warn_of_url()
        except MxcertError as error:
            refused = str(error)
        except BaseException:
            self.end()
            raise
        if refused is not None:
            self.end()
            raise _curl_error("E_SSL_CERTPROBLEM", refused)

    def _begin(self, url: CurlUrl | None) -> None:
        self.url = url = url or self._options.url()
        if url is None:
            return
        late = _LATE if libcurl_version() >= _FIRST_LATE else None
        own = OwnTls(self._options.verifies, self._options.presents_own, late)
        attempt = begin_unasked((*url.place, self.service), own)
        if attempt is None:
            return
        self._place, self._attempt = url.place, attempt
        if attempt.decision.authorities is not None:
            self._pin(attempt.decision.authorities)
        elif attempt.generation.extra_authorities and self._options.has_default_trust:
            _warn_of_extra(", ".join(attempt.generation.extra_authorities.sources))
        if attempt.decision.identity is not None and not attempt.plan.presents_own:
            self._present(attempt.decision.identity)
        self._fence(attempt, url)

    def _present(self, identity: Identity) -> None:
        for name in ("SSLCERTTYPE", "SSLKEYTYPE"):
            if name in self._options.values:
                self._put(name, "PEM")
        key = exportable(identity)
        self._put("SSLCERT_BLOB", identity.certificates_pem())
        self._put("SSLKEY_BLOB", key.as_pem())

    def _pin(self, pinned: Authorities) -> None:
        if CA_CERTS in self._options.values:
            raise MxcertError(
                f"the CAs {', '.join(pinned.sources)} are pinned for this host, but the handle has "
                "others by `set_ca_certs`, which cannot be taken out. Set them by `CAINFO_BLOB`"
            )
        self._put("CAINFO_BLOB", pinned.pem.encode("ascii"))
        # A default directory cannot be asked for, so the handle has none any more afterwards.
        self._put("CAPATH", None)
        if "SSL_OPTIONS" in self._options.values:
            self._put("SSL_OPTIONS", self._options.options_without_native_ca)

    def _fence(self, attempt: Attempt, url: CurlUrl) -> None:
        follows, plain = self._options.follows, url.is_plain
        leaks = could_present_elsewhere(attempt, libcurl_version(), follows=follows, plain=plain)
        if leaks and self._options.may_use_proxy:
            raise MxcertError(
                f"{url.place.host} is to get an identity, which this libcurl would also present to "
                "a host that a redirect or the URL leads to, by way of a proxy that may say it "
                "reaches any. Follow redirects by a request of its own each (FOLLOWLOCATION off), "
                "write the URL as https://host:port/path, set PROXY to '' where there is none, or "
                "take a pycurl with libcurl 8.23"
            )
        if leaks or could_trust_elsewhere(attempt, follows=follows):
            self._is_fenced = True
            self._put("CONNECT_TO", fence_of(attempt, url.place, self._options.connect_to()))

    def _put(self, name: str, value: Any) -> None:
        self._touched.append(name)
        self._set_option(_number(name), value)

    def end(self) -> None:
        """Take out what was put in, and put back what the program has set."""
        while self._touched:
            name = self._touched.pop()
            if name in OWN and name in self._options.values:
                continue  # the program has set it meanwhile
            value = self._options.values.get(name, _DEFAULTS.get(name))
            # A handle that was closed meanwhile has nothing any more.
            with contextlib.suppress(_error_class()):
                self._set_option(_number(name), value)

    def left_in(self, options: Options, set_option: Set) -> Transfer:
        """The same in a duplicate of the handle, which has all that was put in."""
        copy = Transfer(options, set_option)
        copy._touched = list(self._touched)
        return copy

    def explained(self, url: str) -> str | None:
        """Why a transfer failed that was led out of its fence; ``url`` is where it was led."""
        other = self._elsewhere(url)
        if other is None or not self._is_fenced:
            return None
        assert self._place is not None  # noqa: S101 - there is a fence
        return (
            f"the server of {self._place.host} leads to {other.host}:{other.port}, which is not to "
            "have what mxcert_runtime presents or verifies by here. Follow redirects by a request "
            "of its own each (FOLLOWLOCATION off), or give both hosts the same rule"
        )

    def tell_of_redirect(self, url: str) -> None:
        """Warn where a redirect has led to a host that would have got an identity by itself."""
        other = None if self._is_fenced else self._elsewhere(url)
        if other is None:
            return
        key = reuse_key_now(other.host.strip("[]"), other.port)
        place = self._place
        before = None if place is None else reuse_key_now(place.host.strip("[]"), place.port)
        if key is not None and key is not before:
            _warn_of_redirect(other.host)

    def _elsewhere(self, url: str) -> Place | None:
        """The endpoint that a URL leads to, where it is not that of the transfer."""
        try:
            found = read_url(url)
        except UnreadableUrlError:
            return None
        if found is None or found.place == self._place:
            return None
        if self._attempt is not None and self._place is not None:
            is_fine = is_within(self._attempt, self._place, found.place)
            return None if is_fine else found.place
        return found.place


@functools.lru_cache(maxsize=1)
def _warn_of_url() -> None:
    _logger.warning(
        "it is not certain to which host a URL leads that pycurl was given, so nothing is presented"
        " there. Write it as https://host:port/path, with what is no letter, digit or hyphen in "
        "the host encoded",
    )


@functools.lru_cache(maxsize=1)
def _warn_of_extra(sources: str) -> None:
    _logger.warning(
        "the extra CAs (%s) do not count for pycurl, whose default trust cannot be asked for. Set "
        "`CAINFO` on its handles",
        sources,
    )


@functools.lru_cache(maxsize=256)
def _warn_of_redirect(host: str) -> None:
    _logger.warning(
        "a redirect has led pycurl to %s, which has a rule of its own: its identity is presented "
        "by a request to it, and not on a redirect. Follow redirects by a request of its own each "
        "(FOLLOWLOCATION off)",
        host,
    )


@functools.cache
def _number(name: str) -> int:
    import pycurl

    number: int = getattr(pycurl, name)
    return number


@functools.cache
def libcurl_version() -> tuple[int, int]:
    import pycurl

    major, minor = pycurl.version_info()[1].split(".")[:2]
    return int(major), int(minor)


def _error_class() -> type[BaseException]:
    import pycurl

    error: type[BaseException] = pycurl.error
    return error


def _curl_error(code: str, words: str) -> BaseException:
    return _error_class()(_number(code), words)
