"""What hatchling calls for a wheel: the compiled book side goes into it where it can be built."""

from __future__ import annotations

import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

INSIDE = "runtime/book/compiled/book_side.abi3.so"
ABI = "cp311-abi3"  # the limited API that the source asks for: one wheel for every Python from 3.11 on


class CustomBuildHook(BuildHookInterface[Any]):
    """Adds the built file and the tag of its platform; without a compiler the wheel is pure Python."""

    _folder: tempfile.TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build before the files are collected; an editable install uses what `make venv` builds."""
        if version != "standard":
            return
        sys.path.insert(0, self.root)
        from deploy.extension import NotBuiltError, build  # noqa: PLC0415 - the project's root is no path before

        self._folder = tempfile.TemporaryDirectory()
        built = Path(self._folder.name, Path(INSIDE).name)
        try:
            build(built)
        except NotBuiltError as error:
            self.app.display_warning(f"a wheel without the compiled book side: {error}")
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data.update(pure_python=False, tag=f"{ABI}-{platform}")
        build_data["force_include"][str(built)] = INSIDE

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was built."""
        if self._folder is not None:
            self._folder.cleanup()
