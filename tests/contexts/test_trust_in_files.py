"""What changes in a directory or file that a context trusts counts as it does without us."""

from __future__ import annotations

import os

from tests.contexts.ground import FOREIGN, GOOD, Activation, Ground
from tests.contexts.trust_modes import new_context, plain_ground
from tests.contexts.verdicts import attempt
from tests.support.tls_server import TlsServer


def _capath_removed(ground: Ground, server: TlsServer) -> list[bool]:
    directory = ground.directory(ground.realm.authority)
    contexts = [new_context() for _ in range(2)]
    for context in contexts:
        context.load_verify_locations(capath=directory)
    used = attempt(contexts[0], server.port, GOOD)
    ground.directory()  # the authority is withdrawn
    contexts.append(new_context())
    contexts[2].load_verify_locations(capath=directory)
    later = [attempt(context, server.port, GOOD) for context in contexts]
    return [each.accepted for each in (used, *later)]


def test_authority_withdrawn_from_a_directory(
    ground: Ground, server: TlsServer, activate: Activation
) -> None:
    """What one context found in a directory does not count for another that looks later."""
    plain = _capath_removed(plain_ground(ground), server)
    assert [True, True, False, False] == plain
    activate()
    assert plain == _capath_removed(ground, server)


def _default_paths_of_two(ground: Ground, server: TlsServer) -> list[bool]:
    empty = ground.directory(name="empty")
    trusted = ground.directory(ground.realm.authority, name="trusted")
    foreign = ground.directory(ground.realm.foreign, name="foreign")
    verdicts = []
    for directory in (trusted, foreign):
        ground.default_paths(directory=f"{directory}:{empty}")
        context = new_context()
        context.load_default_certs()
        verdicts += [attempt(context, server.port, host) for host in (GOOD, FOREIGN)]
    return [each.accepted for each in verdicts]


def test_default_directories_of_two_contexts(
    ground: Ground, server: TlsServer, activate: Activation
) -> None:
    """SSL_CERT_DIR may list directories; another list is another trust."""
    plain = _default_paths_of_two(plain_ground(ground), server)
    assert [True, False, False, True] == plain
    activate()
    assert plain == _default_paths_of_two(ground, server)


def _same_size(ground: Ground) -> tuple[bytes, bytes]:
    one, other = ground.realm.authority.pem, ground.realm.foreign.pem
    size = max(len(one), len(other))
    return one.ljust(size, b"\n"), other.ljust(size, b"\n")


def test_file_rewritten_with_its_times_kept(
    ground: Ground, server: TlsServer, activate: Activation
) -> None:
    """A file rewritten in place, of the same size and time, is told apart all the same."""
    trusted, foreign = _same_size(ground)
    path = ground.file(trusted)
    activate()
    context = new_context()
    context.load_verify_locations(path)
    before = path.stat()
    path.write_bytes(foreign)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert attempt(context, server.port, GOOD).accepted
    assert not attempt(context, server.port, FOREIGN).accepted


def test_file_rewritten_at_once(ground: Ground, server: TlsServer, activate: Activation) -> None:
    """A file rewritten within a tick of the file system's clock is told apart all the same."""
    trusted, foreign = _same_size(ground)
    activate()
    verdicts = set()
    for number in range(20):
        path = ground.file(trusted, f"{number}.pem")
        context = new_context()
        context.load_verify_locations(path)
        path.write_bytes(foreign)
        verdicts.add(
            (
                attempt(context, server.port, GOOD).accepted,
                attempt(context, server.port, FOREIGN).accepted,
            )
        )
    assert {(True, False)} == verdicts
