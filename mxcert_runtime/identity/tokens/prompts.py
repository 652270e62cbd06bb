"""No program is asked for a PIN on its terminal, or on what is its standard input.

Where a PIN is missing, or was refused by the token, OpenSSL's provider asks whoever sits there; a
service would wait for ever, and a filter would lose a line of its input.
"""

from __future__ import annotations

import ctypes
from typing import Any

from ..libcrypto import libcrypto

_POINTER, _TEXT = ctypes.c_void_p, ctypes.c_char_p
#: what makes the words of a question; a question without words is not asked
_Constructor = ctypes.CFUNCTYPE(_POINTER, _POINTER, _TEXT, _TEXT)
_PARTS = ("opener", "writer", "flusher", "reader", "closer")
#: for as long as OpenSSL may call it
_kept: list[Any] = []


def refuse_pin_prompts() -> None:
    """Let every question of OpenSSL through that is none for a PIN, as it was put before."""
    library = libcrypto()
    library.UI_get_default_method.restype = library.UI_create_method.restype = _POINTER
    old = library.UI_get_default_method()
    new = library.UI_create_method(b"without PINs")
    for part in _PARTS:
        getter = getattr(library, f"UI_method_get_{part}")
        getter.restype, getter.argtypes = _POINTER, (_POINTER,)
        setter = getattr(library, f"UI_method_set_{part}")
        setter.argtypes = (_POINTER, _POINTER)
        setter(new, getter(old))
    library.CRYPTO_strdup.restype = _POINTER
    library.CRYPTO_strdup.argtypes = (_TEXT, _TEXT, ctypes.c_int)
    _kept.append(_Constructor(_words_of))
    library.UI_method_set_prompt_constructor.argtypes = (_POINTER, _Constructor)
    library.UI_method_set_prompt_constructor(new, _kept[0])
    library.UI_set_default_method.argtypes = (_POINTER,)
    library.UI_set_default_method(new)


def _words_of(interface: int, what: bytes | None, of: bytes | None) -> int | None:
    """As OpenSSL's own constructor makes them, which cannot be called from here."""
    if what == b"PIN":
        return None
    text = b"Enter " + (what or b"") + (b" for " + of if of else b"") + b":"
    copied: int | None = libcrypto().CRYPTO_strdup(text, b"", 0)
    return copied
