"""``ftplib``: a data connection goes by the decision of its control connection.

It leads to another port, and may be opened when the code names another service; for the server
both are one client, and many refuse a transfer by another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...base import host_dialled
from ...decisions import dialling
from ...decisions.current_service import current_service
from ..patching import Library, Patch, attribute_of, wrapping
from .attempts import attempt_of


def _ntransfercmd(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    if not isinstance(instance.host, str):
        return wrapped(*args, **kwargs)
    leg = dialling(host_dialled(instance.host), instance.port)
    with _in_service_of(instance.sock), leg:
        return wrapped(*args, **kwargs)


@contextmanager
def _in_service_of(control: Any) -> Iterator[None]:
    attempt = attempt_of(control)
    # One that is in clear again (`ccc`) has forgotten what it was opened for.
    service = current_service.get() if attempt is None else attempt.service
    entry = current_service.set(service)
    try:
        yield
    finally:
        current_service.reset(entry)


def _patches() -> tuple[Patch, ...]:
    owner = attribute_of("ftplib", "FTP_TLS")
    return (Patch(owner, "ntransfercmd", wrapping(_ntransfercmd)),)


LIBRARY = Library("ftplib", _patches)
