"""Settings that cannot be used, each for another reason, and each with a secret in them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

from tests.support.client_files import ClientFiles
from tests.support.pki import Leaf

#: what every password here holds; nothing else does
PASSWORD = "Pw-5Q7zN2-ONE"
OTHER = "Pw-5Q7zN2-TWO"
MARK = "Pw-5Q7zN2"

Spoil = Callable[[ClientFiles, Leaf, Leaf], dict[str, str]]


def _wrong_password(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    return {**files.variables(leaf), "ClientCertificatePasswords": OTHER}


def _no_password(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    return {**files.variables(leaf), "ClientCertificatePasswords": ""}


def _counts_differ(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    return {**files.variables(leaf), "ClientCertificatePasswords": f"{PASSWORD}, {OTHER}"}


def _passwords_no_list(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    return {**files.variables(leaf), "ClientCertificatePasswords": f'["{PASSWORD}", "{OTHER}'}


def _passwords_of_another_kind(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    return {**files.variables(leaf), "ClientCertificatePasswords": f'[["{PASSWORD}"]]'}


def _two_names_differ(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    return {**files.variables(leaf), "MXCERT_CLIENT_CERTIFICATE_PASSWORDS": OTHER}


def _damaged(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    path = files.pkcs12(leaf)
    path.write_bytes(path.read_bytes()[:-40])
    return files.variables(leaf)


def _missing_file(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    variables = files.variables(leaf)
    files.pkcs12(leaf).unlink()
    return variables


def _conflict(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    return files.variables(other, usages={"a.example": leaf}, no_usages=["a.example"])


def _unknown_path(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    usages = json.dumps({"a.example": "/not/listed.p12"})
    return {**files.variables(leaf), "ClientCertificateUsages": usages}


def _password_file_missing(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    variables = files.variables(leaf)
    del variables["ClientCertificatePasswords"]
    return {**variables, "MXCERT_CLIENT_CERTIFICATE_PASSWORDS_FILE": "/nonexistent"}


def _inline(password: str, content: str) -> dict[str, str]:
    entry = {"pfx": content, "password": password, "pin_to": ["a.example"]}
    return {"CLIENT_CERTIFICATES": json.dumps([entry])}


def _inline_wrong_password(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    return _inline(OTHER, base64.b64encode(files.pkcs12(leaf).read_bytes()).decode())


def _inline_damaged(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    return _inline(PASSWORD, base64.b64encode(files.pkcs12(leaf).read_bytes()).decode()[:-41])


def _inline_no_json(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    content = base64.b64encode(files.pkcs12(leaf).read_bytes()).decode()
    return {"CLIENT_CERTIFICATES": _inline(PASSWORD, content)["CLIENT_CERTIFICATES"][:-3]}


def _inline_unknown_key(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    content = base64.b64encode(files.pkcs12(leaf).read_bytes()).decode()
    return {"CLIENT_CERTIFICATES": json.dumps([{"pfx": content, "pasword": PASSWORD}])}


def _custom_no_json(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    text = json.dumps(files.variables(leaf))[:-1]
    return {"CUSTOM_RUNTIME_SETTINGS": text}


def _config(files: ClientFiles, name: str, text: str) -> dict[str, str]:
    path = files.folder / name
    path.write_text(text, encoding="utf-8")
    return {"MXCERT_CONFIG": str(path)}


def _toml(password: str, files: ClientFiles, leaf: Leaf) -> str:
    return f'[[identity]]\npkcs12 = "{files.pkcs12(leaf)}"\n{password}\n'


def _toml_wrong_password(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    return _config(files, "a.toml", _toml(f'password = "{OTHER}"', files, leaf))


def _toml_broken_at_the_password(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    return _config(files, "a.toml", _toml(f'password = "{PASSWORD}', files, leaf))


def _toml_password_without_quotes(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    return _config(files, "a.toml", _toml(f"password = {PASSWORD}", files, leaf))


def _toml_password_twice(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    line = f'password = "{PASSWORD}"\npassword = "{OTHER}"'
    return _config(files, "a.toml", _toml(line, files, leaf))


def _toml_password_and_variable(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    line = f'password = "{PASSWORD}"\npassword_env = "NO_SUCH_VARIABLE"'
    return _config(files, "a.toml", _toml(line, files, leaf))


def _toml_password_list(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    return _config(files, "a.toml", _toml(f'password = ["{PASSWORD}"]', files, leaf))


def _toml_misspelt_key(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    return _config(files, "a.toml", _toml(f'pasword = "{PASSWORD}"', files, leaf))


def _json_broken(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    text = json.dumps({"identity": [{"pkcs12": "a.p12", "password": PASSWORD}]})
    return _config(files, "a.json", text[:-1])


def _yaml_broken(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    text = f'identity:\n  - pkcs12: a.p12\n    password: "{PASSWORD}\n  : ]\n'
    return _config(files, "a.yaml", text)


def _yaml_with_a_tag(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    text = f"identity:\n  - pkcs12: a.p12\n    password: !{PASSWORD} {OTHER}\n"
    return _config(files, "a.yaml", text)


def _pem(files: ClientFiles, certificate: Leaf, key: bytes, password: str) -> dict[str, str]:
    certificate_path, key_path = files.folder / "a.crt", files.folder / "a.key"
    certificate_path.write_bytes(certificate.pem())
    key_path.write_bytes(key)
    text = f'[[identity]]\ncertificate = "{certificate_path}"\nkey = "{key_path}"\n{password}\n'
    return _config(files, "a.toml", text)


def _pem_wrong_password(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    return _pem(files, leaf, leaf.key_pem(PASSWORD), f'password = "{OTHER}"')


def _pem_no_password(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    return _pem(files, leaf, leaf.key_pem(PASSWORD), "")


def _pem_other_certificate(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    return _pem(files, other, leaf.key_pem(), f'password = "{PASSWORD}"')


def _pem_damaged_key(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    return _pem(files, leaf, leaf.key_pem()[:-60], "")


def _pem_key_with_a_foreign_letter(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    return _pem(files, leaf, leaf.key_pem().replace(b"\n", b"\n!", 2), "")


def _key_for_a_certificate(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    path = files.folder / "key.pem"
    path.write_bytes(leaf.key_pem())
    return {"CACertificates": str(path)}


def _key_for_a_path(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    return {"ClientCertificates": leaf.key_pem().decode(), "ClientCertificatePasswords": PASSWORD}


def _password_in_an_identifier(files: ClientFiles, leaf: Leaf, other: Leaf) -> dict[str, str]:
    exempt = f"https://user:{PASSWORD}@a.example/"
    return {**files.variables(leaf), "NoClientCertificateUsages": exempt}


SPOILED: list[Spoil] = [
    _wrong_password,
    _no_password,
    _counts_differ,
    _passwords_no_list,
    _passwords_of_another_kind,
    _two_names_differ,
    _damaged,
    _missing_file,
    _conflict,
    _unknown_path,
    _password_file_missing,
    _inline_wrong_password,
    _inline_damaged,
    _inline_no_json,
    _inline_unknown_key,
    _custom_no_json,
    _toml_wrong_password,
    _toml_broken_at_the_password,
    _toml_password_without_quotes,
    _toml_password_twice,
    _toml_password_and_variable,
    _toml_password_list,
    _toml_misspelt_key,
    _json_broken,
    _yaml_broken,
    _yaml_with_a_tag,
    _pem_wrong_password,
    _pem_no_password,
    _pem_other_certificate,
    _pem_damaged_key,
    _pem_key_with_a_foreign_letter,
    _key_for_a_certificate,
    _key_for_a_path,
    _password_in_an_identifier,
]
