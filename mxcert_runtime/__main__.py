"""``python -m mxcert_runtime`` is the command ``mxcert``."""

from __future__ import annotations

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
