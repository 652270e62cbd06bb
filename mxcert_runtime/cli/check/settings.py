"""Every setting in effect with its origin, for ``mxcert check``; of a secret, that it is set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...base import looks_like_path
from ...identity import INLINE, Authority, AuthorityFile, IdentitySettings, PemFiles, Pkcs12File
from ...settings import SCALARS, Reading, names, reader_of

_NOTHING = "(none)"
#: such as where the values of two variables are swapped
_HIDDEN = "(not shown, since it leads nowhere and may be a password)"
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
        label = f"identity {_name(each)}"
        yield label, _material(each), str(each.origin)
        if each.password is None:
            yield f"{label}, password", _NOTHING, "default"
        else:
            yield f"{label}, password", "(set)", str(each.password_origin or each.origin)
        yield from _authorities(f"{label}, ca", each.authorities)


def _name(identity: IdentitySettings) -> str:
    """In Mendix' settings it is the path."""
    material, name = identity.material, identity.name
    is_path = isinstance(material, Pkcs12File) and material.path == name
    return identity.origin.place or _HIDDEN if is_path and not looks_like_path(name) else name


def _material(identity: IdentitySettings) -> str:
    material = identity.material
    if not isinstance(material, (Pkcs12File, PemFiles)):
        return material.shown()
    return ", ".join(_path(each.path) for each in material.files())


def _path(path: str) -> str:
    return path if looks_like_path(path) else _HIDDEN


def _authorities(label: str, authorities: tuple[Authority, ...]) -> Iterator[_Row]:
    for each in authorities:
        path = _path(each.path) if isinstance(each, AuthorityFile) else INLINE
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
