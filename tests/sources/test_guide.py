"""The worked example of docs/sources.md, installed and used as it stands there."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime import SettingsError, activate, is_active
from mxcert_runtime.settings.loading import settings_from
from tests.settings.readings import read_file, sound
from tests.sources.conftest import Ask
from tests.support.pki import Leaf

GUIDE = (Path(__file__).parents[2] / "docs" / "sources.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The blocks of code in the guide."""
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example as an installed package."""
    (code,) = blocks("python")
    entry = re.search(r'entry-points\."([\w.]+)"\]\n([\w-]+) = "([\w:]+)"', GUIDE)
    assert entry is not None
    site = tmp_path / "site"
    metadata = site / "token_service_source-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "token_service_source.py").write_text(code)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: x\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{entry[1]}]\n{entry[2]} = {entry[3]}\n")
    monkeypatch.syspath_prepend(site)


@pytest.fixture
def service() -> Iterator[Any]:
    """A token service, which gives what stands in ``content``."""

    class Handler(BaseHTTPRequestHandler):
        content = b""

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(Handler.content)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        Handler.port = server.server_port  # type: ignore[attr-defined]
        yield Handler
        server.shutdown()
        thread.join()


def described(port: int) -> dict[str, Any]:
    """The settings of the guide, with the port of the test."""
    source = {"kind": "token-service", "url": f"http://127.0.0.1:{port}/identity"}
    return {"identity": {"source": source, "hosts": "localhost"}}


def test_the_example(service: Any, ask: Ask, alpha: Leaf) -> None:
    """The server sees the certificate that the example fetched."""
    service.content = alpha.pem() + alpha.key_pem()
    activate(settings=described(service.port))
    assert alpha.fingerprint == ask()


def test_a_service_that_has_nothing(service: Any) -> None:
    """The twin: its own words and remedy are those of the fault."""
    with pytest.raises(SettingsError, match=r"has nothing for this workload\. Register it there"):
        activate(settings=described(service.port))
    assert not is_active()


def test_its_options() -> None:
    """The option that it needs, and no other."""
    source = {"kind": "token-service", "adress": "x"}
    told = [str(each) for each in settings_from({"identity": {"source": source}}).faults]
    assert ["url: is missing", "unknown key `adress`"] == [
        words for words in ("url: is missing", "unknown key `adress`") if words in "\n".join(told)
    ]


@pytest.mark.parametrize("text", blocks("toml")[:2])
def test_the_other_settings(text: str, tmp_path: Path) -> None:
    """What the guide writes for a command and for systemd is read without a fault."""
    (tmp_path / "billing.pw").write_text("x")
    reading = read_file(tmp_path, "x.toml", text, CREDENTIALS_DIRECTORY=str(tmp_path))
    assert 1 == len(sound(reading).settings.identities)
