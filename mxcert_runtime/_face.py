"""Finds the public names where they are defined, once somebody asks for one of them.

So that an import without settings loads nothing that only a program with settings needs.
"""

from __future__ import annotations

import importlib

_HOMES = {
    "MxcertError": "errors",
    "SettingsError": "errors",
    "activate": "activation",
    "deactivate": "activation",
    "explain": "inspection",
    "identities": "inspection",
    "is_active": "activation",
    "metrics": "measurements",
    "service": "service_scope",
}


def find(name: str) -> object:
    """The public object of that name. Raises AttributeError as a module does."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'mxcert_runtime' has no attribute {name!r}")
    return getattr(importlib.import_module(f"mxcert_runtime.{home}"), name)
