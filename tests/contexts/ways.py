"""Ways in which a caller comes to trust: each a list of steps that are done to a new context.

A step may also touch what the context was loaded from, as deployments do behind a program's back.
"""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Callable
from functools import partial

from tests.contexts.ground import GOOD, Ground, damaged
from tests.support import pki

Step = Callable[[Ground, ssl.SSLContext], None]


def _cafile(ground: Ground, context: ssl.SSLContext) -> None:
    context.load_verify_locations(ground.file(ground.realm.authority.pem))


def _cafile_bytes(ground: Ground, context: ssl.SSLContext) -> None:
    context.load_verify_locations(cafile=os.fsencode(ground.file(ground.realm.authority.pem)))


def _foreign_cafile(ground: Ground, context: ssl.SSLContext) -> None:
    context.load_verify_locations(ground.file(ground.realm.foreign.pem, "foreign.pem"))


def _capath(ground: Ground, context: ssl.SSLContext) -> None:
    context.load_verify_locations(capath=ground.directory(ground.realm.authority))


def _empty_capath(ground: Ground, context: ssl.SSLContext) -> None:
    context.load_verify_locations(capath=ground.directory())


def _fill_capath(ground: Ground, context: ssl.SSLContext) -> None:
    ground.directory(ground.realm.authority)


def _capath_list(ground: Ground, context: ssl.SSLContext) -> None:
    one = ground.directory(ground.realm.foreign, name="one")
    other = ground.directory(ground.realm.authority, name="other")
    context.load_verify_locations(capath=f"{one}{os.pathsep}{other}")


def _cadata_pem(ground: Ground, context: ssl.SSLContext) -> None:
    context.load_verify_locations(cadata=ground.realm.authority.pem.decode())


def _cadata_der(ground: Ground, context: ssl.SSLContext) -> None:
    context.load_verify_locations(cadata=ground.realm.authority.der)


def _cadata_buffer(ground: Ground, context: ssl.SSLContext) -> None:
    both = ground.realm.foreign.der + ground.realm.authority.der
    context.load_verify_locations(cadata=bytearray(both))


def _everything_at_once(ground: Ground, context: ssl.SSLContext) -> None:
    context.load_verify_locations(
        ground.file(pki.Authority("Unknown").pem),
        ground.directory(ground.realm.foreign),
        ground.realm.authority.pem.decode(),
    )


def _default_file(ground: Ground, context: ssl.SSLContext) -> None:
    ground.default_paths(ground.file(ground.realm.authority.pem))
    context.set_default_verify_paths()


def _default_directory(ground: Ground, context: ssl.SSLContext) -> None:
    ground.default_paths(directory=str(ground.directory(ground.realm.authority)))
    context.load_default_certs()


def _default_directory_list(ground: Ground, context: ssl.SSLContext) -> None:
    one = ground.directory(ground.realm.foreign, name="one")
    other = ground.directory(ground.realm.authority, name="other")
    ground.default_paths(directory=f"{one}{os.pathsep}{other}")
    context.load_default_certs()


def _default_nothing(ground: Ground, context: ssl.SSLContext) -> None:
    ground.default_paths()
    context.set_default_verify_paths()


def _default_elsewhere(ground: Ground, context: ssl.SSLContext) -> None:
    foreign = ground.file(ground.realm.foreign.pem, "foreign.pem")
    ground.default_paths(foreign, str(ground.directory(ground.realm.foreign, name="third")))


def _default_list_elsewhere(ground: Ground, context: ssl.SSLContext) -> None:
    one = ground.directory(ground.realm.foreign, name="third")
    other = ground.directory(name="fourth")
    ground.default_paths(directory=f"{one}{os.pathsep}{other}")


def _crl(ground: Ground, context: ssl.SSLContext) -> None:
    context.load_verify_locations(ground.file(ground.realm.crl, "crl.pem"))


def _check_crl(ground: Ground, context: ssl.SSLContext) -> None:
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF


def _pinned(ground: Ground, context: ssl.SSLContext) -> None:
    leaf = ground.realm.leaves[GOOD].pem(chain=False)
    context.load_verify_locations(ground.file(leaf, "pinned.pem"))


def _partial_chain(ground: Ground, context: ssl.SSLContext) -> None:
    # The constant came with Python 3.10, the flag is OpenSSL's.
    context.verify_flags = ssl.VerifyFlags(int(context.verify_flags) | 0x80000)


def _replace(ground: Ground, context: ssl.SSLContext) -> None:
    ground.replace(ground.realm.foreign.pem)


def _overwrite(ground: Ground, context: ssl.SSLContext) -> None:
    ground.file(ground.realm.foreign.pem + b"\n" * 99)


def _remove(ground: Ground, context: ssl.SSLContext) -> None:
    (ground.folder / "bundle.pem").unlink()


def _remove_directory(ground: Ground, context: ssl.SSLContext) -> None:
    ground.directory()


def _damage(ground: Ground, context: ssl.SSLContext) -> None:
    ground.replace(damaged(ground.realm.authority.pem))


def _half_loaded(ground: Ground, context: ssl.SSLContext) -> None:
    bundle = ground.realm.authority.pem + damaged(ground.realm.foreign.pem)
    with contextlib.suppress(ssl.SSLError):
        context.load_verify_locations(ground.file(bundle))


def _missing_file(ground: Ground, context: ssl.SSLContext) -> None:
    with contextlib.suppress(FileNotFoundError):
        context.load_verify_locations(ground.folder / "missing.pem")


def _data_and_missing_file(ground: Ground, context: ssl.SSLContext) -> None:
    data = ground.realm.authority.pem.decode()
    with contextlib.suppress(FileNotFoundError):
        context.load_verify_locations(ground.folder / "missing.pem", cadata=data)


def _wrong_type(ground: Ground, context: ssl.SSLContext) -> None:
    file = ground.file(ground.realm.authority.pem)
    with contextlib.suppress(TypeError):
        context.load_verify_locations(file, cadata=object())  # type: ignore[arg-type]


def _from_a_pipe(ground: Ground, context: ssl.SSLContext) -> None:
    reading, writing = os.pipe()
    os.write(writing, ground.realm.authority.pem)
    os.close(writing)
    try:
        context.load_verify_locations(f"/dev/fd/{reading}")
    finally:
        os.close(reading)


def _relative(ground: Ground, context: ssl.SSLContext) -> None:
    ground.file(ground.realm.authority.pem, "relative.pem")
    ground.monkeypatch.chdir(ground.folder)
    context.load_verify_locations("relative.pem")


def _change_directory(ground: Ground, context: ssl.SSLContext) -> None:
    elsewhere = ground.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "relative.pem").write_bytes(ground.realm.foreign.pem)
    ground.monkeypatch.chdir(elsewhere)


def _check(mode: ssl.VerifyMode, ground: Ground, context: ssl.SSLContext) -> None:
    if mode is ssl.CERT_NONE:
        context.check_hostname = False
    context.verify_mode = mode


def _hostname(check: bool, ground: Ground, context: ssl.SSLContext) -> None:
    context.check_hostname = check


def _ciphers(text: str, ground: Ground, context: ssl.SSLContext) -> None:
    with contextlib.suppress(ssl.SSLError):
        context.set_ciphers(text)


def _strict(ground: Ground, context: ssl.SSLContext) -> None:
    context.verify_flags |= ssl.VERIFY_X509_STRICT


_none, _optional, _required = (
    partial(_check, mode) for mode in (ssl.CERT_NONE, ssl.CERT_OPTIONAL, ssl.CERT_REQUIRED)
)
_host_on, _host_off = partial(_hostname, True), partial(_hostname, False)

#: name of the way -> its steps
WAYS: dict[str, tuple[Step, ...]] = {
    "nothing": (),
    "cafile": (_cafile,),
    "cafile as bytes": (_cafile_bytes,),
    "foreign cafile": (_foreign_cafile,),
    "capath": (_capath,),
    "capath filled later": (_empty_capath, _fill_capath),
    "capath emptied": (_capath, _remove_directory),
    "capath of two directories": (_capath_list,),
    "cadata PEM": (_cadata_pem,),
    "cadata DER": (_cadata_der,),
    "cadata buffer of two": (_cadata_buffer,),
    "all three at once": (_everything_at_once,),
    "several": (_foreign_cafile, _cafile),
    "the same twice": (_cafile, _cafile),
    "default file": (_default_file,),
    "default directory": (_default_directory,),
    "default directories": (_default_directory_list,),
    "default nothing": (_default_nothing,),
    "default and cafile": (_default_nothing, _cafile),
    "default file, then elsewhere": (_default_file, _default_elsewhere),
    "default directory, then elsewhere": (_default_directory, _default_elsewhere),
    "default directories, then elsewhere": (_default_directory_list, _default_list_elsewhere),
    "CRL": (_cafile, _crl, _check_crl),
    "CRL not checked": (_cafile, _crl),
    "CRL missing": (_cafile, _check_crl),
    "pinned": (_pinned, _partial_chain),
    "pinned without partial chain": (_pinned,),
    "replaced": (_cafile, _replace),
    "overwritten": (_cafile, _overwrite),
    "replaced and loaded again": (_cafile, _replace, _cafile),
    "removed": (_cafile, _remove),
    "damaged afterwards": (_cafile, _damage),
    "damaged in the middle": (_half_loaded,),
    "missing file": (_missing_file,),
    "missing file, then a good one": (_missing_file, _cafile),
    "data and missing file": (_data_and_missing_file,),
    "wrong type": (_wrong_type,),
    "a pipe": (_from_a_pipe,),
    "relative path and chdir": (_relative, _change_directory),
    "CERT_NONE": (_cafile, _none),
    "CERT_NONE trusting nobody": (_none,),
    "CERT_NONE and back": (_cafile, _none, _required),
    "CERT_NONE and all the way back": (_cafile, _none, _required, _host_on),
    "CERT_OPTIONAL": (_cafile, _optional),
    "no host name check": (_cafile, _host_off),
    "host name check off and on": (_cafile, _host_off, _host_on),
    "strict": (_cafile, _strict),
    "security level 1": (partial(_ciphers, "DEFAULT:@SECLEVEL=1"), _cafile),
    "security level 3": (_cafile, partial(_ciphers, "DEFAULT:@SECLEVEL=3")),
    "security level outlives ciphers": (
        _cafile,
        partial(_ciphers, "DEFAULT:@SECLEVEL=3"),
        partial(_ciphers, "DEFAULT"),
    ),
    "security level of refused ciphers": (_cafile, partial(_ciphers, "NONSENSE:@SECLEVEL=3")),
    "refused ciphers": (_cafile, partial(_ciphers, "NONSENSE")),
    "ciphers for EC alone": (_cafile, partial(_ciphers, "ECDHE-ECDSA-AES128-GCM-SHA256")),
}
