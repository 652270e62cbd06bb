"""Questions of OpenSSL are put as before, but for those for a PIN."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import softhsm
from tests.support.pki import Authority
from tests.support.subprocesses import client_environment

REFUSE = """
import ssl, sys
from mxcert_runtime.identity.tokens.prompts import refuse_pin_prompts
refuse_pin_prompts()
"""


def _run(script: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Without a terminal, so that OpenSSL asks on standard input."""
    return subprocess.run(
        [sys.executable, "-c", REFUSE + script, *arguments],
        env=client_environment(),
        input=stdin,
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )


@pytest.fixture(autouse=True)
def provider() -> None:
    """Where there are no providers there is nothing to refuse."""
    softhsm.module()


def test_a_pass_phrase_is_asked_for(tmp_path: Path, client_authority: Authority) -> None:
    """A program that loads an encrypted key without its password gets it as it always did."""
    leaf = client_authority.issue("encrypted")
    certificate, key = leaf.write_pem(tmp_path, "leaf", "the phrase")
    script = "ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(*sys.argv[1:])"
    right = _run(script, str(certificate), str(key), stdin="the phrase\n")
    wrong = _run(script, str(certificate), str(key), stdin="another\n")
    assert 0 == right.returncode, right.stderr
    assert "PEM pass phrase" in right.stdout + right.stderr
    assert 0 != wrong.returncode


def test_a_pin_is_not_asked_for() -> None:
    """What has no words is not asked; others have the words that OpenSSL gives them."""
    script = """
import ctypes
from mxcert_runtime.identity.libcrypto import libcrypto
library = libcrypto()
library.UI_new.restype = ctypes.c_void_p
library.UI_construct_prompt.restype = ctypes.c_char_p
library.UI_construct_prompt.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p)
for words in ((b"PIN", b"the token"), (b"pass phrase", b"the key"), (b"pass phrase", None)):
    print(library.UI_construct_prompt(library.UI_new(), *words))
"""
    done = _run(script)
    expected = ["None", "b'Enter pass phrase for the key:'", "b'Enter pass phrase:'"]
    assert expected == done.stdout.splitlines(), done.stderr
