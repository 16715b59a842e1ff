"""What hatchling calls for a wheel: what is compiled goes into it where it can be built."""

from __future__ import annotations

import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ABI = "cp311-abi3"  # the limited API that the sources ask for: one wheel for every Python from 3.11 on


class CustomBuildHook(BuildHookInterface[Any]):
    """Adds the built files and the tag of their platform; without a compiler the wheel is pure Python."""

    _folder: tempfile.TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build before the files are collected; an editable install uses what `make venv` builds."""
        if version != "standard":
            return
        sys.path.insert(0, self.root)
        from deploy.extension import ROOT, SOURCES, NotBuiltError, build, built_of  # noqa: PLC0415 - the project's root is no path before

        self._folder = tempfile.TemporaryDirectory()
        inside = {source: str(built_of(source).relative_to(ROOT)) for source in SOURCES}
        built = {source: Path(self._folder.name, built_of(source).name) for source in SOURCES}
        try:
            for source in SOURCES:
                build(built[source], source)
        except NotBuiltError as error:
            self.app.display_warning(f"a wheel without what is compiled: {error}")
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data.update(pure_python=False, tag=f"{ABI}-{platform}")
        build_data["force_include"].update({str(built[source]): inside[source] for source in SOURCES})

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was built."""
        if self._folder is not None:
            self._folder.cleanup()
