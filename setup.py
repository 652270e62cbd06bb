"""What setup.cfg cannot say: a ``.pth`` file beside the package, and the project's address.

setuptools knows no place for such a file, but it runs sub-commands of ``build``, and in an editable
installation too (https://setuptools.pypa.io/en/latest/userguide/extension.html).
"""

from __future__ import annotations

import os

from setuptools import Command, setup
from setuptools.command.build import build

_SOURCE = "mxcert_runtime/autostart.pth"
#: what it is called beside the package
_AUTOSTART = "mxcert_runtime_autostart.pth"
#: where the project is: said by whoever releases it, since a checkout does not know
_URL = "MXCERT_PROJECT_URL"
#: ``0`` in the environment of the build leaves it out
_WANTED = "MXCERT_BUILD_AUTOSTART"


class Build(build):
    """``build`` with one step more."""

    sub_commands = [*build.sub_commands, ("build_autostart", None)]  # noqa: RUF012


class BuildAutostart(Command):
    """Copies the file to where the wheel has its top level."""

    description = "copy the .pth file that starts the plugin where MXCERT_AUTOSTART=1 asks for it"
    user_options = []  # noqa: RUF012

    def initialize_options(self) -> None:
        #: set by setuptools
        self.editable_mode = False
        self.build_lib: str | None = None

    def finalize_options(self) -> None:
        self.set_undefined_options("build", ("build_lib", "build_lib"))

    def run(self) -> None:
        if not _is_wanted():
            return
        self.mkpath(self._folder())
        target = os.path.join(self._folder(), _AUTOSTART)
        self.copy_file(_SOURCE, target, preserve_mode=False)

    def get_source_files(self) -> list[str]:
        return [_SOURCE]

    def get_outputs(self) -> list[str]:
        # Those of an editable wheel are read relative to the build folder, where this is not.
        if self.editable_mode or not _is_wanted():
            return []
        return [os.path.join(self._folder(), _AUTOSTART)]

    def get_output_mapping(self) -> dict[str, str]:
        # setuptools would only use it to link files of an editable installation to their sources.
        return {}

    def _folder(self) -> str:
        # An editable wheel leaves what is built aside, but takes what is installed.
        if self.editable_mode:
            folder: str = self.get_finalized_command("install").install_lib
            return folder
        assert self.build_lib is not None  # noqa: S101
        return self.build_lib


def _is_wanted() -> bool:
    return os.environ.get(_WANTED) != "0"


def _project_urls() -> dict[str, str]:
    url = os.environ.get(_URL, "").rstrip("/")
    if not url:
        return {}
    return {
        "Repository": url,
        "Documentation": f"{url}/tree/HEAD/docs",
        "Changelog": f"{url}/blob/HEAD/CHANGELOG.md",
        "Issues": f"{url}/issues",
    }


setup(
    cmdclass={"build": Build, "build_autostart": BuildAutostart},
    project_urls=_project_urls(),
)
