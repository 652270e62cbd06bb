"""Whatever the text: a reading, with faults or without, soon, and with no secret shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from mxcert_runtime.base.hosts import canonical_host, parse_pattern
from mxcert_runtime.errors import HostNameError, SettingsError
from mxcert_runtime.settings.loading import settings_from
from mxcert_runtime.settings.model import Reading
from tests.settings.deployments import ENVIRONMENTS, FILES, SECRETS
from tests.settings.readings import read, sound
from tests.support.properties import examples

pytestmark = pytest.mark.any_python

#: what has a meaning in one of the formats, or is odd in all
TOKENS = (
    *(
        "!!int ",
        "!!float ",
        "!!bool ",
        "!!set ",
        "!!binary ",
        "!!str ",
        "!x ",
        "&a ",
        "*a ",
        "<<: ",
    ),
    *("? ", "- ", ": ", "{", "}", "[", "]", "'", '"', "'''", '"""', "\t", "\n", "\r", "#", "---\n"),
    *("%YAML 9.9\n", "1e999", "nan", "-inf", "0x", "1979-05-27T07:32:00Z", "\\ud800", "\\u0000"),
    *("true", "null", "\0", "*.", ":99999", "[::", "@", "//", "..", ",", ";", "\u202e", "\uff0e"),
    *("\u2028", "\x85", "\ufeff", "9" * 5000, "[" * 3000, "{a: " * 200, "a." * 2000, "\x1b[31m"),
)
texts = st.one_of(st.sampled_from(TOKENS), st.text(max_size=4))
changes = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 12), texts), min_size=1, max_size=4
)


def changed(text: str, edits: list[tuple[float, int, str]]) -> str:
    """The text after each edit: a place, how much is taken out there, and what is put in."""
    for place, remove, insert in edits:
        at = int(place * len(text))
        text = text[:at] + insert + text[at + remove :]
    return text


def told(reading: Reading) -> str:
    """All that is told of a reading."""
    error = SettingsError(reading.faults)
    parts = [str(error), json.dumps(error.as_data())]
    return "\n".join([*parts, *(str(each) for each in (*reading.faults, *reading.warnings))])


def _read_bytes(folder: Path, name: str, content: bytes) -> Reading:
    path = folder / name
    path.write_bytes(content)
    return read({"MXCERT_CONFIG": str(path)})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files are written, each over the one before."""
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.parametrize("name", FILES)
def test_unchanged_files(name: str, folder: Path) -> None:
    """The twin: unchanged, each file is sound and gives identities."""
    assert sound(_read_bytes(folder, name, FILES[name].encode())).settings.identities


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_unchanged_environments(name: str) -> None:
    """The twin: unchanged, each environment is sound and gives identities."""
    assert sound(read(ENVIRONMENTS[name])).settings.identities


@pytest.mark.parametrize("name", FILES)
@examples(60)
@given(edits=changes, encoding=st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-16", "utf-16-le"]))
def test_changed_files(
    name: str, folder: Path, edits: list[tuple[float, int, str]], encoding: str
) -> None:
    """A file with changes in it gives a reading that can be told."""
    content = changed(FILES[name], edits).encode(encoding, "surrogatepass")
    assert told(_read_bytes(folder, name, content))


@pytest.mark.parametrize("name", FILES)
@examples(60)
@given(
    edits=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 3), st.binary(max_size=4)),
        min_size=1,
        max_size=3,
    )
)
def test_changed_bytes(name: str, folder: Path, edits: list[tuple[float, int, bytes]]) -> None:
    """The same for bytes that need be no text."""
    content = FILES[name].encode()
    for place, remove, insert in edits:
        at = int(place * len(content))
        content = content[:at] + insert + content[at + remove :]
    assert told(_read_bytes(folder, name, content))


@pytest.mark.parametrize("name", ENVIRONMENTS)
@examples(60)
@given(edits=changes, data=st.data())
def test_changed_environments(
    name: str, edits: list[tuple[float, int, str]], data: st.DataObject
) -> None:
    """A variable with changes in it, or missing, gives a reading that can be told."""
    environ = dict(ENVIRONMENTS[name])
    which = data.draw(st.sampled_from(sorted(environ)))
    environ[which] = changed(environ[which], edits)
    if data.draw(st.booleans()):
        del environ[data.draw(st.sampled_from(sorted(environ)))]
    assert told(read(environ))


#: what stands between words; a typing error there moves no secret to where names belong
MARKS = " \t\n\r:=,'\"[]{}#&*!|>-\\"


def _punctuation(text: str, place: float) -> int:
    """The index of the mark that is next to a place."""
    found = [at for at, each in enumerate(text) if each in MARKS]
    return found[int(place * len(found))]


slips = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from(["", *MARKS])),
    min_size=1,
    max_size=2,
)


def slipped(text: str, edits: list[tuple[float, str]]) -> str:
    """The text with a mark taken out, or another one in its place."""
    for place, mark in edits:
        at = _punctuation(text, place)
        text = text[:at] + mark + text[at + 1 :]
    return text


@pytest.mark.parametrize("name", FILES)
@examples(60)
@given(edits=slips)
def test_slips_in_files_show_no_secret(
    name: str, folder: Path, edits: list[tuple[float, str]]
) -> None:
    """Where a quote, a colon or a bracket is wrong, what is told holds no password and no key."""
    reading = _read_bytes(folder, name, slipped(FILES[name], edits).encode())
    shown = told(reading) + repr(reading)
    assert [] == [secret for secret in SECRETS if secret in shown]


@pytest.mark.parametrize("name", ENVIRONMENTS)
@examples(60)
@given(edits=slips, data=st.data())
def test_slips_in_environments_show_no_secret(
    name: str, edits: list[tuple[float, str]], data: st.DataObject
) -> None:
    """The same for a variable."""
    environ = dict(ENVIRONMENTS[name])
    secret = [each for each in sorted(environ) if any(one in environ[each] for one in SECRETS)]
    which = data.draw(st.sampled_from(secret))
    environ[which] = slipped(environ[which], edits)
    reading = read(environ)
    shown = told(reading) + repr(reading)
    assert [] == [each for each in SECRETS if each in shown]


KEYS = (
    *("identity", "hosts", "services", "ca", "pkcs12", "certificate", "key", "password", "name"),
    *("password_file", "password_env", "no_certificate", "unlisted_hosts", "trust_cache"),
    *("service_prefixes", "expired_identities", "source", "kind", "command", "timeout"),
)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.binary(max_size=4),
    st.sampled_from(
        ["", "a.example", "*.b", "\ud800", "a\0b", "A.B", "\x1b", 10**400, b"\x30\x80"]
    ),
)
keys: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(KEYS), st.none(), st.integers(), st.tuples(), st.binary(max_size=2)
)
structures: st.SearchStrategy[Any] = st.deferred(
    lambda: st.one_of(
        leaves,
        st.lists(structures, max_size=3),
        st.dictionaries(keys, structures, max_size=4),
    )
)


@examples(60)
@given(source=st.dictionaries(keys, structures, max_size=5))
def test_any_structure(source: Mapping[Any, Any]) -> None:
    """A mapping of whatever values gives a reading that can be told."""
    assert told(settings_from(source, environ={}))


@examples(60)
@given(text=st.one_of(st.text(), st.lists(texts).map("".join)))
def test_any_identifier(text: str) -> None:
    """A text is a pattern or a HostNameError that prints, and has a form to be compared in."""
    assert canonical_host(text) is not None
    assert _answer(text).isprintable()


def _answer(text: str) -> str:
    try:
        return str(parse_pattern(text))
    except HostNameError as error:
        return str(error)
