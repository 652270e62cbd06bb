"""Finds the public names where they are defined, once somebody asks for one of them.

So that an import without settings loads nothing that only a program with settings needs.
"""

from __future__ import annotations

import importlib

from .start.autostart import catch_up
from .start.subinterpreter import explained_import

_HOMES = {
    "MxcertError": "errors",
    "SettingsError": "errors",
    "activate": "start.activation",
    "deactivate": "start.activation",
    "explain": "decisions.explanation",
    "identities": "decisions.explanation",
    "is_active": "start.activation",
    "material": "connections.tls_material",
    "metrics": "monitoring.metrics",
    "reload": "start.reloading",
    "service": "decisions.services",
}


def find(name: str) -> object:
    """The public object of that name.

    Raises AttributeError as a module does, and :class:`~.errors.SubinterpreterError` where what it
    needs cannot be imported in this interpreter.
    """
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'mxcert_runtime' has no attribute {name!r}")
    if home != "errors":
        catch_up()
    with explained_import():
        module = importlib.import_module(f"mxcert_runtime.{home}")
    return getattr(module, name)
