"""Nothing that settings hold in secret shows itself, whatever is wrong with them."""

from __future__ import annotations

import base64
import json
import traceback
from pathlib import Path

import pytest

from mxcert_runtime.errors import SettingsError
from mxcert_runtime.settings.loading import settings_from
from mxcert_runtime.settings.model import Reading
from tests.settings.readings import only_fault, read, read_file

HIDDEN = "hunter2"
ENCODED = base64.b64encode(HIDDEN.encode()).decode()

ENVIRONMENTS = [
    {"ClientCertificates": "a", "ClientCertificatePasswords": HIDDEN},
    {"ClientCertificates": "a", "ClientCertificatePasswords": f"{HIDDEN},b"},
    {"ClientCertificates": "a", "ClientCertificatePasswords": f'["{HIDDEN}"'},
    {"ClientCertificates": "a", "ClientCertificatePasswords": f'["\\{HIDDEN}"]'},
    {"ClientCertificates": "a", "ClientCertificatePasswords": f"[{HIDDEN}]"},
    {"ClientCertificates": "a,a", "ClientCertificatePasswords": f"{HIDDEN},x"},
    {"ClientCertificatePasswords": HIDDEN},
    {"ClientCertificatePasswords": "x", "MXCERT_CLIENT_CERTIFICATE_PASSWORDS": HIDDEN},
    {"CUSTOM_RUNTIME_SETTINGS": f'{{"ClientCertificatePasswords": "{HIDDEN}"'},
    {"CUSTOM_RUNTIME_SETTINGS": f'{{"ClientCertificatePasswords": ["{HIDDEN}"]}}'},
    {"CUSTOM_RUNTIME_SETTINGS": f'{{"ClientCertificatePasswords": {{"{HIDDEN}": "x"}}}}'},
    {"CLIENT_CERTIFICATES": f'[{{"pfx": "{ENCODED}", "password": "{HIDDEN}"'},
    {"CLIENT_CERTIFICATES": json.dumps([{"pfx": ENCODED, "password": HIDDEN, "x": HIDDEN}])},
    {"CLIENT_CERTIFICATES": json.dumps([{"pfx": ENCODED, "password": [HIDDEN]}])},
    {"CLIENT_CERTIFICATES": json.dumps([{"pfx": HIDDEN + "%", "password": HIDDEN}])},
    {"CLIENT_CERTIFICATES": json.dumps([{"pfx": ENCODED, "password": HIDDEN}])},
    {"NoClientCertificateUsages": f"https://user:{HIDDEN}@h.example/"},
    {"ClientCertificateUsages": f'{{"https://u:{HIDDEN}@h": "a", "u:{HIDDEN}@h": 3}}'},
    {"MXCERT_SERVICES": f'{{"A": "u:{HIDDEN}@h"}}'},
    {"MXCERT_CLIENT_CERTIFICATE_PASSWORDS_FILE": f"-----BEGIN\n{HIDDEN}"},
    {"MXCERT_UNLISTED_HOSTS": HIDDEN},
    {"MXCERT_EXPIRED_IDENTITIES": HIDDEN},
    {"MXCERT_TRUST_CACHE": HIDDEN},
    {"MXCERT_PASSWORD": HIDDEN},
]

FILES = [
    ("x.toml", f'[[identity]]\npkcs12 = "/a"\npassword = "{HIDDEN}"\nodd = 1'),
    ("x.toml", f'[[identity]]\npkcs12 = "/a"\npassword = {HIDDEN}'),
    ("x.toml", f'[[identity]]\npkcs12 = "/a"\npassword = ["{HIDDEN}"]'),
    ("x.toml", f'[[identity]]\npkcs12 = "/a"\npasword = "{HIDDEN}"'),
    ("x.toml", f'[[identity]]\ncertificate = "/a"\nkey = """-----BEGIN\n{HIDDEN}"""'),
    ("x.json", f'{{"identity": [{{"password": "{HIDDEN}}}]'),
    ("x.yaml", f"identity: [{{pkcs12: /a, password: {HIDDEN}, odd: 1}}]"),
    ("x.yaml", f"identity: [{{pkcs12: /a, password: '{HIDDEN}]"),
    ("x.yaml", f"mxruntime: {{ClientCertificatePasswords: [{HIDDEN}]}}"),
    ("x.yaml", f"mxruntime: {{ClientCertificatePasswords: {{{HIDDEN}: x}}}}"),
    ("x.yaml", f"runtime: {{clientCertificates: [{{key: {ENCODED}, password: {ENCODED}}}]}}"),
    ("x.yaml", f"runtime: {{clientCertificates: [{{key: {ENCODED}x, password: {HIDDEN}%}}]}}"),
]


def _shown(reading: Reading) -> str:
    told = [str(fault) for fault in (*reading.faults, *reading.warnings)]
    return " ".join([repr(reading), str(reading), *told])


def _refuse(reading: Reading) -> None:
    raise SettingsError(reading.faults)


def _raised(reading: Reading) -> str:
    # The frames hold nothing but the reading, as those of a real caller would.
    with pytest.raises(SettingsError) as caught:
        _refuse(reading)
    assert caught.value.__context__ is None
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    return "".join(report.format())


def _assert_hidden(reading: Reading) -> None:
    shown = _shown(reading) + _raised(reading)
    assert HIDDEN not in shown
    assert ENCODED not in shown


@pytest.mark.parametrize("environ", ENVIRONMENTS)
def test_the_environment_stays_secret(environ: dict[str, str]) -> None:
    """No reading, fault, warning or traceback of an environment shows a secret."""
    _assert_hidden(read(environ))


@pytest.mark.parametrize(("name", "text"), FILES)
def test_files_stay_secret(tmp_path: Path, name: str, text: str) -> None:
    """No reading, fault, warning or traceback of a file shows a secret."""
    _assert_hidden(read_file(tmp_path, name, text))


def test_arguments_stay_secret() -> None:
    """No reading of arguments shows a secret."""
    identity = {"pkcs12": HIDDEN.encode(), "password": HIDDEN, "odd": HIDDEN}
    _assert_hidden(settings_from({"identity": [identity]}))


def test_a_path_that_is_far_too_long_is_not_shown() -> None:
    """Key material that was put in the place of a path is not quoted."""
    long = ENCODED * 100
    fault = only_fault(read({"ClientCertificateUsages": json.dumps({"h.example": long})}))
    assert "1200 characters" in fault.problem
    assert ENCODED not in str(fault)
