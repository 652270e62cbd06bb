"""Runs in the client's process: takes one call after the other from its parent, and tells the end.

The first line of its input describes the program, each further one a call. Nothing of the tests is
imported here, and of the plugin only what the description says.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import socket
import sys
import textwrap
from typing import Any


def _service(name: str | None) -> Any:
    if name is None or "mxcert_runtime" not in sys.modules:
        return contextlib.nullcontext()
    return sys.modules["mxcert_runtime"].service(name)


def _run(source: str, namespace: dict[str, Any]) -> None:
    exec(compile(textwrap.dedent(source), "<program>", "exec"), namespace)  # noqa: S102


def _import_plugin() -> None:
    import mxcert_runtime

    assert mxcert_runtime.is_active()


def _answer(call: Any, loop: Any, step: dict[str, Any]) -> str | None:
    """What a call failed with; ``None`` where it did not."""
    try:
        with _service(step["service"]):
            result = call(step["host"], step["port"])
            if inspect.isawaitable(result):
                loop.run_until_complete(asyncio.wait_for(result, 30))
    except (Exception, SystemExit) as error:
        return f"{type(error).__name__}: {error}"[:300]
    return None


def main() -> None:
    """Do what the parent says, until it says nothing any more."""
    # The program may print.
    say, sys.stdout = sys.stdout, sys.stderr
    description = json.loads(sys.stdin.readline())
    # What stands in for name servers reads its file at the first lookup and is not made for two at
    # once, which libcurl's threads may be.
    socket.getaddrinfo("localhost", 1)
    if description["plugin"] == "first":
        _import_plugin()
    namespace: dict[str, Any] = {"__name__": "program"}
    _run(description["imports"], namespace)
    if description["plugin"] == "last":
        _import_plugin()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    _run(description["program"], namespace)
    print("ready", file=say, flush=True)
    for line in iter(sys.stdin.readline, ""):
        failed = _answer(namespace["call"], loop, json.loads(line))
        print(json.dumps(failed), file=say, flush=True)


if __name__ == "__main__":
    main()
