"""Fetches the scripts that pages are made of from their npm packages: `python -m deploy.vendor [--accept]`.

api/pages/vendor/VERSIONS.toml says what is fetched; what is fetched must be what SHA256SUMS says. With `--accept` the
sums are written instead: for a version that was changed on purpose. Needs npm; nothing of it is needed to run.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from runtime.app.entry import take_arguments

VENDOR: Final = Path(__file__).resolve().parents[1] / "api" / "pages" / "vendor"
VERSIONS: Final = "VERSIONS.toml"
SUMS: Final = "SHA256SUMS"  # as `sha256sum --check` reads it
_FETCH_SECONDS: Final = 120
_INSIDE: Final = "package"  # the folder in every npm archive


@dataclass(frozen=True, slots=True)
class Library:
    """One npm package at one version; `files` are its paths by the names that they get here."""

    name: str
    package: str
    version: str
    licence: str
    files: dict[str, str]


def read_libraries(folder: Path = VENDOR) -> list[Library]:
    """Read which libraries there are."""
    found: dict[str, dict[str, Any]] = tomllib.loads((folder / VERSIONS).read_text())
    return [Library(name, **fields) for name, fields in found.items()]


def read_sums(folder: Path = VENDOR) -> dict[str, str]:
    """Read what each file is, by its path in the folder."""
    lines = (folder / SUMS).read_text().splitlines()
    return {path: digest for digest, _, path in (line.partition("  ") for line in lines)}


def fetch(library: Library) -> dict[str, bytes]:
    """Return the files of a library by their paths in the folder; raises what npm, or a file that is not there, did."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = f"{library.package}@{library.version}"
        packed = subprocess.run(
            ["npm", "pack", "--silent", wanted],  # noqa: S607 - npm is found on the path
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
            timeout=_FETCH_SECONDS,
        )
        archive = Path(folder, packed.stdout.split()[-1]).read_bytes()
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed_files:
        return {f"{library.name}/{own}": _read(packed_files, path) for own, path in library.files.items()}


def _read(archive: tarfile.TarFile, path: str) -> bytes:
    member = archive.extractfile(f"{_INSIDE}/{path}")
    if member is None:
        raise FileNotFoundError(path)
    return member.read()


def main(arguments: list[str], folder: Path = VENDOR) -> int:
    """Write the files, and with `--accept` what they are; 1 where one is not what it should be."""
    if not set(arguments) <= {"--accept"}:
        print("usage: python -m deploy.vendor [--accept]", file=sys.stderr)
        return 2
    files = {path: body for library in read_libraries(folder) for path, body in fetch(library).items()}
    sums = {path: hashlib.sha256(body).hexdigest() for path, body in files.items()}
    if "--accept" in arguments:
        (folder / SUMS).write_text("".join(f"{digest}  {path}\n" for path, digest in sorted(sums.items())))
    elif wrong := sorted(
        path for path in sums.keys() | read_sums(folder) if sums.get(path) != read_sums(folder).get(path)
    ):
        print(f"not what {SUMS} says: {', '.join(wrong)}", file=sys.stderr)
        return 1
    for path, body in files.items():
        target = folder / path
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(body)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(take_arguments()))
