"""RC2 in CBC mode (RFC 2268), to decrypt what Windows and old OpenSSL put into PKCS12 files.

No library that this package has does it: cryptography knows RC2 with 128 bits only, and OpenSSL 3
has it in a provider that not every build can load. It protects nothing here; it only opens files.
"""

from __future__ import annotations

from ...base import Secret

_BLOCK = 8

#: RFC 2268, section 2: a permutation of the bytes that comes from the digits of pi
_PI_TABLE = bytes.fromhex(
    "d978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2"
    "179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf09521225c6b4e82"
    "54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626"
    "6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed7"
    "08e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ec"
    "c2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731"
    "2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a9"
    "0d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad"
)
#: RFC 2268, section 4, backwards: the kinds of round, and how far the words turn
_ROUNDS = ("mix",) * 5 + ("mash",) + ("mix",) * 6 + ("mash",) + ("mix",) * 5
_TURNS = (1, 2, 3, 5)


def decrypt_rc2_cbc(key: Secret[bytes], vector: bytes, data: bytes) -> Secret[bytes]:
    """The plain text of whole blocks, its padding included; the key has 5 or 16 bytes."""
    words = _expand(key)
    before = [vector, *(data[at : at + _BLOCK] for at in range(0, len(data), _BLOCK))]
    return Secret(
        b"".join(
            (int.from_bytes(_decrypt(words, block), "big") ^ int.from_bytes(last, "big")).to_bytes(
                _BLOCK, "big"
            )
            for last, block in zip(before, before[1:])
        )
    )


def _expand(key: Secret[bytes]) -> tuple[int, ...]:
    """RFC 2268, section 2, where the effective length is that of the key."""
    length = len(key.reveal())
    expanded = bytearray(key.reveal())
    for at in range(length, 128):
        expanded.append(_PI_TABLE[(expanded[at - 1] + expanded[at - length]) & 0xFF])
    expanded[128 - length] = _PI_TABLE[expanded[128 - length]]
    for at in range(127 - length, -1, -1):
        expanded[at] = _PI_TABLE[expanded[at + 1] ^ expanded[at + length]]
    return tuple(int.from_bytes(expanded[at : at + 2], "little") for at in range(0, 128, 2))


def _decrypt(words: tuple[int, ...], block: bytes) -> bytes:
    parts = [int.from_bytes(block[at : at + 2], "little") for at in range(0, _BLOCK, 2)]
    position = 63
    for kind in _ROUNDS:
        for at in (3, 2, 1, 0):
            if kind == "mash":
                parts[at] = (parts[at] - words[parts[at - 1] & 63]) & 0xFFFF
                continue
            turn, part = _TURNS[at], parts[at]
            part = (part >> turn | part << 16 - turn) & 0xFFFF
            chosen = parts[at - 1] & parts[at - 2]
            other = ~parts[at - 1] & parts[at - 3]
            parts[at] = (part - words[position] - chosen - other) & 0xFFFF
            position -= 1
    return b"".join(part.to_bytes(2, "little") for part in parts)
