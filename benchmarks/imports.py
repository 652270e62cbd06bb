"""What the import without settings costs, beside ``import ssl``.

``import mxcert_runtime`` loads no ``ssl`` by itself, so the budget is for what a program sees that
uses TLS anyway: both imports beside the one.
"""

from __future__ import annotations

from pyperf import perf_counter  # type: ignore[import-untyped]

from .interpreters import in_one_worker, interpreting, program
from .measure import Effort, Figure, Side, alternate
from .workers import by_hand

NAME = "imports"
WORKERS = 1

_HEAVY = ("OpenSSL", "cryptography", "urllib3", "wrapt")
_UNLOADED = f"""
loaded = [name for name in {_HEAVY!r} if name in sys.modules]
if loaded:
    sys.exit(f"the import loads {{', '.join(loaded)}}")
"""

_SSL = "import ssl"
_OURS = "import mxcert_runtime"
_BOTH = "import ssl, mxcert_runtime"

#: Without `site`, whose .pth files may load this or that before the clock starts.
_OPTIONS = ("-S",)


def _importing(source: str) -> Side:
    timed = interpreting(program(source, check=_UNLOADED), options=_OPTIONS)
    return Side(source, timed)


def _whole_process(source: str) -> Side:
    """The interpreter's start and end as well."""
    run = interpreting(program(source), options=_OPTIONS)

    def timed(loops: int) -> float:
        start = perf_counter()
        run(loops)
        elapsed: float = perf_counter() - start
        return elapsed

    return Side(f"python -c '{source}'", timed)


def measure(effort: Effort) -> list[Figure]:
    """The import beside ``ssl``, by itself, and with the interpreter around it."""
    repeated = in_one_worker(effort)
    both, ssl = _importing(_BOTH), _importing(_SSL)
    whole, whole_ssl = _whole_process(_BOTH), _whole_process(_SSL)
    return [
        alternate("import without settings", both, ssl, repeated, loops=1),
        alternate("import without settings, alone", _importing(_OURS), ssl, repeated, loops=1),
        alternate("whole process", whole, whole_ssl, repeated, loops=1),
    ]


if __name__ == "__main__":
    by_hand(NAME)
