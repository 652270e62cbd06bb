"""As many random programs as are wanted, by hand: ``--cases``, ``--seed``, ``--keep-going``."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from pathlib import Path

from tests.model.cast import Cast, on_stage
from tests.model.trial import differences_of
from tests.support.names import LoopbackNames


def main() -> int:
    """Exit status 1 where a program differs from the model."""
    parser = argparse.ArgumentParser(prog="python -m tests.model")
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep-going", action="store_true", help="tell each one that differs")
    options = parser.parse_args()
    # A program's failed connections are its subject.
    logging.getLogger("mxcert_runtime").addHandler(logging.NullHandler())
    logging.getLogger("mxcert_runtime").propagate = False
    with tempfile.TemporaryDirectory() as name, LoopbackNames(), on_stage(Path(name)) as cast:
        os.environ["SSL_CERT_FILE"] = cast.default_bundle()
        os.environ["SSL_CERT_DIR"] = str(Path(name, "nowhere"))
        return _run(cast, options)


def _run(cast: Cast, options: argparse.Namespace) -> int:
    differing = 0
    for seed in range(options.seed, options.seed + options.cases):
        told = differences_of(cast, [seed])
        if told:
            differing += 1
            print(told, flush=True)
            if not options.keep_going:
                break
    print(f"{options.cases} programs from seed {options.seed}: {differing} differ")
    return int(bool(differing))


if __name__ == "__main__":
    sys.exit(main())
