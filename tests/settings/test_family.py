"""The ClientCertificates family: lists, passwords, usages and what they must agree on."""

from __future__ import annotations

import pytest

from mxcert_runtime.base.faults import Origin
from mxcert_runtime.identity.sources import AuthorityFile, Pkcs12File
from mxcert_runtime.settings.model import RuleKind
from tests.settings.readings import (
    names_and_passwords,
    only_fault,
    only_warning,
    read,
    rules,
    sound,
)

TWO = {"ClientCertificates": r"D:\App\Mx1.pfx, D:\App\Mx2.pfx"}


def test_lists_are_separated_by_commas_without_blanks() -> None:
    """Blanks around the items of a list do not count, and backslashes are single."""
    reading = sound(read({**TWO, "ClientCertificatePasswords": " one ,two "}))
    expected = [(r"D:\App\Mx1.pfx", "one"), (r"D:\App\Mx2.pfx", "two")]
    assert expected == names_and_passwords(reading)
    assert Pkcs12File(r"D:\App\Mx1.pfx") == reading.settings.identities[0].material


def test_values_keep_their_origin() -> None:
    """An identity knows the variable and entry of its path and of its password."""
    identity = sound(read({**TWO, "ClientCertificatePasswords": "a,b"})).settings.identities[1]
    assert Origin("environment variable ClientCertificates", "entry 2") == identity.origin
    expected = Origin("environment variable ClientCertificatePasswords", "entry 2")
    assert expected == identity.password_origin


@pytest.mark.parametrize(
    ("paths", "passwords", "expected"),
    [
        ("a", "", [""]),
        ("a,b", ",", ["", ""]),
        ("a,b", "x,", ["x", ""]),
        ("a,b", '["x,y", " z "]', ["x,y", " z "]),
        ("a", "[lone", ["[lone"]),
        ("a", '["[abc]"]', ["[abc]"]),
        ('["a,1"]', "x", ["x"]),
    ],
)
def test_passwords_may_be_empty_and_json(paths: str, passwords: str, expected: list[str]) -> None:
    """A password may be empty, and a JSON list says what commas cannot."""
    reading = sound(read({"ClientCertificates": paths, "ClientCertificatePasswords": passwords}))
    assert expected == [password for _, password in names_and_passwords(reading)]


def test_no_passwords_at_all() -> None:
    """Without the passwords setting no identity has a password."""
    assert [None, None] == [password for _, password in names_and_passwords(sound(read(TWO)))]


@pytest.mark.parametrize("passwords", ["[abc]", '["a", "b"', '["a", 1]', "[1]"])
def test_brackets_that_are_no_json_list_are_a_fault(passwords: str) -> None:
    """A value in brackets that is no JSON list of texts is refused, never guessed at."""
    fault = only_fault(read({"ClientCertificates": "a", "ClientCertificatePasswords": passwords}))
    assert "environment variable ClientCertificatePasswords" in fault.origin
    assert [] == list(
        read(
            {"ClientCertificates": "a", "ClientCertificatePasswords": passwords}
        ).settings.identities
    )


@pytest.mark.parametrize(("passwords", "count"), [("a,b,c", "3 passwords"), ("", "1 password")])
def test_counts_that_differ_are_a_fault(passwords: str, count: str) -> None:
    """Counts that differ name both settings, both counts and the JSON list as remedy."""
    reading = read({**TWO, "MXRUNTIME_ClientCertificatePasswords": passwords})
    fault = only_fault(reading)
    assert "environment variable MXRUNTIME_ClientCertificatePasswords" == fault.origin
    assert f"holds {count}, but environment variable ClientCertificates" in fault.problem
    assert fault.problem.endswith("2 paths")
    assert "comma inside a password" in fault.remedy
    assert "JSON list" in fault.remedy
    assert () == reading.settings.identities


def test_passwords_without_paths_are_a_fault() -> None:
    """Passwords that belong to nothing are refused; an empty variable is not set."""
    fault = only_fault(read({"ClientCertificatePasswords": "a"}))
    assert "1 password" in fault.problem
    sound(read({"ClientCertificatePasswords": ""}))


def test_paths_differ_by_case() -> None:
    """Paths are compared exactly, so case makes two identities (curl CVE-2021-22924)."""
    reading = sound(read({"ClientCertificates": "a/C.pfx,a/c.pfx"}))
    assert ["a/C.pfx", "a/c.pfx"] == [name for name, _ in names_and_passwords(reading)]


def test_the_same_path_twice_is_one_identity() -> None:
    """A repeated path with the same password is one identity and a warning."""
    reading = read({"ClientCertificates": "a.p12,a.p12", "ClientCertificatePasswords": "x,x"})
    assert "lists `a.p12` again" in only_warning(reading).problem
    assert [("a.p12", "x")] == names_and_passwords(reading)


def test_the_same_path_with_two_passwords_is_a_fault() -> None:
    """A repeated path with another password is refused."""
    fault = only_fault(read({"ClientCertificates": "a,a", "ClientCertificatePasswords": "x,y"}))
    assert "another password" in fault.problem


def test_empty_entries_of_paths_do_not_count() -> None:
    """A comma too many among paths is dropped with a warning."""
    reading = read({"ClientCertificates": "a,,b,"})
    assert "empty entry" in only_warning(reading).problem
    assert ["a", "b"] == [name for name, _ in names_and_passwords(reading)]


def test_usages_map_identifiers_to_paths() -> None:
    """Usages are JSON with doubled backslashes, and an empty path is never a certificate."""
    usages = r'{"Module.WebService1": "D:\\App\\Mx1.pfx", "www.server.com": ""}'
    reading = sound(read({**TWO, "ClientCertificateUsages": usages}))
    expected = [("Module.WebService1", r"D:\App\Mx1.pfx"), ("www.server.com", None)]
    assert expected == rules(reading)
    assert {RuleKind.HOST_OR_SERVICE} == {rule.kind for rule in reading.settings.rules}


def test_single_backslashes_in_usages_are_a_fault() -> None:
    """A JSON error names line and column, and a single backslash as the cause."""
    fault = only_fault(read({**TWO, "ClientCertificateUsages": r'{"a": "D:\App\Mx1.pfx"}'}))
    assert "line 1, column" in fault.problem
    assert "Double the backslashes" in fault.remedy


def test_a_backslash_that_is_an_escape_is_a_fault() -> None:
    """A single backslash that JSON takes for a line break is found in the path."""
    environ = {
        "ClientCertificates": r"D:\new.pfx",
        "ClientCertificateUsages": r'{"a": "D:\new.pfx"}',
    }
    fault = only_fault(read(environ))
    assert "control character" in fault.problem
    assert "double it" in fault.remedy


def test_usages_without_braces_are_a_fault() -> None:
    """The braces belong to the value."""
    fault = only_fault(read({"ClientCertificates": "a", "ClientCertificateUsages": '"h": "a"'}))
    assert "braces" in fault.remedy


@pytest.mark.parametrize("usages", ["[]", "3", "null", '{"h": 3}', '{"h": null}', '{"h": ["a"]}'])
def test_usages_of_another_shape_are_a_fault(usages: str) -> None:
    """Usages are an object of texts and nothing else."""
    only_fault(read({"ClientCertificates": "a", "ClientCertificateUsages": usages}))


def test_usages_name_an_identifier_once() -> None:
    """A key that stands twice in the JSON is a conflict, even though JSON lets the last win."""
    usages = '{"h.example": "a", "h.example": "b"}'
    fault = only_fault(read({"ClientCertificates": "a,b", "ClientCertificateUsages": usages}))
    assert "`h.example` twice" in fault.problem


@pytest.mark.parametrize(
    ("listed", "path", "remedy"),
    [
        ("a.pfx", "b/other", "List the path"),
        ("certs/a.pfx", "certs/A.pfx", "`certs/a.pfx`"),
        (r"D:\\App\\a.pfx", r"D:\\App\\a.pfx", "single backslashes"),
    ],
)
def test_a_usage_of_an_unlisted_path_is_a_fault(listed: str, path: str, remedy: str) -> None:
    """A path must stand in ClientCertificates as it is; the fault names both settings."""
    usages = f'{{"h.example": "{path}"}}'
    fault = only_fault(read({"ClientCertificates": listed, "ClientCertificateUsages": usages}))
    expected = "environment variable ClientCertificateUsages, identifier h.example"
    assert expected == fault.origin
    assert "environment variable ClientCertificates does not list" in fault.problem
    assert remedy in fault.remedy


def test_usages_without_certificates() -> None:
    """Usages alone can say "never", and nothing else."""
    assert [("h.example", None)] == rules(
        sound(read({"ClientCertificateUsages": '{"h.example":""}'}))
    )
    fault = only_fault(read({"ClientCertificateUsages": '{"h.example":"a"}'}))
    assert "ClientCertificates does not list" in fault.problem


@pytest.mark.parametrize(
    "text", ["https://h.example", "HTTP://h.example/", "h.example/", " https://h.example/ "]
)
def test_scheme_and_slash_are_dropped_with_a_warning(text: str) -> None:
    """``https://`` in front and one ``/`` behind are dropped, and it is said."""
    reading = read({"NoClientCertificateUsages": text})
    assert "read as `h.example`" in only_warning(reading).problem
    assert [("h.example", None)] == rules(reading)


@pytest.mark.parametrize(
    "text",
    [
        "https://h.example/path",
        "https://h.example//",
        "h.example?q",
        "My Service",
        ".h.example",
        "h.example:0",
        "a*.example",
        "https://",
        "/",
        "stra\u00dfe.example",
    ],
)
def test_what_is_neither_host_nor_service_is_a_fault(text: str) -> None:
    """An identifier that can be neither a host nor a service is refused with a remedy."""
    reading = read({"NoClientCertificateUsages": text})
    assert only_fault(reading).remedy
    assert [] == rules(reading)


def test_an_empty_identifier_is_a_fault() -> None:
    """A rule for nothing is refused."""
    fault = only_fault(read({"ClientCertificateUsages": '{" ": ""}'}))
    assert "empty identifier" in fault.problem


LONG = "x" * 64


@pytest.mark.parametrize("text", ["Module.Web_Service", "Module", "_a.b-c", f"Module.{LONG}"])
def test_names_of_services_in_the_platforms_form(text: str) -> None:
    """What the platform calls a service can have a rule, be it a name that no host can have."""
    assert [(text, None)] == rules(sound(read({"NoClientCertificateUsages": text})))


def test_no_client_certificate_usages() -> None:
    """Each listed name is never contacted with a certificate."""
    reading = sound(read({"NoClientCertificateUsages": "h.example, Module.Service"}))
    assert [("h.example", None), ("Module.Service", None)] == rules(reading)


def test_authorities_are_files() -> None:
    """CACertificates lists files, each with its entry as origin."""
    origin = Origin("environment variable CACertificates", "entry 2")
    reading = sound(read({"CACertificates": "a.pem, b.pem"}))
    assert AuthorityFile("b.pem", origin) == reading.settings.authorities[1]
