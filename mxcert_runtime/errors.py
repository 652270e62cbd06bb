"""Every error that this package raises: data first, and words made from the data.

A message names the value, the rule that it breaks and the remedy; it never holds a secret. An error
crosses processes: a pool of workers that cannot unpickle one waits for its answer for ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from enum import Enum
from typing import Any

from .base.faults import Fault as Fault
from .base.printable import printable

#: the faults in one text
_MOST_SHOWN = 50


class MxcertError(Exception):
    """The base of all errors of this package; what does not print is an escape in their text.

    All of them pickle and copy with type, arguments, text, attributes and notes. In the bases of a
    subclass it goes first, before ``ssl.SSLError`` and its like.
    """

    def __str__(self) -> str:
        return printable(super().__str__())

    def __reduce__(self) -> tuple[Any, ...]:
        # What the builtin base says is `type(*args)`, and most types here take something else.
        told: Any = super().__reduce__()
        _, arguments, *state = told
        return _make_again, (type(self), arguments), *state


def _make_again(kind: type[BaseException], arguments: tuple[Any, ...]) -> BaseException:
    """An error with the arguments that its builtin base had, without its own ``__init__``."""
    error = kind.__new__(kind, *arguments)
    builtin: Any = next(each for each in kind.__mro__ if each.__module__ == "builtins")
    # An OSError reads errno and text from them, and to most others they are just `args`.
    builtin.__init__(error, *arguments)
    return error


class SettingsError(MxcertError):
    """The settings cannot be used; nothing was activated.

    ``faults`` holds every fault of the settings; the text shows the first fifty, since one wrong
    list can make thousands.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.faults)

    def __str__(self) -> str:
        count = len(self.faults)
        head = f"{count} fault{'' if count == 1 else 's'} in the settings; nothing was activated:"
        lines = [f"  - {fault}" for fault in self.faults[:_MOST_SHOWN]]
        if count > _MOST_SHOWN:
            lines.append(f"  - and {count - _MOST_SHOWN} more, in `faults` of this error")
        return "\n".join([head, *lines])

    def as_data(self) -> list[dict[str, str]]:
        """The faults as plain data, for JSON."""
        return [asdict(fault) for fault in self.faults]


class IdentityProblem(Enum):
    """Why the material of an identity cannot be used."""

    UNREADABLE = "unreadable"
    DAMAGED = "damaged"
    #: PKCS12 and PEM cannot tell the one from the other
    WRONG_PASSWORD_OR_DAMAGED = "wrong-password-or-damaged"
    PASSWORD_MISSING = "password-missing"
    WRONG_PIN = "wrong-pin"
    UNSUPPORTED = "unsupported"
    NO_KEY = "no-key"
    NO_CERTIFICATE = "no-certificate"
    KEY_MISMATCH = "key-mismatch"


class IdentityError(MxcertError):
    """The material of one identity cannot be used; ``problem`` says why as data."""

    def __init__(self, problem: IdentityProblem, message: str, remedy: str) -> None:
        self.problem = problem
        self.message = message
        self.remedy = remedy
        super().__init__(problem, message, remedy)

    def __str__(self) -> str:
        return printable(f"{self.message}. {self.remedy}.")


class MaterialError(MxcertError):
    """What :func:`mxcert_runtime.material` was asked for cannot be handed over."""

    def __init__(self, message: str, remedy: str) -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(message, remedy)

    def __str__(self) -> str:
        return printable(f"{self.message}. {self.remedy}.")


class NoIdentityError(MaterialError):
    """The rules give the endpoint no identity, or there is none of that name."""


class MaterialClosedError(MaterialError):
    """The material is used after its ``with`` block, or in a process that was forked inside."""


class HostNameError(MxcertError, ValueError):
    """A text is no host name, address or pattern that a rule can have."""

    def __init__(self, text: str, problem: str, remedy: str) -> None:
        self.text = text
        self.problem = problem
        self.remedy = remedy
        super().__init__(text, problem, remedy)

    def __str__(self) -> str:
        return printable(f"{self.text!r} {self.problem}. {self.remedy}.")


class PatchError(MxcertError):
    """A library cannot be patched as its version table says."""


class UnsupportedPythonError(MxcertError):
    """The plugin does not run on this build of Python; ``build`` is what it calls itself."""

    def __init__(self, build: str) -> None:
        self.build = build
        super().__init__(build)

    def __str__(self) -> str:
        return printable(
            f"this Python is a free-threaded build ({self.build}), on which mxcert_runtime is not"
            " tested and so presents no identity. Run the program on the same Python with its"
            " GIL, or set MXCERT_DISABLE=1 to run without identities."
        )


class SubinterpreterError(MxcertError, ImportError):
    """The plugin cannot be imported in a subinterpreter; ``reason`` is what a dependency says."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)

    def __str__(self) -> str:
        return (
            "mxcert_runtime cannot have its identities in a subinterpreter: "
            f"{printable(self.reason)}. Run this code in the main interpreter: "
            "`WSGIApplicationGroup %{GLOBAL}` with mod_wsgi, `single-interpreter` with uWSGI, "
            "processes in place of a pool of interpreters; or set MXCERT_DISABLE=1 to run without "
            "identities."
        )
