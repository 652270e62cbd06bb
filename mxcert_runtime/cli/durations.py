"""Durations as arguments: ``30d``, ``12h``, ``2w``, and a plain number for days."""

from __future__ import annotations

import argparse
import re
from datetime import timedelta

_DURATION = re.compile(r"([0-9]{1,5}) *([hdw]?)")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def parse_duration(text: str) -> timedelta:
    """The duration that a text gives. Raises ``ArgumentTypeError``, which argparse shows."""
    found = _DURATION.fullmatch(text.strip().lower())
    if found is None:
        rule = "write a number of hours, days or weeks, such as 12h, 30d or 2w; 30 is 30 days"
        raise argparse.ArgumentTypeError(f"{text!r} is no duration: {rule}")
    return int(found[1]) * _UNITS[found[2] or "d"]
