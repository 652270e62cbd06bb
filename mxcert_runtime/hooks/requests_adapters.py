"""requests: its errors say why in their last line; its own context has default trust.

2.32 makes that context when it is imported, which may be before us.
"""

from __future__ import annotations

import sys
from typing import Any

from ..contexts import file_load
from ..contexts.ledger import ledger
from ..diagnosis import sum_up
from .known_versions import KNOWN
from .patching import Library, Patch, attribute_of, wrapping


def _send(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    handled = sys.exc_info()[1]
    try:
        return wrapped(*args, **kwargs)
    except Exception as error:
        sum_up(error, handled)
        raise


def _patches() -> tuple[Patch, ...]:
    """Everything else of requests is urllib3's."""
    return (Patch(attribute_of("requests.adapters", "HTTPAdapter"), "send", wrapping(_send)),)


def _adopt_default_context() -> None:
    adapters, utils = attribute_of("requests.adapters")(), attribute_of("requests.utils")()
    context = getattr(adapters, "_preloaded_ssl_context", None)
    if context is not None:
        bundle = utils.extract_zipped_paths(utils.DEFAULT_CA_BUNDLE_PATH)
        ledger.adopt_default(context, file_load(bundle))


LIBRARY = Library(
    module="requests.adapters",
    patches=_patches,
    version_module="requests",
    versions=KNOWN["requests"].versions,
    prepare=_adopt_default_context,
)
