"""What tells the URI of a key in a token from a path, apart from the rest: every path is asked."""

from __future__ import annotations

SCHEME = "pkcs11:"


def is_token_uri(text: str) -> bool:
    """Whether a text that may be a path is meant as such a URI."""
    return text[: len(SCHEME)].lower() == SCHEME
