"""What to do about a file that cannot be read, or that too many may read: how it is written or
mounted says that.

Nothing here shows the path itself, which may be a password in the wrong place.
"""

from __future__ import annotations

import errno
import os
import re
from itertools import islice

from .late_patterns import late_pattern
from .path_text import looks_like_path

#: A settings file has put its folder in front of what it took for a relative path.
_QUOTED = late_pattern(r"""(?:/.*/)?(["'`]).*\1""", re.DOTALL)
_URL = late_pattern(r"(?:/.*/)?file:")
_VARIABLE = late_pattern(r"\$\w|\$\{|%\w+%")
_HOME = late_pattern(r"(?:.*/)?~[^/]*(?:/|$)")
_DRIVE = late_pattern(r"[A-Za-z]:[\\/]|\\\\")
#: names in one remedy
_MOST_SHOWN = 3
_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM})


def remedy_of(path: str, error: OSError | ValueError) -> str:
    """What to do where a file cannot be read."""
    code = getattr(error, "errno", None)
    if code in _ABSENT:
        return _written_wrong(path) or _not_there(path)
    if code in _FORBIDDEN:
        return "Let the user that runs this program read the file" + _by_whom(path)
    if code == errno.EISDIR:
        return "Name the file itself, not the directory that it is in" + _names_in(path)
    return "Make the file readable, or name another one"


def mode_remedy(path: str) -> str:
    """What to do where more may read a file than need to."""
    if is_kubernetes_volume(path):
        return (
            f"Let only the user that runs the program read it: {_volume_mode()}, in Kubernetes,"
            " where `chmod` cannot change it"
        )
    if _is_read_only(path):
        return (
            "Let only the user that runs the program read it, where it is mounted, which is"
            f" read-only here: {_volume_mode()}, in Kubernetes, or `uid` and `mode: 0400` of a"
            " Docker secret"
        )
    return "Let only the user that runs the program read it: `chmod 600`"


def _volume_mode() -> str:
    """Files of such a volume are root's, so that another user reads them by the group alone."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return "`defaultMode: 0400` of its volume"
    return "`defaultMode: 0440` of its volume with `fsGroup` of the pod"


def is_kubernetes_volume(path: str) -> bool:
    """Whether the kubelet has put a file there: the root of such a volume has a link ``..data``.

    A path may lead there by links of its own.
    """
    folder = os.path.dirname(os.path.realpath(path)) if "\0" not in path else ""
    while folder and folder != os.path.dirname(folder):
        if os.path.islink(os.path.join(folder, "..data")):
            return True
        folder = os.path.dirname(folder)
    return False


def _written_wrong(path: str) -> str | None:
    """What whoever wrote the path took for granted, and nobody does here."""
    if _QUOTED.fullmatch(path):
        return "Take the quotes out, which count here; `docker run --env-file` keeps them"
    if _URL.match(path):
        return "Write the path alone, without `file:`"
    if _HOME.match(path):
        return "Write the folder in full: `~` is not expanded in settings"
    if _VARIABLE.search(path):
        return "Write the value in full: variables are not expanded in settings"
    if os.name != "nt" and (_DRIVE.match(path) or "\\" in path):
        return (
            "Write the path that the file has on this system: this one is of Windows, and a"
            " backslash separates nothing here"
        )
    return None


def _not_there(path: str) -> str:
    if not os.path.isabs(path):
        return (
            "Write an absolute path: a relative one is looked for from the working directory, which"
            f" is {_working_directory()}"
        )
    if os.path.islink(path):
        return "Put the file there to which the link leads, or correct the path"
    same = _other_case(path)
    if same:
        return f"Write `{same}`, if that is meant: upper and lower case differ here"
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        return "Correct the path, or put the file there: its folder is not there either"
    return "Correct the path, or put the file there"


def _working_directory() -> str:
    try:
        return f"`{os.getcwd()}`"
    except OSError:
        return "gone"


def _other_case(path: str) -> str | None:
    folder, name = os.path.split(path)
    return next((each for each in _listed(folder) if each.lower() == name.lower()), None)


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _names_in(folder: str) -> str:
    """Files that may be meant, as where a secret was mounted as a folder."""
    likely = (f"`{each}`" for each in _listed(folder) if looks_like_path(each))
    names = ", ".join(islice(likely, _MOST_SHOWN))
    return f", such as {names} in it" if names else ""


def _by_whom(path: str) -> str:
    """The user, since within a container it may be another than one thinks; and how."""
    user = f", which is {os.geteuid()}" if hasattr(os, "geteuid") else ""
    folder = _closed_folder(path)
    if folder:
        return f"{user}, and enter the folder `{folder}`"
    if is_kubernetes_volume(path):
        return (
            f"{user}: by `defaultMode: 0440` of the volume with `fsGroup` of the pod, in Kubernetes"
        )
    return user


def _closed_folder(path: str) -> str | None:
    """The first folder above a file that this user may not enter."""
    folders = []
    folder = os.path.dirname(os.path.abspath(path))
    while folder != os.path.dirname(folder):
        folders.append(folder)
        folder = os.path.dirname(folder)
    return next((each for each in reversed(folders) if not os.access(each, os.X_OK)), None)


def _is_read_only(path: str) -> bool:
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except (AttributeError, OSError, ValueError):  # Windows has neither
        return False
