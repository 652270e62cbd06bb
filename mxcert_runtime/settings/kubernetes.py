"""A Kubernetes resource with ``runtime.clientCertificates``; the rest of a resource is not ours."""

from __future__ import annotations

from ..base import OriginKind, Secret
from . import names
from .draft import Draft, Place
from .identifiers import shown
from .inline_entries import Fields, add_entries, decoded, utf_8
from .presence import meant_in_record
from .table import Table
from .values import Record, kind_of

_LIST = "clientCertificates"


def read(document: Record, place: Place) -> Draft:
    """The identities of the list."""
    draft = Draft()
    origin = place.origin.at(f"runtime.{_LIST}").of_kind(OriginKind.INLINE)
    at = place.elsewhere(origin).telling(draft.identity_findings)
    add_entries(_items(document, at), at, _FIELDS, draft)
    return draft


def _items(document: Record, place: Place) -> list[object]:
    inside = [document, document.get("spec")]
    runtimes = [one.get("runtime") for one in inside if isinstance(one, Record)]
    lists = [
        one[_LIST] for one in runtimes if isinstance(one, Record) and one.get(_LIST) is not None
    ]
    for one in runtimes:
        _warn_of_near_misses(one, place)
    if len(lists) > 1:
        place.fault("stands twice, under `spec` and without it", "Keep one of the two")
    if not lists:
        problem = "is not there, so this resource gives no certificates"
        place.warn(problem, "Add the list, or name another file")
        return []
    if isinstance(lists[0], list):
        return lists[0]
    place.fault(f"is {kind_of(lists[0])}, not a list", "Write a list of certificates")
    return []


def _warn_of_near_misses(runtime: object, place: Place) -> None:
    for key in runtime if isinstance(runtime, Record) else ():
        if key != _LIST and meant_in_record(key) == names.CERTIFICATES:
            problem = f"stands there as `{shown(key)}`, which changes nothing"
            place.warn(problem, f"Write `{_LIST}`, if that is meant")


def _encoded_password(entry: Table) -> Secret[str] | None:
    text = entry.secret("password")
    content = None if text is None else decoded(text)
    password = None if content is None else utf_8(content)
    place = entry.place.at("password")
    if text is not None and password is None:
        place.fault("is not the base64 of a text", "Encode it: `base64 -w0`")
    if password is not None and password.reveal().endswith("\n"):
        remedy = "Encode it with `printf %s`, which adds no newline as `echo` does"
        place.warn("ends in a newline, which counts", remedy)
    return password


_FIELDS = Fields("key", "pinTo", _encoded_password)
