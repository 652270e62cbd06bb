"""Activation that ``MXCERT_AUTOSTART=1`` asks for: from now on with identities, or not at all.

No failure may let the interpreter run on without them. It ends by ``os._exit``: whatever it raised,
``site`` or the program might swallow. One of several interpreters of a process does not end it: it
runs on, and makes no TLS connection.
"""

from __future__ import annotations

import os
import sys

from ..settings import names

# The `typing` module costs more than all of this; type checkers know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

#: the exit status where settings cannot be used: EX_CONFIG of sysexits.h, which Windows lacks
EXIT_STATUS = 78
_INTERRUPTED = 130

_NO_SETTINGS = f"""\
{names.AUTOSTART}=1 is set, but there are no settings, so this program would run without identities.
  Set {names.CERTIFICATES} or {names.CONFIG}, or unset {names.AUTOSTART}."""
_FAILED = f"{names.AUTOSTART}=1 is set, but the plugin cannot start; see above."


def activate_or_end() -> None:
    """Activate; where that fails, end the process, or refuse this interpreter its connections."""
    try:
        _activate()
    except BaseException as error:
        from .subinterpreter import are_several, is_subinterpreter, refuse_connections

        # What another interpreter has imported first cannot be imported in the main one either.
        if not is_subinterpreter() and not (isinstance(error, ImportError) and are_several()):
            end_by(error)
        refuse_connections(error)


def _activate() -> None:
    from ..base import refuse_free_threading

    refuse_free_threading()  # first: it may have no build of what the rest needs
    from .activation import activate, is_active

    activate()
    if not is_active():
        raise _NoSettingsError(_NO_SETTINGS)


class _NoSettingsError(Exception):
    """Identities are asked for, and there are none."""


def end_by(error: BaseException) -> NoReturn:
    """End the process by what keeps the plugin from starting, and say what that is."""
    try:
        if isinstance(error, KeyboardInterrupt):
            os._exit(_INTERRUPTED)
        from ..errors import MxcertError

        if isinstance(error, (MxcertError, _NoSettingsError)):
            _end(str(error))
        sys.__excepthook__(type(error), error, error.__traceback__)
        _end(_FAILED)
    finally:
        os._exit(EXIT_STATUS)


def _end(text: str) -> NoReturn:
    try:
        # What the program has said so far must not go with it.
        if sys.stdout is not None:
            sys.stdout.flush()
        if sys.stderr is not None:
            sys.stderr.write(f"mxcert_runtime: {text}\n")
            sys.stderr.flush()
    finally:
        os._exit(EXIT_STATUS)
