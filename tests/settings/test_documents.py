"""Settings files: which one is read, what it may be, and how it stands to the environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from mxcert_runtime.base.faults import Origin
from mxcert_runtime.identity.sources import AuthorityFile
from mxcert_runtime.settings.loading import read_process_settings
from mxcert_runtime.settings.model import Reading, UnlistedHosts
from tests.settings.readings import (
    names_and_passwords,
    only_fault,
    only_warning,
    read,
    read_file,
    rules,
    sound,
)

IDENTITY = '[[identity]]\npkcs12 = "/f"\nhosts = ["f.example"]\n'
PLAIN = 'ca = ["/f.pem"]\nunlisted_hosts = "none"\nservices = {A = "f.example"}\n'


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("x.toml", 'a = 1\nhunter2 = "x', "line 2, column"),
        ("x.toml", '[[identity]]\nname = "a"\nname = "hunter2"', "line 3, column"),
        ("x.toml", "hunter2", "line 1, column 8"),
        ("x.json", '{"a": 1,\n hunter2}', "line 2, column 2"),
        ("x.yaml", "a: 1\nb: [hunter2", "line 2, column"),
        ("x.yaml", "a: 1\n---\nhunter2: 1", "line 2, column 1"),
        ("x.yaml", "a: !!python/object:hunter2.X {}", "line 1, column"),
        ("x.yaml", "a:\n  hunter2: 1\n  hunter2: 2", "line 3, column 3: a key stands there twice"),
    ],
)
def test_parse_errors_name_the_place_and_quote_nothing(
    tmp_path: Path, name: str, text: str, where: str
) -> None:
    """A broken file is a fault with line and column, and nothing of its content."""
    fault = only_fault(read_file(tmp_path, name, text))
    assert str(tmp_path / name) == fault.origin
    assert where in fault.problem
    assert "hunter2" not in str(fault)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.json", "[" * 100_000),
        ("x.json", '{"a": ' + "1" * 5000 + "x"),
        ("x.json", "[]"),
        ("x.json", "null"),
        ("x.toml", "a = " + "[" * 100_000),
        ("x.yaml", "a: \x01"),
        ("x.yaml", "- a"),
        ("x.yaml", "text"),
        ("x.yaml", "a: &a [*a]"),
        ("x.yaml", "? [a]\n: b"),
        ("x.yaml", "a: !!int x"),
        ("x.yaml", "[" * 5000),
        ("x.json", '{"ca": "a", "ca": "b"}'),
        ("x.json", '{"runtime": {}, "runtime": {}}'),
    ],
)
def test_odd_files_are_faults(tmp_path: Path, name: str, text: str) -> None:
    """Depth, length, odd characters and other shapes become faults, never exceptions."""
    assert 1 == len(read_file(tmp_path, name, text).faults)


def test_empty_files_give_nothing(tmp_path: Path) -> None:
    """An empty TOML or YAML file is an empty structure."""
    for name in ("x.toml", "x.yaml"):
        assert Reading() == read_file(tmp_path, name, "# nothing\n")


def test_a_byte_order_mark_does_not_count(tmp_path: Path) -> None:
    """Editors on Windows begin a file with one."""
    for name, text in [
        ("x.toml", 'ca = ["/a"]'),
        ("x.json", '{"ca": ["/a"]}'),
        ("x.yaml", "ca: /a"),
    ]:
        assert 1 == len(sound(read_file(tmp_path, name, "\ufeff" + text)).settings.authorities)


def test_windows_line_ends(tmp_path: Path) -> None:
    """Lines may end as on Windows."""
    (tmp_path / "x.toml").write_bytes(b'ca = ["/a"]\r\nunlisted_hosts = "none"\r\n')
    assert sound(read({"MXCERT_CONFIG": str(tmp_path / "x.toml")})).settings


def test_yaml_scalars_stay_text(tmp_path: Path) -> None:
    """``no``, ``0123`` and dates are the text that they are, quoted or not; null is absent."""
    for text in ("no", "0123", "1e3", "2001-01-01", "'x'", "0x1F"):
        content = f"identity: [{{pkcs12: /a, password: {text}, name: ~}}]"
        reading = sound(read_file(tmp_path, "x.yaml", content))
        assert [("/a", text.strip("'"))] == names_and_passwords(reading)


def test_yaml_merges_are_no_repetition(tmp_path: Path) -> None:
    """A key that overrides a merged one stands there once."""
    text = "identity:\n- &a {pkcs12: /a, password: x, name: a}\n- {<<: *a, name: b, pkcs12: /b}\n"
    reading = sound(read_file(tmp_path, "x.yaml", text))
    assert [("a", "x"), ("b", "x")] == names_and_passwords(reading)


def test_yaml_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PyYAML the fault says what to install."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    fault = only_fault(read_file(tmp_path, "x.yaml", "ca: []"))
    assert "pip install PyYAML" in fault.remedy


def test_toml_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a TOML parser the fault says what to install."""
    monkeypatch.setitem(sys.modules, "tomllib" if sys.version_info >= (3, 11) else "tomli", None)
    assert "pip install tomli" in only_fault(read_file(tmp_path, "x.toml", "")).remedy


@pytest.mark.parametrize("name", ["x.ini", "x", "x.toml.bak"])
def test_an_unknown_extension_is_a_fault(tmp_path: Path, name: str) -> None:
    """The format is known by the extension; the fault lists them."""
    fault = only_fault(read_file(tmp_path, name, ""))
    assert "environment variable MXCERT_CONFIG" == fault.origin
    assert ".toml, .json, .yaml, .yml" in fault.remedy


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    """MXCERT_CONFIG that leads nowhere is a fault."""
    fault = only_fault(read({"MXCERT_CONFIG": str(tmp_path / "x.toml")}))
    assert "environment variable MXCERT_CONFIG" == fault.origin
    assert "No such file" in fault.problem


def test_the_default_file(tmp_path: Path) -> None:
    """The default file is read if it is there and none is named."""
    default = tmp_path / "mxcert.toml"
    assert Reading() == read({}, str(default))
    default.write_text(IDENTITY)
    assert [("/f", None)] == names_and_passwords(sound(read({}, str(default))))
    (tmp_path / "other.toml").write_text("")
    named = {"MXCERT_CONFIG": str(tmp_path / "other.toml")}
    assert Reading() == read(named, str(default))


def test_a_default_file_that_leads_nowhere_is_a_fault(tmp_path: Path) -> None:
    """A dangling link is no absence: somebody meant to have settings."""
    (tmp_path / "mxcert.toml").symlink_to(tmp_path / "nothing")
    assert "default file" == only_fault(read({}, str(tmp_path / "mxcert.toml"))).origin


def test_nothing_comes_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in the working directory counts only when a setting names it (CVE-2021-22926)."""
    monkeypatch.chdir(tmp_path)
    for name in ("mxcert.toml", "m2ee.yaml", "ClientCertificates"):
        (tmp_path / name).write_text(IDENTITY)
    assert Reading() == read({})
    assert 1 == len(sound(read({"MXCERT_CONFIG": "mxcert.toml"})).settings.identities)


def test_the_environment_wins_setting_by_setting(tmp_path: Path) -> None:
    """Authorities, choices and services of the environment each replace those of the file."""
    in_file = sound(read_file(tmp_path, "x.toml", PLAIN)).settings
    origin = Origin(str(tmp_path / "x.toml"), "ca")
    assert (AuthorityFile("/f.pem", origin),) == in_file.authorities
    unlisted = sound(read_file(tmp_path, "x.toml", PLAIN, MXCERT_UNLISTED_HOSTS="offer")).settings
    assert UnlistedHosts.OFFER is unlisted.unlisted_hosts
    assert in_file.authorities == unlisted.authorities
    services = sound(read_file(tmp_path, "x.toml", PLAIN, MXCERT_SERVICES='{"B": "b"}')).settings
    assert (("B", ("b",)),) == services.services
    assert UnlistedHosts.NONE is services.unlisted_hosts
    off = "trust_cache = false\n" + PLAIN
    assert sound(read_file(tmp_path, "x.toml", off)).settings.trust_cache is False
    cached = sound(read_file(tmp_path, "x.toml", off, MXCERT_TRUST_CACHE="on")).settings
    assert cached.trust_cache is True
    authorities = sound(read_file(tmp_path, "x.toml", PLAIN, CACertificates="e.pem")).settings
    assert ["e.pem"] == [
        one.path for one in authorities.authorities if isinstance(one, AuthorityFile)
    ]


@pytest.mark.parametrize(
    "environ", [{"ClientCertificates": "e"}, {"NoClientCertificateUsages": "e.example"}]
)
def test_identities_and_rules_of_a_file_are_left_aside_as_a_whole(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    """An environment with identities or rules leaves those of the file aside, and says so."""
    reading = read_file(tmp_path, "x.toml", PLAIN + IDENTITY, **environ)
    assert "left aside" in only_warning(reading).problem
    assert "/f" not in str(rules(reading)) + str(names_and_passwords(reading))
    assert UnlistedHosts.NONE is reading.settings.unlisted_hosts


def test_faults_of_what_is_left_aside_do_not_count(tmp_path: Path) -> None:
    """An identity of the file that is not used cannot refuse the start; the rest still can."""
    broken = '[[identity]]\npkcs12 = "/f"\npassword_file = "/nonexistent/pw"\n'
    only_fault(read_file(tmp_path, "x.toml", broken))
    only_warning(read_file(tmp_path, "x.toml", broken, ClientCertificates="e"))
    both = read_file(tmp_path, "x.toml", "odd = 1\n" + broken, ClientCertificates="e")
    assert "`odd`" in only_fault(both).problem


def test_a_broken_environment_is_not_replaced_by_the_file(tmp_path: Path) -> None:
    """Where the environment tries to give identities, its faults are the only ones told."""
    reading = read_file(
        tmp_path, "x.toml", IDENTITY, ClientCertificates="a", ClientCertificatePasswords="b,c"
    )
    only_fault(reading)
    assert () == reading.settings.identities


def test_the_settings_of_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's own environment is what counts in the end."""
    (tmp_path / "x.toml").write_text(IDENTITY)
    monkeypatch.setenv("MXCERT_CONFIG", str(tmp_path / "x.toml"))
    assert [("/f", None)] == names_and_passwords(sound(read_process_settings()))


@pytest.mark.parametrize(("text", "expected"), [("false", False), ("on", True), ("OFF", False)])
def test_a_switch_in_yaml(tmp_path: Path, text: str, expected: bool) -> None:
    """What is written bare is a text there, and says what it says in the environment."""
    reading = sound(read_file(tmp_path, "x.yaml", f"trust_cache: {text}"))
    assert expected is reading.settings.trust_cache
    assert "not known" in only_fault(read_file(tmp_path, "y.yaml", "trust_cache: no")).problem


def test_a_number_beyond_all_bounds_is_a_fault(tmp_path: Path) -> None:
    """Such a number cannot be written out, and nobody has to."""
    fault = only_fault(read_file(tmp_path, "m.toml", f"watch = 0x{'f' * 5000}"))
    assert "has a value that is not known" == fault.problem


def test_faults_stand_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Keys that do not count in another format are told as they stand there, in every process."""
    keys = ["watch", "sighup", "identity", "trust_cache", "unlisted_hosts", "no_certificate"]
    text = json.dumps({"mxruntime": {}, **dict.fromkeys(keys, "x")})
    faults = read_file(tmp_path, "m.json", text).faults
    assert keys == [each.problem.split("`")[1] for each in faults]
