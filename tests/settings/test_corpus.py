"""What once went wrong, or nearly: one file for each, and what is said of it.

A file is a settings file, or with ``.environ.json`` an environment. What the fuzzing of
:mod:`tests.settings.test_fuzz` finds is added here.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mxcert_runtime.settings.model import Reading
from tests.settings.deployments import MARK
from tests.settings.readings import read
from tests.settings.test_fuzz import told

CORPUS = Path(__file__).parent / "corpus"

#: what a fault says
FAULTS = {
    "alias-bomb.yaml": "line 5, column 4: more than 30,000 values, with what aliases stand for",
    "almost-an-address.environ.json": "neither a host nor a service name: it is no valid address",
    "bidi-host.toml": r"holds the character '\u202e', which is not seen. Take it out",
    "bytes-of-a-service.environ.json": "MXCERT_SERVICES, A.B: has the identifier",
    "chain-of-aliases.yaml": "more than 30,000 values",
    "colon-without-blank.yaml": "unknown key of 21 characters, which may be a password",
    "comma-for-a-blank.yaml": "unknown key of 12 characters, which may be a password",
    "control-character.environ.json": r"`a\x1b[31m.test`, which is neither a host nor a service",
    "cycle.yaml": "line 1, column 11: an alias inside of what it stands for",
    "date.toml": "is a value of another kind, not text",
    "dead-key.toml": "has the unknown key `service_prefixes`",
    "dotted-key-in-quotes.toml": "too great a depth",
    "dotted-key.toml": "too great a depth",
    "empty-integer.yaml": "identity 1: is text, not a table",
    "latin-1.toml": "is no UTF-8 text",
    "list-as-key.yaml": "is not valid YAML (line 1, column 3)",
    "list.json": "is a list, not a JSON object",
    "long-number.json": "cannot be read as JSON",
    "long-number.toml": "a number too long",
    "many-values.yaml": "more than 30,000 values",
    "merge-bomb.yaml": "line 5, column 12: more than 30,000 values",
    "nan.json": "trust_cache: is a number, not true or false",
    "nan.toml": "unlisted_hosts: is a number, not text",
    "nested-blocks.yaml": "line 50, column 52: more than 50 levels",
    "nested-in-keys.json": "cannot be read as JSON",
    # How deep CPython itself reads it, and so which words it comes to, is its own affair.
    "nested-list.environ.json": "JSON",
    "nested.json": "JSON",
    "nested.toml": "too great a depth",
    "nested.yaml": "more than 50 levels",
    "next-line-in-a-key.yaml": "has the unknown key `a...`",
    "nul.toml": "is no UTF-8 text",
    "null-key.yaml": "has the unknown key `null`",
    "password-as-a-file.environ.json": "which may be a password and is not shown",
    "password-as-a-tag.yaml": "line 3, column 14: a tag, for which a text that begins with `!`",
    "password-as-its-file.toml": "which may be a password and is not shown",
    "password-as-its-variable.toml": "which may be a password and is not shown",
    "password-as-the-log.environ.json": "which may be a password and is not shown",
    "password-as-the-settings-file.environ.json": "which may be a password and is not shown",
    "password-list-without-quotes.json": "line 1, column 47: Expecting value",
    "password-without-quotes.toml": "is not valid TOML (line 3, column 12)",
    "passwords-as-certificates.environ.json": "which may be a password and is not shown",
    "passwords-as-usages.environ.json": "is a list, not a JSON object",
    "passwords-without-quotes.environ.json": "line 1, column 2: Expecting value",
    "prefixes-by-semicolon.environ.json": "has the prefix `A;B`, which holds a semicolon",
    "python-object.yaml": "line 1, column 11: a tag",
    "repeated-key.json": "has the key `unlisted_hosts` twice",
    "repeated-key.toml": "is not valid TOML (line 2",
    "repeated-key.yaml": "line 4, column 4: a key stands there twice",
    "surrogate-in-a-path.json": r"names the file `/b\udcff.pw`, which cannot be read",
    "surrogate.json": r"holds the character '\ud800'",
    "truncated.json": "line 1, column 47: Unterminated string",
    "two-documents.yaml": "is not valid YAML (line 2, column 1)",
    "two-dots.environ.json": "holds two dots in a row",
    "two-hosts-by-full-width-comma.environ.json": r"holds the character '\uff0c'",
    "two-hosts-by-semicolon.environ.json": "holds a semicolon, which no name has",
    "two-hosts-in-one-key.environ.json": "neither a host nor a service name: it holds a comma",
    "two-hosts.toml": "holds a comma, which no name has. Write one name in each entry",
    "url-as-service.toml": "is no name that code gives to a service",
    "utf-16-without-mark.toml": "is no UTF-8 text",
    "utf-16.toml": "is no UTF-8 text",
    "zero-width-host.toml": r"holds the character '\u200b'",
}

#: what a warning says, where nothing is wrong; nothing, where nothing is to be said
SOUND = {
    "byte-order-mark.toml": "",
    "many-commas.environ.json": "has an empty entry",
    "merged-key-again.yaml": "",
    "near-miss-in-custom-settings.environ.json": "Write `ClientCertificates`, if that is meant",
    "near-miss-kubernetes.yaml": "Write `clientCertificates`, if that is meant",
    "near-miss-m2ee.yaml": "Write `ClientCertificatePasswords`, if that is meant",
    "near-miss.environ.json": "Write MXRUNTIME_ClientCertificatePasswords, if that is meant",
    "tag-of-another-type.yaml": "",
    "text-as-written.yaml": "",
}


def _read(name: str) -> Reading:
    path = CORPUS / name
    if name.endswith(".environ.json"):
        return read(json.loads(path.read_bytes()))
    return read({"MXCERT_CONFIG": str(path)})


def test_every_file_has_its_row() -> None:
    """No file of the corpus is without an expectation, and none is missing."""
    assert sorted(each.name for each in CORPUS.iterdir()) == sorted([*FAULTS, *SOUND])


@pytest.mark.parametrize("name", FAULTS)
def test_faults(name: str) -> None:
    """Each is a fault in clear words, which show no secret."""
    reading = _read(name)
    assert [] != [fault for fault in reading.faults if FAULTS[name] in str(fault)]
    assert MARK not in told(reading)


@pytest.mark.parametrize("name", SOUND)
def test_sound_files(name: str) -> None:
    """What is no fault has the warning that it should have."""
    reading = _read(name)
    assert () == reading.faults
    assert SOUND[name] in "".join(map(str, reading.warnings))
    assert MARK not in told(reading)
