"""``mxcert_runtime.material``: which CAs it has, and which it has not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import mxcert_runtime
from mxcert_runtime.errors import MaterialError
from tests.connections.material.reading import HOST, Activate
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf


class TestAuthorities:
    def test_pinned_alone(self, activate: Activate, authority: Authority, alpha: Leaf) -> None:
        """The pinned CAs of the rule, and not default trust beside them."""
        activate([("alpha", alpha, [HOST])])
        with mxcert_runtime.material(host=HOST) as material:
            assert authority.pem == material.ca_pem
            assert authority.pem == Path(material.ca_path).read_bytes()

    def test_default_trust(
        self,
        activate: Activate,
        client_files: ClientFiles,
        alpha: Leaf,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Without pinned ones: OpenSSL's file and directories, each CA once, and the extra ones."""
        in_file, in_directory, extra = (Authority(each) for each in ("file", "directory", "extra"))
        bundle, folder = tmp_path / "bundle.pem", tmp_path / "hashed"
        bundle.write_bytes(b"# a comment\n" + in_file.pem + in_file.pem)
        folder.mkdir()
        (folder / "12345678.0").write_bytes(in_directory.pem)
        (folder / "12345678.1").write_bytes(in_file.pem)
        (folder / "not-hashed.pem").write_bytes(Authority("unseen").pem)
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        monkeypatch.setenv("SSL_CERT_DIR", str(folder))
        activate(
            [("alpha", alpha, [HOST])],
            authorities=[],
            ca=[str(client_files.authority(extra))],
        )
        with mxcert_runtime.material(host=HOST) as material:
            assert in_file.pem + in_directory.pem + extra.pem == material.ca_pem
        bundle.write_bytes(in_directory.pem)
        (folder / "12345678.1").unlink()
        with mxcert_runtime.material(host=HOST) as material:
            assert in_directory.pem + extra.pem == material.ca_pem

    @pytest.mark.skipif(sys.platform == "win32", reason="the system's own store is asked there")
    def test_none(
        self, activate: Activate, alpha: Leaf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where there are none, nothing verifies a server, and that is an error."""
        for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
            monkeypatch.setenv(name, str(tmp_path / "missing"))
        activate([("alpha", alpha, [HOST])], authorities=[])
        with mxcert_runtime.material(host=HOST) as material:
            for name in ("ca_pem", "ca_path"):
                with pytest.raises(MaterialError, match="no CAs to verify"):
                    getattr(material, name)
