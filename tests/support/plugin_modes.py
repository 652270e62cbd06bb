"""The modes of a run: the interpreter as it comes, or with the plugin under certain settings.

A mode is nothing but environment variables, as in a deployment; only CPython's own fixtures
decide what the servers of its suites ask for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from .pki import Authority

_PASSWORD = "correct horse"


@dataclass(frozen=True)
class Mode:
    """A name and the settings that it adds to the environment; none for the bare interpreter."""

    name: str
    settings: dict[str, str]

    @property
    def plugin(self) -> bool:
        return bool(self.settings)


BARE = Mode("bare", {})


def plugin_modes(folder: Path) -> tuple[Mode, ...]:
    """The modes with the plugin; their identities and authorities are written to ``folder``."""
    return _offer(folder), _rules(folder)


def _offer(folder: Path) -> Mode:
    """One identity, offered to every server that asks."""
    return Mode("offer", _certificates(_identity(folder, "only")))


def _rules(folder: Path) -> Mode:
    """Several identities with rules for the hosts of the suites and others, and extra CAs."""
    ours, other, spare = (_identity(folder, name) for name in ("ours", "other", "spare"))
    usages = {"localhost": ours, "*.example.com": other, "127.0.0.1": ours, "www.python.org": ""}
    extra = folder / "extra.pem"
    extra.write_bytes(Authority("Extra root").pem)
    return Mode(
        "rules",
        {
            **_certificates(ours, other, spare),
            "MXCERT_CLIENT_CERTIFICATE_USAGES": json.dumps(usages),
            "MXCERT_CA_CERTIFICATES": str(extra),
        },
    )


def _certificates(*paths: str) -> dict[str, str]:
    return {
        "MXCERT_CLIENT_CERTIFICATES": ",".join(paths),
        "MXCERT_CLIENT_CERTIFICATE_PASSWORDS": ",".join([_PASSWORD] * len(paths)),
    }


def _identity(folder: Path, name: str) -> str:
    path = folder / f"{name}.p12"
    authority = Authority(f"Root of {name}").intermediate()
    path.write_bytes(authority.issue(f"{name} client").pkcs12(_PASSWORD))
    return str(path)
