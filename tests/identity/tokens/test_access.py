"""A PIN is tried once, whoever tries it: threads at the same time, or the provider before."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from mxcert_runtime.base.secret import Secret
from mxcert_runtime.errors import IdentityError
from mxcert_runtime.identity.tokens.access import Access, log_in, log_in_again
from mxcert_runtime.identity.tokens.cryptoki import CryptokiError, Module, Token
from mxcert_runtime.identity.tokens.uri import parse_token_uri

_WANTS_PIN, _HAS_REFUSED = 0x4, 0x10000


class _Token:
    """The two functions of a module that have to do with logins; it is no token of a machine.

    ``pause`` holds up a login until other threads had every chance to begin theirs.
    """

    def __init__(self, pause: threading.Event | None = None) -> None:
        self.tried: list[str] = []
        self.logged_in = False
        self._pause = pause

    def is_logged_in(self, slot: int) -> bool:
        return self.logged_in

    def try_pin(self, slot: int, pin: Secret[str]) -> None:
        self.tried.append(pin.reveal())
        if self._pause is not None:
            self._pause.wait(0.3)
        raise CryptokiError("C_Login", 0xA0)

    def access(self, serial: str, flags: int = _WANTS_PIN) -> Access:
        """This token as it was reached; ``serial`` is of one test alone."""
        token = Token(0, "mx", "", "", serial, flags)
        return Access(parse_token_uri("pkcs11:token=mx"), "", cast("Module", self), token)


def test_threads_at_the_same_time() -> None:
    """Two keys of a token have the same PIN, and the second to try it finds it refused."""
    module, told = _Token(threading.Event()), []

    def try_it() -> None:
        with pytest.raises(IdentityError) as caught:
            log_in(module.access("threads"), Secret("wrong"))
        told.append(caught.value.message)

    threads = [threading.Thread(target=try_it) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert ["wrong"] == module.tried
    assert 2 == sum("not asked again" in each for each in told)


def test_a_pin_that_the_provider_has_unproven() -> None:
    """It came while somebody was logged in; the provider tried it once the token had forgotten."""
    module: Any = _Token()
    module.logged_in = True
    log_in(module.access("given"), Secret("unproven"))
    module.logged_in = False

    with pytest.raises(IdentityError, match="not asked again"):
        log_in_again(module.access("given", _WANTS_PIN | _HAS_REFUSED), Secret("unproven"))
    assert [] == module.tried


def test_a_pin_that_nobody_has_tried() -> None:
    """That the token has refused another one says nothing of it."""
    module = _Token()

    with pytest.raises(IdentityError, match="says that the PIN is wrong"):
        log_in_again(module.access("other", _WANTS_PIN | _HAS_REFUSED), Secret("another"))
    assert ["another"] == module.tried
