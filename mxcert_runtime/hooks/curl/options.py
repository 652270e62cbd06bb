"""What a program has set on a handle, as far as it matters here; libcurl tells nobody."""

from __future__ import annotations

from typing import Any

from ...base import process_environ
from .urls import CurlUrl, UnreadableUrlError, read_url

#: what a transfer may need, by pycurl's names
_FOLLOWED = (
    *("URL", "CURLU", "PORT", "DEFAULT_PROTOCOL", "USE_SSL", "FOLLOWLOCATION", "CONNECT_TO"),
    *("SSLCERT", "SSLCERTTYPE", "SSLKEY", "SSLKEYTYPE", "SSLCERT_BLOB", "SSLKEY_BLOB"),
    *("SSLENGINE", "SSL_OPTIONS", "SSL_VERIFYPEER", "CAINFO", "CAINFO_BLOB", "CAPATH"),
    *("PROXY", "PRE_PROXY", "NOPROXY"),
)
#: the variables in which libcurl looks for a proxy
_PROXY_VARIABLES = "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"
#: any of them is an identity of the program's own
OWN = "SSLCERT", "SSLCERT_BLOB", "SSLKEY", "SSLKEY_BLOB", "SSLENGINE"
_TRUST = "CAINFO", "CAINFO_BLOB", "CAPATH"
#: Where the certificates of ``set_ca_certs`` count as an option.
CA_CERTS = "set_ca_certs"

_names: dict[int, str] = {}


def _names_of_options() -> dict[int, str]:
    if not _names:
        import pycurl

        _names.update({getattr(pycurl, each): each for each in _FOLLOWED if hasattr(pycurl, each)})
    return _names


class Options:
    """By pycurl's names: what is not there, the program has not set."""

    def __init__(self, values: dict[str, Any] | None = None) -> None:
        self.values = {} if values is None else values

    def note(self, option: Any, value: Any) -> bool:
        """What the program has set; ``None`` takes it back. Returns whether that matters here."""
        name = _names_of_options().get(option)
        if name is not None:
            self.note_name(name, value)
        return name is not None

    def note_name(self, name: str, value: Any) -> None:
        """The same, by name."""
        if value is None:
            self.values.pop(name, None)
        else:
            # Of a key of the program's it is enough to know that there is one.
            self.values[name] = True if name in OWN else _copied(value)

    def copy(self) -> Options:
        """For a duplicate of the handle."""
        return Options(dict(self.values))

    @property
    def presents_own(self) -> bool:
        """Whether the program authenticates itself."""
        automatic = int(self.values.get("SSL_OPTIONS", 0)) & _bit("SSLOPT_AUTO_CLIENT_CERT")
        return bool(automatic) or any(name in self.values for name in OWN)

    @property
    def verifies(self) -> bool:
        """Whether servers are verified."""
        return bool(self.values.get("SSL_VERIFYPEER", 1))

    @property
    def follows(self) -> bool:
        """Whether libcurl follows redirects by itself."""
        return bool(self.values.get("FOLLOWLOCATION", 0))

    @property
    def may_use_proxy(self) -> bool:
        """Whether a proxy could be used, for whatever host a redirect names."""
        if _text(self.values.get("NOPROXY", "")).strip() == "*":
            return False
        if self.values.get("PRE_PROXY"):
            return True
        proxy = self.values.get("PROXY")
        if proxy is not None:
            return bool(proxy)  # an empty text is none, whatever the environment says
        return any(process_environ().get(each) for each in _PROXY_VARIABLES)

    @property
    def has_default_trust(self) -> bool:
        """Whether the program has chosen no CAs."""
        return not any(name in self.values for name in (*_TRUST, CA_CERTS))

    @property
    def options_without_native_ca(self) -> int:
        """``SSL_OPTIONS`` without the platform's own store of CAs."""
        return int(self.values.get("SSL_OPTIONS", 0)) & ~_bit("SSLOPT_NATIVE_CA")

    def url(self) -> CurlUrl | None:
        """Where TLS of the transfer leads; raises :class:`~.urls.UnreadableUrlError`."""
        parts = self.values.get("CURLU")
        url = self.values.get("URL") if parts is None else _joined(parts)
        if url is None:
            return None
        scheme = _text(self.values.get("DEFAULT_PROTOCOL", "http"))
        port = int(self.values.get("PORT", 0))
        upgrades = bool(self.values.get("USE_SSL", 0))
        found = read_url(_text(url), scheme, port, upgrades=upgrades)
        if found is None or parts is None:
            return found
        # Its parts may be changed until the transfer really begins, which nobody is told.
        return CurlUrl(found.place, is_plain=False)

    def connect_to(self) -> list[str]:
        """The program's own, as text."""
        return [_text(each) for each in self.values.get("CONNECT_TO", ())]


def _joined(parts: Any) -> str:
    """The URL of a ``pycurl.CurlUrl``, which libcurl takes in the place of the option ``URL``."""
    import pycurl

    try:
        return _text(parts.getpart(pycurl.UPART_URL))
    except pycurl.error:
        raise UnreadableUrlError from None


def _copied(value: Any) -> Any:
    """What libcurl goes on with, whatever becomes of a list."""
    return list(value) if isinstance(value, (list, tuple)) else value


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _bit(name: str) -> int:
    import pycurl

    bit: int = getattr(pycurl, name, 0)
    return bit
