"""``--config FILE`` of the subcommands that read settings: the file, as MXCERT_CONFIG names it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager

from ..base import change_environ, process_environ
from ..settings import names


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the option."""
    parser.add_argument("--config", metavar="FILE", help="the settings file, as MXCERT_CONFIG")


@contextmanager
def settings_file_of(arguments: argparse.Namespace) -> Iterator[None]:
    """Name the file of the arguments, if they name one, to all that reads settings meanwhile."""
    path, before = getattr(arguments, "config", None), process_environ().get(names.CONFIG)
    if path is not None:
        # Absolute, since programs change their working directory.
        change_environ(names.CONFIG, os.path.abspath(path))
    try:
        yield
    finally:
        if path is not None:
            change_environ(names.CONFIG, before)
