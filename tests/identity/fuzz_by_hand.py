"""Fuzzing led by coverage: ``python -m tests.identity.fuzz_by_hand .p12 [options of libFuzzer]``.

It needs atheris, which is no dependency of anything here. The first argument names the target;
new inputs go to a folder of the system's temporary directory, beside the corpus.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["mxcert_runtime"]):
    from tests.identity.fuzz_targets import TARGETS, corpus


def main() -> None:
    ending, *options = sys.argv[1:]
    folder = Path(tempfile.gettempdir(), f"mxcert-fuzz{ending}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in corpus(ending).items():
        (folder / name).write_bytes(content)
    atheris.Setup(
        [sys.argv[0], str(folder), "-max_len=4096", "-timeout=5", *options], TARGETS[ending]
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
