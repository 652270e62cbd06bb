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
#: the names of those with the plugin
PLUGIN_MODES = ("offer", "rules")


def plugin_modes(folder: Path, authority: Authority | None = None) -> tuple[Mode, ...]:
    """The modes with the plugin; their identities and authorities are written to ``folder``.

    What is presented to the suite's own servers is issued by ``authority``, where they have one.
    """
    return _offer(folder, authority), _rules(folder, authority)


def _offer(folder: Path, authority: Authority | None) -> Mode:
    """One identity, offered to every server that asks."""
    return Mode("offer", _certificates(_identity(folder, "only", authority)))


def _rules(folder: Path, authority: Authority | None) -> Mode:
    """Several identities with rules for the hosts of the suites and others, and extra CAs."""
    ours = _identity(folder, "ours", authority)
    other, spare = (_identity(folder, name) for name in ("other", "spare"))
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


def _identity(folder: Path, name: str, authority: Authority | None = None) -> str:
    path = folder / f"{name}.p12"
    issuer = authority or Authority(f"Root of {name}").intermediate()
    path.write_bytes(issuer.issue(f"{name} client").pkcs12(_PASSWORD))
    return str(path)
