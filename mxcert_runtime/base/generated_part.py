"""The part of a document that is made by a program, between two marks; the rest is people's."""

from __future__ import annotations


def with_part(document: str, begin: str, part: str, end: str) -> str:
    """A document with this part between its marks.

    Raises ValueError where it has not both marks.
    """
    before, _, rest = document.partition(begin)
    _, mark, after = rest.partition(end)
    if not mark:
        raise ValueError("the document has not both marks")
    return f"{before}{begin}{part}{end}{after}"
