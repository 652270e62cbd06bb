"""The native structure, the same in TOML, JSON, YAML and in a mapping that code passes.

The scalar settings, ``ca``, ``[[identity]]`` and ``[no_certificate]``; whatever else stands there
is a fault: a key that nobody reads protects nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base import Origin, Secret, hidden_text, late_pattern
from ..identity import (
    Authority,
    AuthorityFile,
    IdentitySettings,
    Material,
    PemFiles,
    Pkcs12File,
    Pkcs12Inline,
    SourceMaterial,
    is_token_uri,
)
from .draft import Draft, Given, Place
from .files import is_path, read_value, resolved
from .identifiers import rules_of
from .model import RuleKind
from .scalars import SCALARS, Scalar
from .table import Table
from .values import Record

if TYPE_CHECKING:
    from .tokens import TokenEntry

KEYS = (*(each.key for each in SCALARS), "ca", "identity", "no_certificate")
#: what people call environment variables, and hardly a password
_VARIABLE = late_pattern(r"[A-Z_][A-Z0-9_]*|[a-z]+(_[a-z0-9]+)+")
_MATERIAL_KEYS = ("pkcs12", "certificate", "key", "source")
_PIN_KEYS = ("pin_file", "pin_env")
#: those behind the first say where the password is, and do not hold it
_PASSWORD_KEYS = ("password", "password_file", "password_env", *_PIN_KEYS)


def read(document: Record, place: Place) -> Draft:
    """What a native structure gives; the environment of the place is for ``password_env``."""
    draft = Draft()
    table = Table(document, place.telling(draft.findings))
    for scalar in SCALARS:
        if table.has(scalar.key):
            at = table.place.at(scalar.key)
            draft.scalars[scalar.key] = Given(_value(scalar, table), at)
    draft.authorities += _authorities(table)
    rules_table = table.telling(draft.identity_findings)
    for entry in rules_table.tables("identity"):
        _add_identity(entry, draft)
    never = rules_table.table("no_certificate")
    if never:
        _add_rules(never, None, draft)
        never.refuse_unread()
    table.refuse_unread()
    return draft


def _value(scalar: Scalar, table: Table) -> object:
    from .readers import reader_of  # late: many have identities and rules alone

    return reader_of(scalar).of_table(table, scalar.key)


def _authorities(table: Table) -> tuple[Authority, ...]:
    at = table.place.at("ca")
    return tuple(
        AuthorityFile(resolved(path, at), at.origin)
        for path in table.texts("ca")
        if is_path(path, at)
    )


def _add_rules(table: Table, identity: str | None, draft: Draft) -> None:
    for key, kind in (("hosts", RuleKind.HOST), ("services", RuleKind.SERVICE)):
        draft.rules += rules_of(table.texts(key), kind, identity, table.place.at(key))


def _add_identity(entry: Table, draft: Draft) -> None:
    # An identity with a fault is left out: it would only lead to further faults.
    faults_before = entry.faults
    given_name = entry.text("name")
    if given_name:
        entry = entry.named(given_name)
    password, at = _password(entry), _password_origin(entry)
    token = _token(entry)
    material = token.material if token else _material(entry, password)
    name = given_name or (str(token.material.uri) if token else _derived_name(material))
    name = name or entry.origin.place
    if token and token.pin:
        password, at = token.pin, token.pin_origin
    authorities = _authorities(entry)
    _add_rules(entry, name, draft)
    entry.refuse_unread()
    if material and entry.faults == faults_before:
        draft.identities.append(
            IdentitySettings(
                name=name,
                material=material,
                password=password,
                origin=entry.origin,
                password_origin=at,
                authorities=authorities,
            )
        )


def _names_token(entry: Table) -> bool:
    """Whether the key of an identity is in a token."""
    key = entry.value("key")
    return isinstance(key, str) and is_token_uri(key)


def _token(entry: Table) -> TokenEntry | None:
    if not _names_token(entry):
        return None
    from .tokens import table_entry  # late: few have keys in tokens

    return table_entry(entry)


def _password_origin(entry: Table) -> Origin | None:
    key = next((key for key in _PASSWORD_KEYS if entry.has(key)), None)
    if key is None:
        return None
    is_here = key == _PASSWORD_KEYS[0]
    return (entry.place.at(key) if is_here else entry.place.at_pointer(key)).origin


def _derived_name(material: Material | None) -> str | None:
    files = material.files() if material else ()
    return files[0].path if files else None


def _material(entry: Table, password: Secret[str] | None) -> Material | None:
    given = [key for key in _MATERIAL_KEYS if entry.has(key)]
    if _names_token(entry):
        return None  # a fault that has been told
    for pin in filter(entry.has, _PIN_KEYS):
        entry.place.fault(f"has `{pin}`, and no key in a token", f"Write `password{pin[3:]}`")
    if "source" in given:
        if len(given) > 1:
            entry.place.fault("has both a source and files", "Keep `source`, or the files")
            return None
        return _source(entry, password)
    if "pkcs12" in given and len(given) > 1:
        remedy = "Keep `pkcs12`, or `certificate` and `key`"
        entry.place.fault("has both a PKCS12 file and PEM files", remedy)
        return None
    if "pkcs12" in given:
        return _pkcs12(entry)
    certificate = entry.path("certificate")
    if certificate is None:
        if "certificate" not in given:
            remedy = "Write `pkcs12`, `certificate` and `key`, or `source`"
            entry.place.fault("has no certificate", remedy)
        return None
    key = entry.path("key") if "key" in given else certificate
    return None if key is None else PemFiles(certificate, key)


def _pkcs12(entry: Table) -> Material | None:
    content = entry.value("pkcs12")
    if isinstance(content, Secret) and isinstance(content.reveal(), bytes):
        return Pkcs12Inline(content)
    path = entry.path("pkcs12")
    return None if path is None else Pkcs12File(path)


def _source(entry: Table, password: Secret[str] | None) -> Material | None:
    from .source_options import open_from  # late: few are given by a source

    table = entry.table("source")
    source = None if table is None else open_from(table, password)
    return None if source is None else SourceMaterial(source)


def _password(entry: Table) -> Secret[str] | None:
    given = [key for key in _PASSWORD_KEYS if entry.has(key)]
    if len(given) > 1:
        problem = "has its password in " + " and in ".join(f"`{key}`" for key in given)
        entry.place.fault(problem, "Keep one of them")
        return None
    key = given[0] if given else _PASSWORD_KEYS[0]
    if key.endswith("_file"):
        path, at = entry.path(key), entry.place.at_pointer(key)
        return None if path is None else read_value(path, at, written=entry.text(key))
    return _password_in_variable(entry, key) if key.endswith("_env") else entry.secret(key)


def _password_in_variable(entry: Table, key: str) -> Secret[str] | None:
    name, environ = entry.text(key), entry.place.environ
    if name is None or name in environ:
        return None if name is None else Secret(environ[name])
    # Where the password itself was put there, it must not be shown.
    shown = name if _VARIABLE.fullmatch(name) else hidden_text(name)
    problem = f"names the environment variable {shown}, which is not set"
    remedy = "Set it, to nothing if the password is empty"
    entry.place.at(key).fault(problem, remedy)
    return None
