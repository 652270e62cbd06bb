"""A picture of the site's front page, as a browser shows it, for README.md.

``python -m tests.documents.page_pictures`` makes it, where `nox -s docs` has made its environment
and Chromium is installed.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from .pages import DOCS, ROOT

PICTURE = "front-page.png"
_SIZE = "1280,1500"
_BUILDER = ROOT / ".venvs/docs/bin/python"


def draw() -> None:
    """Build the site, and have the browser draw its first page."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    assert browser is not None, "there is no Chromium here"
    with tempfile.TemporaryDirectory() as folder:
        # Pages link to files then, which a browser opens without a server.
        configuration = Path(ROOT / "mkdocs.yml").read_text(encoding="utf-8")
        written = ROOT / ".mkdocs-files.yml"
        written.write_text(f"{configuration}\nuse_directory_urls: false\n", encoding="utf-8")
        try:
            build = (str(_BUILDER), "-m", "mkdocs", "build", "--quiet", "--strict")
            subprocess.run([*build, "-f", written, "-d", folder], cwd=ROOT, check=True)
        finally:
            written.unlink()
        options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
        page = f"file://{folder}/index.html"
        picture = f"--screenshot={DOCS / PICTURE}"
        command = [browser, *options, f"--window-size={_SIZE}", picture, page]
        subprocess.run(command, check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    draw()
