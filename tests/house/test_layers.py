"""The structure of the package: who may import whom, and who alone may touch what."""

from __future__ import annotations

import ast
import functools
import importlib
import itertools
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter

import pytest

from tests.house.modules import (
    PACKAGE,
    ROOT,
    imports,
    modules,
    named_modules,
    nodes,
    offenders,
    sources,
)
from tests.support.subprocesses import run_client

#: A module imports only from rows below its own, as in ARCHITECTURE.md. ``name/*`` is a package
#: whose modules may also import each other, without a cycle; its ``__init__`` belongs to its row.
LAYERS = """
__main__
__init__
_face
cli/*
start/*
hooks/*
diagnosis/*
connections/*
telemetry, prometheus
monitoring/*
decisions/*
contexts/*
settings/*
sources
identity/*
base/*
"""

#: what no hook may need, since a program need not have it
LIBRARIES = (
    *(
        "OpenSSL",
        "aiohttp",
        "amqp",
        "cassandra",
        "gevent",
        "grpc",
        "httpcore",
        "httpx",
        "ldap3",
        "oracledb",
        "pytds",
    ),
    *("pycurl", "requests", "urllib3", "uvloop", "zeep"),
)


def _rows() -> list[list[str]]:
    return [row.split(", ") for row in LAYERS.split("\n") if row]


def _entry(module: str) -> str:
    """How the table calls a module: by its name, or by the package that it is in."""
    if module == "errors":
        return "base/*"  # it stands outside of that room only for whoever catches them
    first, _, rest = module.partition(".")
    return f"{first}/*" if rest or (ROOT / first).is_dir() else first


@functools.cache
def _row_of(entry: str) -> int:
    return next((number for number, row in enumerate(_rows()) if entry in row), -1)


def test_every_module_has_a_layer() -> None:
    """A new module is put into the table."""
    assert [] == [module for module in modules() if _row_of(_entry(module)) < 0]


def test_every_layer_has_a_module() -> None:
    """The table names nothing that has gone; parts of the product that are to come excepted."""
    entries = {_entry(module) for module in modules()} | {"cli/*", "__main__"}
    assert [] == [entry for row in _rows() for entry in row if entry not in entries]


def _from_above(module: str) -> list[str]:
    """What a module imports from its own row and those above it, its package excepted."""
    own = _entry(module)
    return sorted(
        each
        for each in imports(module)
        if _row_of(_entry(each)) <= _row_of(own)
        and not (own.endswith("/*") and own == _entry(each))
    )


def test_imports_come_from_below() -> None:
    """A module imports from rows below its own, or within its package."""
    assert {} == offenders(_from_above)


def test_decisions_know_no_contexts() -> None:
    """Who gets what is decided without TLS: a generation holds nothing of who carries it out."""
    deciding = [each for each in modules() if each.startswith("decisions.")]
    found = {name for each in deciding for name in imports(each)}
    assert set() == {name for name in found if name.split(".")[0] == "contexts"}


def test_the_search_sees_imports() -> None:
    """The test above would see what it looks for: in functions, under TYPE_CHECKING, relative."""
    assert {"_face", "start.activation", "decisions.explanation"} <= imports("__init__")
    assert {"base", "errors", "settings.model"} <= imports("settings.identifiers")
    assert {"hooks.library", "hooks.stdlib.library"} <= imports("hooks")
    assert "OpenSSL.SSL" in set(named_modules("hooks.pyopenssl.contexts"))


def test_no_import_cycle() -> None:
    """No module imports itself, by whatever way round."""
    graph = {module: imports(module) - {module} for module in modules()}
    assert len(graph) == len(list(TopologicalSorter(graph).static_order()))


#: the others are entered where a program begins: by the ``.pth`` file, the command, the import
FACES = (
    *("base", "connections", "contexts", "decisions"),
    *("diagnosis", "identity", "monitoring", "settings"),
)


def _past_a_face(module: str) -> Iterator[str]:
    """What a module imports out of the files of other rooms."""
    own = _entry(module).partition("/")[0]
    for name in named_modules(module):
        room, _, rest = name[len(PACKAGE) + 1 :].partition(".")
        file, _, thing = rest.rpartition(".")
        # A file that is named for the one thing in it hides that from the face.
        if room in FACES and room != own and file and f"{room}.{thing}" not in sources():
            yield name


def test_rooms_are_entered_by_their_faces() -> None:
    """What is of another room is imported from that room, and named in its ``__all__``.

    The package's own face alone names the files in which public names are defined.
    """
    found = offenders(lambda module: list(_past_a_face(module)))
    assert ["__init__"] == list(found)
    assert "mxcert_runtime.decisions.services.service" in found["__init__"]


def _typed_names(room: str) -> Iterator[tuple[str, str]]:
    """The names that type checkers see in a face, with the file of each; a module has none."""
    for node in nodes(room):
        # Its own files are one level away; what finds the names comes from another room.
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            yield from ((alias.name, node.module or "") for alias in node.names)


@pytest.mark.parametrize("room", FACES)
def test_a_face_has_what_it_says(room: str) -> None:
    """Types, ``__all__`` and files agree, every name is found, and no other one."""
    face = importlib.import_module(f"{PACKAGE}.{room}")
    typed = dict(_typed_names(room))
    files = {name: file for file, names in face._FILES.items() for name in names.split()}
    assert files == {name: file for name, file in typed.items() if file}
    assert sorted(typed) == sorted(face.__all__)
    for name, file in typed.items():
        home = importlib.import_module(f"{PACKAGE}.{room}.{file or name}")
        assert getattr(face, name) is (getattr(home, name) if file else home)
    assert not hasattr(face, "no_such_name")


def _reads_environment(node: ast.AST) -> bool:
    names = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and bool(names & {alias.name for alias in node.names})
    is_of_os = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    return is_of_os and node.attr in names and node.value.id == "os"  # type: ignore[attr-defined]


def test_only_settings_see_the_environment() -> None:
    """``os.environ`` and its like are named in ``base.environ`` alone."""
    readers = [name for name in modules() if any(map(_reads_environment, nodes(name)))]
    assert ["base.environ"] == readers


_DECRYPTION = re.compile(r"load_(\w+_private_key|pkcs12|key_and_certificates)")


def _names_in(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.alias):
        yield node.name


def _all_names(module: str) -> Iterator[str]:
    return itertools.chain.from_iterable(map(_names_in, nodes(module)))


def _decrypts(module: str) -> bool:
    names = _all_names(module)
    return any(map(_DECRYPTION.fullmatch, names))


def test_only_material_decrypts() -> None:
    """What opens a private key is named in ``identity.material`` alone."""
    assert ["identity.material.private_key"] == list(filter(_decrypts, modules()))


def test_only_replacements_import_wrapt() -> None:
    """wrapt is an affair of ``hooks.replacements`` alone."""
    users = [
        module
        for module in modules()
        if any(name.split(".")[0] == "wrapt" for name in named_modules(module))
    ]
    assert ["hooks.replacements"] == users


def test_only_package_log_has_the_logger() -> None:
    """``getLogger`` is named where the package's is found, and where it goes on to others'."""
    users = [name for name in modules() if "getLogger" in _all_names(name)]
    assert ["base.package_log", "cli.probe.steps", "monitoring.log_handlers"] == users


_IMPORT_HOOKS = """
import importlib, json, pkgutil, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[1:]:
            raise ModuleNotFoundError(f"{name} is blocked", name=name)

sys.meta_path.insert(0, Blocker())
import mxcert_runtime.hooks as hooks
names = [module.name for module in pkgutil.walk_packages(hooks.__path__, "mxcert_runtime.hooks.")]
for name in names:
    importlib.import_module(name)
blocked = 0
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        blocked += 1
print(json.dumps([len(names), blocked]))
"""


def test_hooks_need_no_library() -> None:
    """Every hook's module can be imported where the libraries are not installed."""
    imported, blocked = run_client(_IMPORT_HOOKS, *LIBRARIES).json()
    assert imported == len([name for name in modules() if name.startswith("hooks.")])
    assert len(LIBRARIES) == blocked


def test_hooks_load_no_library() -> None:
    """Importing the hooks loads none of the libraries that they are for."""
    script = """
        import json, sys
        import mxcert_runtime.hooks
        print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
    """
    assert set() == set(LIBRARIES) & set(run_client(script).json())
