"""Texts of others in what we write: shown, never obeyed.

A setting, a host or a certificate's subject may hold anything, such as a line break that makes one
record of a log two, or what a terminal takes for an order.
"""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with an escape, such as ``\\x1b``, for each character that does not print.

    Those are control and formatting characters (ESC, line breaks, those that turn the direction of
    writing around), lone surrogates, and separators other than the space: what ``str.isprintable``
    tells apart.
    """
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in text
    )
