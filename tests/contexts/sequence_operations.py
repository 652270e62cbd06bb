"""What random sequences do to contexts: make, load, rewrite, look, change.

An operation has the world and plain arguments, and returns what can be compared. A *warm* load is
one that this process has done before, in a context that nobody uses.
"""

from __future__ import annotations

import contextlib
import copy
import os
import pickle
import ssl
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.contexts.sequences import World
from tests.contexts.supplies import SOUND, der_of


class Careful(ssl.SSLContext):
    """A program's own subclass, with a load of its own."""

    def load_verify_locations(self, *args: object, **kwargs: object) -> None:
        super().load_verify_locations(*args, **kwargs)  # type: ignore[arg-type]


def _required(context: ssl.SSLContext) -> ssl.SSLContext:
    context.verify_mode = ssl.CERT_REQUIRED
    return context


MAKERS: dict[str, Callable[[str], ssl.SSLContext]] = {
    "client": lambda path: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    "subclass": lambda path: Careful(ssl.PROTOCOL_TLS_CLIENT),
    "default": lambda path: ssl.create_default_context(),
    "default cafile": lambda path: ssl.create_default_context(cafile=path),
    "default cadata": lambda path: ssl.create_default_context(cadata=Path(path).read_text()),
    "default server": lambda path: _required(
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=path)
    ),
    "unverified": lambda path: ssl._create_unverified_context(cafile=path),  # noqa: S323
    "any side": lambda path: _required(ssl.SSLContext(ssl.PROTOCOL_TLS)),
    "server": lambda path: _required(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)),
}


@contextlib.contextmanager
def _unnoticed() -> Iterator[None]:
    with contextlib.suppress(OSError, ValueError), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def make(world: World, kind: str, name: str, warm: bool) -> None:
    """Make a context; ``name`` is the bundle of those that are made with one."""
    path = world.path(name)
    if warm and world.play.is_on:
        with _unnoticed():
            MAKERS[kind](path)
    context = MAKERS[kind](path)
    world.contexts.append(context)
    if "ca" in kind and name in SOUND:
        world.loaded.add(id(context))


def _relative(world: World, context: ssl.SSLContext, name: str) -> None:
    before = Path.cwd()
    os.chdir(world.folder / ("one" if name == "good.pem" else "two"))
    try:
        context.load_verify_locations("relative.pem")
    finally:
        os.chdir(before)


Form = Callable[[World, ssl.SSLContext, str], None]
FORMS: dict[str, Form] = {
    "text": lambda world, context, name: context.load_verify_locations(world.path(name)),
    "bytes": lambda world, context, name: context.load_verify_locations(
        cafile=os.fsencode(world.path(name))
    ),
    "path": lambda world, context, name: context.load_verify_locations(
        Path(world.path(name)), None, None
    ),
    "link": lambda world, context, name: context.load_verify_locations(world.path("link.pem")),
    "relative": _relative,
    "cadata text": lambda world, context, name: context.load_verify_locations(
        cadata=world.supplies.contents[name].decode()
    ),
    "cadata bytes": lambda world, context, name: context.load_verify_locations(
        cadata=der_of(world.supplies.contents[name])
    ),
    "cadata damaged": lambda world, context, name: context.load_verify_locations(
        cadata=der_of(world.supplies.contents[name])[:-1]
    ),
    "cadata buffer": lambda world, context, name: context.load_verify_locations(
        cadata=bytearray(der_of(world.supplies.contents[name]))
    ),
    "directory": lambda world, context, name: context.load_verify_locations(
        capath=world.path("hashed")
    ),
    "file and data": lambda world, context, name: context.load_verify_locations(
        world.path(name), cadata=world.supplies.contents["other.pem"].decode()
    ),
    "file and directory": lambda world, context, name: context.load_verify_locations(
        world.path(name), world.path("hashed")
    ),
    "default paths": lambda world, context, name: context.set_default_verify_paths(),
    "default certificates": lambda world, context, name: context.load_default_certs(),
    "default for clients": lambda world, context, name: context.load_default_certs(
        ssl.Purpose.CLIENT_AUTH
    ),
}


def load(world: World, number: int, form: str, name: str, warm: bool) -> None:
    """Load authorities into a context."""
    if warm and world.play.is_on:
        with _unnoticed():
            FORMS[form](world, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), name)
    context = world.context(number)
    FORMS[form](world, context, name)
    if form == "text" and name in SOUND:
        world.loaded.add(id(context))


def load_from_pipe(world: World, number: int, name: str) -> None:
    """Load what can be read once only."""
    reading, writing = os.pipe()
    os.write(writing, world.supplies.contents[name])
    os.close(writing)
    try:
        world.context(number).load_verify_locations(f"/dev/fd/{reading}")
    finally:
        os.close(reading)


MISUSES: dict[str, Callable[[ssl.SSLContext, str], object]] = {
    "nothing": lambda context, path: context.load_verify_locations(),
    "three times None": lambda context, path: context.load_verify_locations(None, None, None),
    "number": lambda context, path: context.load_verify_locations(7),  # type: ignore[arg-type]
    "unknown keyword": lambda context, path: context.load_verify_locations(
        file=path  # type: ignore[call-arg]
    ),
    "too many": lambda context, path: context.load_verify_locations(
        path,
        None,
        None,
        None,  # type: ignore[call-arg]
    ),
    "twice": lambda context, path: context.load_verify_locations(
        path,
        cafile=path,  # type: ignore[misc]
    ),
    "null": lambda context, path: context.load_verify_locations(path + "\0"),
    "lone surrogate": lambda context, path: context.load_verify_locations(path + "\ud800"),
    "empty path": lambda context, path: context.load_verify_locations(""),
    "folder": lambda context, path: context.load_verify_locations(os.path.dirname(path)),
    "data of another type": lambda context, path: context.load_verify_locations(
        path,
        cadata=object(),  # type: ignore[arg-type]
    ),
    "empty text": lambda context, path: context.load_verify_locations(cadata=""),
    "empty bytes": lambda context, path: context.load_verify_locations(cadata=b""),
    "text not ASCII": lambda context, path: context.load_verify_locations(cadata="é"),
    "directory that is none": lambda context, path: context.load_verify_locations(capath=path),
    "directory of another type": lambda context, path: context.load_verify_locations(
        path,
        7,  # type: ignore[arg-type]
    ),
    "default paths of something": lambda context, path: context.set_default_verify_paths(
        path  # type: ignore[call-arg]
    ),
    "default certificates of nothing": lambda context, path: context.load_default_certs(
        path  # type: ignore[arg-type]
    ),
    "copy": lambda context, path: copy.copy(context),
    "deep copy": lambda context, path: copy.deepcopy(context),
    "pickle": lambda context, path: pickle.dumps(context),
    "look with a number": lambda context, path: context.get_ca_certs(
        1,
        2,  # type: ignore[call-overload]
    ),
}


def misuse(world: World, number: int, misuse: str) -> None:
    """Call what must fail, or must be told from what it looks like."""
    MISUSES[misuse](world.context(number), world.path("good.pem"))


def rewrite(world: World, name: str, content: str, manner: str) -> None:
    """Change a file behind the back of those who have loaded it."""
    path = Path(world.path(name))
    fresh = world.supplies.contents[content]
    _await_tick(world.folder / "tick")
    if manner == "replaced":
        other = path.with_suffix(".new")
        other.write_bytes(fresh)
        other.replace(path)
    elif manner == "removed":
        path.unlink(missing_ok=True)
    elif manner == "relinked":
        link = path.with_name("link.new")
        link.symlink_to(content)
        link.replace(path.with_name("link.pem"))
    else:
        _rewrite_in_place(path, fresh, manner)


def _await_tick(path: Path) -> None:
    """Let the clock of the file system go on, which on some goes in milliseconds."""
    path.touch()
    before = path.stat().st_ctime_ns
    while before == path.stat().st_ctime_ns:
        path.touch()


def _rewrite_in_place(path: Path, fresh: bytes, manner: str) -> None:
    before = path.stat() if path.exists() else None
    size = before.st_size if before and manner != "written" else 0
    path.write_bytes(fresh.ljust(size, b"\n"))
    if before and manner == "times kept":
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def set_default_paths(world: World, name: str, directory: str) -> None:
    """Move what OpenSSL takes for its default paths."""
    world.monkeypatch.setenv("SSL_CERT_FILE", world.path(name))
    world.monkeypatch.setenv("SSL_CERT_DIR", world.path(directory))


def _key_log(world: World, context: ssl.SSLContext) -> list[str] | None:
    path: Any = context.keylog_filename
    # Whether an older context has a certificate is found out by a handshake in memory, which the
    # key log shows where there is one.
    if path is None or id(context) in world.owned:
        return None
    lines = Path(os.fsdecode(path)).read_text().splitlines()
    return sorted(line.split()[0] for line in lines)


LOOKS: dict[str, Callable[[World, ssl.SSLContext], object]] = {
    # Their order tells whether this very store has verified, since OpenSSL sorts it then.
    "certificates": lambda world, context: sorted(map(repr, context.get_ca_certs())),
    "binary": lambda world, context: sorted(context.get_ca_certs(True)),
    "binary by name": lambda world, context: sorted(context.get_ca_certs(binary_form=True)),
    "stats": lambda world, context: context.cert_store_stats(),
    "ciphers": lambda world, context: [each["name"] for each in context.get_ciphers()],
    "key log": _key_log,
}


def look(world: World, number: int, kind: str) -> object:
    """What the context tells of itself."""
    return LOOKS[kind](world, world.context(number))


CHANGES: dict[str, tuple[str, tuple[object, ...]]] = {
    "verify_mode": ("", (ssl.CERT_NONE, ssl.CERT_OPTIONAL, ssl.CERT_REQUIRED)),
    "check_hostname": ("", (False, False, True)),
    # X509_STRICT has a number that Python 3.9 knows, PARTIAL_CHAIN (0x80000) a name from 3.10 on.
    "verify_flags": ("add", (0x4, 0xC, 0x20, 0x8000, 0x80000)),
    "minimum_version": ("", (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)),
    "maximum_version": ("", (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.MAXIMUM_SUPPORTED)),
    "options": ("add", (int(ssl.OP_NO_TICKET), int(ssl.OP_NO_TLSv1_3))),
    "set_ciphers": (
        "call",
        (
            "DEFAULT",
            "ECDHE+AESGCM",
            "DEFAULT:@SECLEVEL=3",
            "ALL:@SECLEVEL=1",
            "ECDHE-ECDSA-AES128-GCM-SHA256",
            "NONSENSE:@SECLEVEL=3",
            7,
        ),
    ),
    "set_alpn_protocols": ("call", (["h2"], ["http/1.1", "h2"])),
    "keylog_filename": ("path", ("key.log", "other.log")),
    "post_handshake_auth": ("", (True, False)),
    "hostname_checks_common_name": ("", (True, False)),
    "sni_callback": ("", (None,)),
}


def change(world: World, number: int, name: str, value: object) -> object:
    """Set an attribute or call a setter; gives the attribute as it is then."""
    context, kind = world.context(number), CHANGES[name][0]
    if kind == "call":
        return getattr(context, name)(value)
    if kind == "add":
        assert isinstance(value, int)
        current = getattr(context, name)
        setattr(context, name, type(current)(int(current) | value))
    else:
        setattr(context, name, world.path(str(value)) if kind == "path" else value)
    return str(getattr(context, name))
