"""tornado's client by curl: a request that waits for a handle keeps the service it was made for.

The handle becomes free, and takes the request, in the callback of another request.
"""

from __future__ import annotations

from typing import Any

from ...decisions.current_service import current_service
from ..patching import Library, Patch, attribute_of, wrapping
from .handles import SERVICE, FollowedHandle


def _fetch(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    request = args[0] if args else kwargs.get("request")
    if request is not None:
        setattr(request, SERVICE, current_service.get())
    return wrapped(*args, **kwargs)


def _set_up(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    result = wrapped(*args, **kwargs)
    curl, request = args[:2]
    if isinstance(curl, FollowedHandle) and SERVICE in vars(request):
        vars(curl)[SERVICE] = vars(request)[SERVICE]
    return result


def _patches() -> tuple[Patch, ...]:
    owner = attribute_of("tornado.curl_httpclient", "CurlAsyncHTTPClient")
    return (
        Patch(owner, "fetch_impl", wrapping(_fetch)),
        Patch(owner, "_curl_setup_request", wrapping(_set_up)),
    )


# It has no `__version__`.
LIBRARY = Library("tornado.curl_httpclient", _patches)
