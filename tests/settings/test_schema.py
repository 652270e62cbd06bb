"""The JSON Schema of the settings file says what its reader says, as far as shapes go."""

from __future__ import annotations

import functools
import importlib.resources
import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mxcert_runtime.base.faults import Origin
from mxcert_runtime.base.secret import Secret
from mxcert_runtime.settings.documents import EXTENSIONS, read_record
from mxcert_runtime.settings.draft import Findings, Place
from mxcert_runtime.settings.loading import settings_from
from mxcert_runtime.settings.schema import PUBLISHED, settings_schema, text_of
from tests.settings.test_corpus import CORPUS
from tests.settings.test_read_keys import IDENTITY, TOP

VALIDATOR = Draft202012Validator(settings_schema())

#: a value of each type and emptiness
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1.5, "", " ", "x", "none", "OFFER ", "Warn", "off"),
    *([], [""], [" "], ["x"], ["x", "y"], [1], [None], [["x"]], {}, {"A": "x"}, {"A": ["x"]}),
    *({"A": None}, {"A": 1}, {"A": []}, {"A": [1]}, {"": "x"}, {"hosts": "x"}, {"hosts": [1]}),
    *({"kind": "x"}, {"kind": ""}, {"kind": 1}, {"kind": None}),
    *({"pkcs12": "x"}, {"pkcs12": None}, [{"pkcs12": "x"}, {"certificate": "y"}]),
)
#: what a value means that has the right shape, which a schema cannot say
BEYOND_SHAPES = (
    "names a kind of source",
    "names the file ",
    "names the environment variable ",
    "has the name `",
)
#: files of the corpus with the right shape in which something else is wrong
CORPUS_BEYOND = {
    *("bidi-host.toml", "password-as-its-file.toml", "password-as-its-variable.toml"),
    *("surrogate-in-a-path.json", "surrogate.json", "two-hosts.toml", "url-as-service.toml"),
    *("zero-width-host.toml",),
}


def _faults(document: Any) -> list[str]:
    """What the reader says of the shape of a document."""
    told = map(str, settings_from(document, environ={}).faults)
    return [each for each in told if not any(map(each.__contains__, BEYOND_SHAPES))]


def _documents_by_key() -> dict[str, list[dict[str, Any]]]:
    """A value of any type for each key, and each two keys of an identity."""
    found = {key: [{key: value} for value in VALUES] for key in (*TOP, "unknown")}
    for key, (others, _) in IDENTITY.items():
        found[f"identity, {key}"] = [{"identity": {**others, key: value}} for value in VALUES]
    pairs = itertools.combinations([*IDENTITY, "unknown"], 2)
    return {**found, "pairs": [{"identity": [dict.fromkeys(pair, "x")]} for pair in pairs]}


def test_the_published_schema_is_the_generated_one() -> None:
    """The file in the package is what the command prints."""
    published = importlib.resources.files("mxcert_runtime.settings") / PUBLISHED
    command = [sys.executable, "-m", "mxcert_runtime.settings.schema"]
    printed = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    assert published.read_bytes() == printed == text_of(settings_schema()).encode()


def test_it_is_a_schema() -> None:
    """It keeps to the draft that it names."""
    Draft202012Validator.check_schema(settings_schema())


def test_it_has_the_keys_that_are_read() -> None:
    """No key more and none less, at the top and in an identity."""
    schema = settings_schema()
    assert set(TOP) == set(schema["properties"])
    identity = schema["$defs"]["identity"]
    assert set(IDENTITY) == set(identity["properties"])


@pytest.mark.parametrize("key", _documents_by_key())
def test_it_agrees_with_the_reader(key: str) -> None:
    """What the one takes the other takes, and both refuse some."""
    taken = []
    for document in _documents_by_key()[key]:
        taken.append(VALIDATOR.is_valid(document))
        assert (not _faults(document)) == taken[-1], (document, _faults(document))
    assert {False} | {key != "unknown"} == set(taken)


def _plain(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


@functools.cache
def _documents() -> dict[str, Any]:
    """The files of the corpus that can be parsed, and are of our own format."""
    found = {}
    for path in sorted(CORPUS.iterdir()):
        if path.name.endswith(".environ.json") or path.suffix not in EXTENSIONS:
            continue
        place = Place(Origin(str(path)), findings=Findings())
        record = read_record(str(path), place, place)
        if record is not None and not {"mxruntime", "runtime", "spec"} & set(record):
            found[path.name] = record
    return found


@pytest.mark.parametrize("name", _documents())
def test_the_corpus(name: str) -> None:
    """Each file that was once read wrongly is taken, or refused, by both."""
    record = _documents()[name]
    is_sound = not settings_from(record, environ={}).faults and not record.repeated
    is_taken = VALIDATOR.is_valid(_plain(record)) and not record.repeated
    assert (is_sound, name in CORPUS_BEYOND) in ((is_taken, False), (False, True))


def test_the_example_of_the_documents() -> None:
    """The file that docs/settings.md shows is taken by both."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    page = (Path(__file__).parents[2] / "docs/settings.md").read_text(encoding="utf-8")
    example = tomllib.loads(page.partition("```toml\n")[2].partition("```")[0])
    assert len(example) > 3
    assert ([], True) == (_faults(example), VALIDATOR.is_valid(example))


@pytest.mark.parametrize(
    "text", ["5", " 0.5 ", "10.", ".5", "0", "0.0", "-1", "nan", "inf", "5s", "."]
)
def test_an_interval_in_quotes(text: str) -> None:
    """What the reader takes of it, the schema takes, and nothing else."""
    assert (not _faults({"watch": text})) == VALIDATOR.is_valid({"watch": text})
