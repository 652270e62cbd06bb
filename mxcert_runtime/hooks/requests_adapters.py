"""requests 2.32: makes a context with default trust when it is imported, which may be before us."""

from __future__ import annotations

from ..contexts import file_load
from ..contexts.ledger import ledger
from .patching import Library, Patch, attribute_of


def _patches() -> tuple[Patch, ...]:
    """None: everything else of requests is urllib3's."""
    return ()


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
    versions=("2.28", "3"),
    prepare=_adopt_default_context,
)
