"""Every setting in effect with its origin, for ``mxcert check``; of a secret, that it is set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...identity import INLINE, Authority, AuthorityFile
from ...settings import SCALARS, Reading, names, reader_of

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
    for scalar in SCALARS:
        value = reader_of(scalar).shown(getattr(reading.settings, scalar.key))
        yield scalar.key, value or _NOTHING, str(origins.get(scalar.key, "default"))


def _of_the_process(environ: Mapping[str, str]) -> Iterator[_Row]:
    for name in sorted(environ):
        if names.is_ours_elsewhere(name) and environ[name]:
            yield name, environ[name], f"environment variable {name}"
