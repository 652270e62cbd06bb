"""A secret shows itself nowhere but in ``reveal``."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from mxcert_runtime.base.secret import Secret

TEXT = "hunter2-in-plain"


@pytest.fixture(params=[TEXT, TEXT.encode()], ids=["str", "bytes"])
def secret(request: pytest.FixtureRequest) -> Secret[Any]:
    """One secret of either kind."""
    return Secret(request.param)


def test_reveal() -> None:
    """The value comes back as it was."""
    assert TEXT == Secret(TEXT).reveal()
    assert b"\x00\xff" == Secret(b"\x00\xff").reveal()


SHOWS: dict[str, Callable[[Any], str]] = {
    "repr": repr,
    "str": str,
    "format": format,
    "format with a width": lambda secret: format(secret, ">40"),
    "f-string": lambda secret: f"{secret}",
    "f-string with repr": lambda secret: f"{secret!r}{secret!s}{secret!a}",
    "f-string with equals": lambda secret: f"{secret=}",
    "str.format": "{0} {0!r}".format,
    "percent": lambda secret: "%s %r" % (secret, secret),  # noqa: UP031
    "in containers": lambda secret: repr([{"password": (secret,)}]),
    "json with default": lambda secret: json.dumps({"password": secret}, default=repr),
    "in an exception": lambda secret: repr(ValueError(secret)) + str(ValueError(secret)),
    "dir": lambda secret: repr(dir(secret)),
}


@pytest.mark.parametrize("show", SHOWS.values(), ids=SHOWS.keys())
def test_no_text_shows_it(secret: Secret[Any], show: Callable[[Any], str]) -> None:
    """However it becomes a text, the value is not in it."""
    assert TEXT not in show(secret)
    assert "hunter2" not in show(secret)


REFUSALS: dict[str, Callable[[Any], Any]] = {
    **{
        f"pickle, protocol {protocol}": lambda secret, protocol=protocol: pickle.dumps(
            secret, protocol
        )
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "deepcopy of a container": lambda secret: copy.deepcopy({"password": secret}),
    "json": json.dumps,
    "hash": hash,
    "vars": vars,
    "iteration": list,
    "length": len,
    "a new attribute": lambda secret: setattr(secret, "other", 1),
}


@pytest.mark.parametrize("carry_away", REFUSALS.values(), ids=REFUSALS.keys())
def test_nothing_carries_it_away(secret: Secret[Any], carry_away: Callable[[Any], Any]) -> None:
    """What would take the value along raises, and the error does not show it either."""
    with pytest.raises((TypeError, AttributeError)) as caught:
        carry_away(secret)
    assert TEXT not in str(caught.value)


def _fail_with(secret: Secret[Any]) -> None:
    password = secret
    raise ValueError(f"cannot open with {password}")


def test_no_traceback_shows_it(secret: Secret[Any]) -> None:
    """Tracebacks with the variables of their frames show the variable, not the value."""
    with pytest.raises(ValueError, match="cannot open") as caught:
        _fail_with(secret)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    text = "".join(shown.format())
    assert "password = Secret(...)" in text
    assert TEXT not in text.replace(f'TEXT = "{TEXT}"', "")


def test_no_log_shows_it(secret: Secret[Any], caplog: pytest.LogCaptureFixture) -> None:
    """A secret among the arguments of a log record stays one."""
    logging.getLogger(__name__).warning("password %s %r", secret, {"password": secret})
    assert ["password Secret(...) {'password': Secret(...)}"] == caplog.messages


def test_comparison() -> None:
    """Equal values are equal secrets; nothing else is equal to one, the bare value least."""
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("é") != Secret("e")
    assert Secret("a") != "a"
    assert "a" != Secret("a")
    assert Secret("a") is not None


def test_truth() -> None:
    """An empty secret is false, as an empty text is."""
    assert Secret("a")
    assert not Secret("")
    assert not Secret(b"")


def test_undecodable_text() -> None:
    """A password from bytes of the environment that are no UTF-8 can be compared."""
    assert Secret("\udcff") == Secret("\udcff")
    assert Secret("\udcff") != Secret("\udcfe")
