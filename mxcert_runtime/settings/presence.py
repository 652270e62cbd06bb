"""Whether there are settings at all, told without reading them and without a single import more.

Every import of the package runs this, with settings or without: nothing here may import what a
bare interpreter has not loaded already. It may say yes too often, never no: what it takes for
settings is read in :mod:`.loading`, which may find that nothing is set.
"""

from __future__ import annotations

import os

from . import names, scalars

# The `typing` module costs more than all of this; type checkers know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def is_disabled(environ: Mapping[str, str]) -> bool:
    """Whether ``MXCERT_DISABLE=1`` says that there are no settings, whatever else is set."""
    return environ.get(names.DISABLE) == "1"


def mentions_settings(environ: Mapping[str, str], default_file: str = names.DEFAULT_FILE) -> bool:
    """Whether the environment or the default file gives settings, or tries to.

    A variable that is set to nothing does not count. A name in ``MXCERT_`` that nobody knows does:
    a typing error must not read as "no settings" without a word.
    """
    if is_disabled(environ):
        return False
    # Looked up, not iterated: on Windows iteration gives every name in upper case.
    return (
        any(environ.get(name) or environ.get(names.RUNTIME_PREFIX + name) for name in names.FAMILY)
        or any(environ.get(name) for name in names.INLINE)
        or _mentions_family(environ.get(names.CUSTOM, ""))
        or any(_is_setting_of_ours(name) and environ.get(name) for name in environ)
        or bool(near_misses(environ))
        or os.path.lexists(default_file)
    )


def _mentions_family(text: str) -> bool:
    """Whether a text names a setting of the family, or one that was meant for it, in quotes."""
    return any(name in text for name in names.FAMILY) or any(
        meant_in_record(each) for each in text.split('"')[1::2]
    )


def _is_setting_of_ours(name: str) -> bool:
    return name.startswith(names.PREFIX) and not names.is_ours_elsewhere(name)


def near_misses(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Variables that are no settings, and the name of the one that each was surely meant to be.

    Names of ours with a typing error in them are not among them: the prefix tells those.
    """
    found = []
    for name in environ:
        upper = name.upper()
        if not any(kernel in upper for kernel in _KERNELS):
            continue
        meant = _meant_variable(name)
        if meant is None or not environ[name].strip():
            continue
        # On Windows a variable has its name in any case.
        if environ.get(meant) != environ[name] and _is_plausible(meant, environ[name]):
            found.append((name, meant))
    return found


def meant_in_record(key: str) -> str | None:
    """The setting that a key among the platform's settings was surely meant to be."""
    if key in names.FAMILY:
        return None
    return _nearly(_folded(key), _FAMILY)


# One slip leaves at least one of them as it is.
_KERNELS = ("CERT", "FICAT", "CUSTOM", "RUNTIME")

# Letter case, what joins words, and singular or plural are what people get wrong most.
_IGNORED = {ord(each): None for each in "_-. S"}


def _folded(name: str) -> str:
    return name.upper().translate(_IGNORED)


_FAMILY = {_folded(name): name for name in names.FAMILY}
_FAMILY[_folded(names.OLDER_USAGES)] = names.USAGES
_OTHERS = {_folded(name): name for name in (*names.INLINE[1:], names.CUSTOM)}
_OURS = {_folded(name): name for name in (*scalars.WITH_FILE, names.CONFIG, *names.OTHER_USES)}
_EXACT = {*names.INLINE, names.CUSTOM, *names.FAMILY}
_EXACT.update(names.RUNTIME_PREFIX + name for name in names.FAMILY)
_RUNTIME_PREFIX, _FILE_SUFFIX = _folded(names.RUNTIME_PREFIX), _folded(names.FILE_SUFFIX)
#: with words joined by underscores, other programs have names like these for what is theirs
_COMMON = (names.CERTIFICATES, names.AUTHORITIES)


def _meant_variable(name: str) -> str | None:
    if name in _EXACT or name.startswith(names.PREFIX):
        return None
    folded = _folded(name)
    if folded in _OURS:
        return _OURS[folded]
    is_prefixed = folded.startswith(_RUNTIME_PREFIX)
    stem = folded[len(_RUNTIME_PREFIX) :] if is_prefixed else folded
    is_file = stem.endswith(_FILE_SUFFIX)
    meant = _nearly(stem[: -len(_FILE_SUFFIX)] if is_file else stem, _FAMILY)
    if meant is not None and not is_prefixed and meant in _COMMON and "_" in name.strip("_"):
        is_inline = not is_file and name.upper() == names.INLINE_CERTIFICATES
        return names.INLINE_CERTIFICATES if is_inline else None
    if meant is None:
        return _nearly(folded, _OTHERS)
    if is_file:
        return names.FAMILY[meant] + names.FILE_SUFFIX
    return names.RUNTIME_PREFIX + meant if is_prefixed else meant


def _is_plausible(meant: str, value: str) -> bool:
    """Whether a value can be one of ours: other settings live in that one variable too."""
    return meant != names.CUSTOM or _mentions_family(value)


def _nearly(folded: str, known: Mapping[str, str]) -> str | None:
    if folded in known:
        return known[folded]
    return next((name for each, name in known.items() if _is_one_slip(folded, each)), None)


def _is_one_slip(one: str, other: str) -> bool:
    """Whether a letter more, less or other, or two letters turned around, make the difference."""
    if not -2 < len(one) - len(other) < 2:
        return False
    shorter, longer = (one, other) if len(one) <= len(other) else (other, one)
    at = next((n for n, each in enumerate(shorter) if each != longer[n]), len(shorter))
    if len(shorter) < len(longer):
        return shorter[at:] == longer[at + 1 :]
    is_turned = shorter[at : at + 2] == longer[at : at + 2][::-1]
    return shorter[at + 1 :] == longer[at + 1 :] or (
        is_turned and shorter[at + 2 :] == longer[at + 2 :]
    )
