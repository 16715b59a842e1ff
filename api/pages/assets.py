"""Files that pages are made of, read once: our own by what they say, other people's by their version.

`/assets/<name>@<version>/<file>` never changes and is kept by browsers; without a version it is asked for again each
time, by its ETag. Scripts refer to each other by relative paths, so that a page and its scripts are of one version.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

OURS: Final = "pages"
STATIC: Final = Path(__file__).parent / "static"
VENDOR: Final = Path(__file__).parent / "vendor"
VERSIONS: Final = "VERSIONS.toml"  # name, version, licence, files and their hashes of everything in the folder
KINDS: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
TEXT: Final = "text/plain; charset=utf-8"
_SHOWN: Final = 12  # digits of a hash


@dataclass(frozen=True, slots=True)
class Asset:
    """One file."""

    body: bytes
    kind: str
    etag: str


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of one name, and the version that stands for all of them."""

    version: str
    files: dict[str, Asset]


class Assets:
    """Every file that may be requested; nothing of the disk is read after the start."""

    def __init__(self, folders: dict[str, Folder]) -> None:
        self._folders = folders

    def find(self, name: str, path: str) -> tuple[Asset, bool] | None:
        """Return a file and whether the name has its version; None where there is none, or of another version."""
        bare, _, version = name.partition("@")
        folder = self._folders.get(bare)
        if folder is None or version not in {"", folder.version} or path not in folder.files:
            return None
        return folder.files[path], bool(version)

    def text(self, path: str) -> str:
        """Return one of our own files; KeyError where there is none."""
        return self._folders[OURS].files[path].body.decode()

    def addresses(self) -> dict[str, str]:
        """Return where each folder is, by its name."""
        return {name: f"/assets/{name}@{folder.version}" for name, folder in self._folders.items()}


def read_assets(static: Path = STATIC, vendor: Path = VENDOR) -> Assets:
    """Read our own files and those of the libraries."""
    ours = _read_files(static)
    digest = hashlib.sha256(repr(sorted((path, asset.etag) for path, asset in ours.items())).encode()).hexdigest()
    libraries: dict[str, dict[str, Any]] = tomllib.loads((vendor / VERSIONS).read_text())
    folders = {name: Folder(library["version"], _read_files(vendor / name)) for name, library in libraries.items()}
    return Assets({OURS: Folder(digest[:_SHOWN], ours), **folders})


def _read_files(folder: Path) -> dict[str, Asset]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): _read_file(path) for path in files}


def _read_file(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(body, KINDS.get(path.suffix, TEXT), f'"{hashlib.sha256(body).hexdigest()[:_SHOWN]}"')
