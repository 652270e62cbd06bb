"""Python imports this at its start where the folder is on PYTHONPATH: test names in a client."""

from __future__ import annotations

import os

# Only where a test asked for names, so that a client process otherwise starts with nothing loaded.
if "TEST_LOOPBACK_NAMES" in os.environ:
    from tests.support.names import install_from

    install_from(os.environ)
