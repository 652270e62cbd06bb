"""What the command makes of old settings, for a program and for who calls it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mxcert_runtime.cli import main
from mxcert_runtime.settings.model import Reading
from tests.settings.readings import read, sound


def carry_over(text: str, folder: Path, *arguments: str) -> Reading:
    """The settings that a program would have, of a file that the command writes."""
    source, target = folder / "old", folder / "mxcert.toml"
    source.write_bytes(text.encode())
    secrets = ("--secrets", str(folder / "secrets"))
    words = ["import", str(source), "--write", str(target), *secrets, *arguments]
    assert 0 == main(words)
    return sound(read({"MXCERT_CONFIG": str(target)}))


Run = Callable[..., "tuple[int, str, str]"]
EXAMPLE = r"""
ClientCertificates: D:\App\Mx1.pfx, D:\App\Mx2.pfx
ClientCertificatePasswords: s3cret-one, s3cret-two
ClientCertificateUsages: { "Module.WebService1": "D:\\App\\Mx1.pfx", "a.b.example": "" }
MyConstant: whatever
"""


def secret(text: str) -> Any:
    from mxcert_runtime.base.secret import Secret

    return Secret(text)
