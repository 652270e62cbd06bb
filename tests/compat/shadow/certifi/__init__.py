"""Stands in for certifi in a client process: its bundle is the one that the measurement names."""

from __future__ import annotations

import os
from pathlib import Path


def where() -> str:
    """The bundle of the measurement."""
    return os.environ["SSL_CERT_FILE"]


def contents() -> str:
    """What is in it."""
    return Path(where()).read_text(encoding="ascii")
