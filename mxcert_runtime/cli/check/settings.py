"""Every setting in effect with its origin, for ``mxcert check``; of a secret, that it is set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum

from ...identity.sources import INLINE, Authority, AuthorityFile
from ...settings import names
from ...settings.model import Reading
from ...settings.native import SINGLE_KEYS

_NOTHING = "(none)"
_Row = tuple[str, str, str]


def describe_settings(reading: Reading, environ: Mapping[str, str]) -> list[dict[str, str]]:
    """Name, value and origin of each setting, defaults included, as plain data."""
    rows = [
        *_files(reading),
        *_identities(reading),
        *_authorities("ca", reading.settings.authorities),
        *_single_values(reading),
        *_of_the_process(environ),
    ]
    return [{"name": name, "value": value, "origin": origin} for name, value, origin in rows]


def _files(reading: Reading) -> Iterator[_Row]:
    for file in reading.files:
        yield "file", file.path, str(file.origin)


def _identities(reading: Reading) -> Iterator[_Row]:
    for each in reading.settings.identities:
        label = f"identity {each.name}"
        yield label, each.material.shown(), str(each.origin)
        if each.password is None:
            yield f"{label}, password", _NOTHING, "default"
        else:
            yield f"{label}, password", "(set)", str(each.password_origin or each.origin)
        yield from _authorities(f"{label}, ca", each.authorities)


def _authorities(label: str, authorities: tuple[Authority, ...]) -> Iterator[_Row]:
    for each in authorities:
        path = each.path if isinstance(each, AuthorityFile) else INLINE
        yield label, path, str(each.origin)


def _single_values(reading: Reading) -> Iterator[_Row]:
    origins = dict(reading.origins)
    for key in SINGLE_KEYS:
        value = _shown(getattr(reading.settings, key))
        yield key, value, str(origins.get(key, "default"))


def _shown(value: object) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return "; ".join(map(_shown_item, value)) or _NOTHING
    return str(value)


def _shown_item(item: object) -> str:
    if isinstance(item, tuple):
        service, hosts = item
        return f"{service}: {', '.join(hosts)}"
    return str(item)


def _of_the_process(environ: Mapping[str, str]) -> Iterator[_Row]:
    for name in sorted(environ):
        if names.is_ours_elsewhere(name) and environ[name]:
            yield name, environ[name], f"environment variable {name}"
