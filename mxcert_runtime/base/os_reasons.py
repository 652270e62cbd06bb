"""Why the operating system refuses something, in its own words."""

from __future__ import annotations


def reason_of(error: OSError | ValueError) -> str:
    """What the system says of an error: nothing of a path, which may hold a secret.

    A ValueError is one of a text that can be no path, such as one with a NUL in it.
    """
    return getattr(error, "strerror", None) or type(error).__name__
