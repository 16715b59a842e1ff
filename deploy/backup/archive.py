"""An archive on disk: a directory that has its name only once it is whole, for its owner's eyes only."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

from deploy.backup.manifest import NAME, ArchiveError, Manifest, SavedFile, read_manifest, write_manifest

_BLOCK_BYTES: Final = 1024 * 1024
_LENGTH_BYTES: Final = 4
_SHORTEST_DOCUMENT: Final = 5
_LONGEST_DOCUMENT: Final = 17 * 1024 * 1024  # MongoDB's 16 MB and a little for the server's own


class _Writing:
    """Counts and sums what goes into a file; a binary file as far as `gzip` uses one."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sum = hashlib.sha256()
        self.bytes = 0

    def write(self, data: bytes) -> int:
        """Write all of it; OSError where the disk does not take it."""
        self._file.write(data)
        self._sum.update(data)
        self.bytes += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing: the file is flushed at its end."""

    def digest(self) -> str:
        """SHA-256 so far, in hex."""
        return self._sum.hexdigest()


class Draft:
    """An archive that is being written; `finish` makes it one."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._files: dict[str, SavedFile] = {}

    @contextmanager
    def writing(self, path: str) -> Generator[_Writing]:
        """Yield what takes the bytes of one file; when the block ends they are on the disk."""
        place = self.directory / path
        place.parent.mkdir(mode=0o700, exist_ok=True)
        with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            written = _Writing(file)
            yield written
            file.flush()
            os.fsync(file.fileno())
        self._files[path] = SavedFile(path=path, bytes=written.bytes, sha256=written.digest())

    def written(self, path: str) -> SavedFile:
        """Give size and checksum of a file that was written; KeyError where it was not."""
        return self._files[path]

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, the last of its files."""
        with self.writing(NAME) as file:
            file.write(write_manifest(manifest))
        for folder in (*(path for path in self.directory.iterdir() if path.is_dir()), self.directory):
            _sync(folder)


@contextmanager
def new_archive(target: Path) -> Generator[Draft]:
    """Yield a draft beside `target`, which gets that name when the block ends, and is removed where it raises.

    FileExistsError where there is something of that name.
    """
    if target.exists():
        raise FileExistsError(f"{target} is there already: an archive is never written over")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.partial-", dir=target.parent))  # mode 0700
    try:
        yield Draft(draft)
        draft.rename(target)
        _sync(target.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def open_archive(directory: Path) -> Manifest:
    """Read the manifest and compare each file with it; ArchiveError names the first part that is not as it was."""
    path = directory / NAME
    if not path.is_file():
        raise ArchiveError(f"{directory}: no archive, or one that was not finished: it has no {NAME}")
    manifest = read_manifest(path.read_bytes())
    for place, file in manifest.parts():
        _compare(directory, place, file)
    return manifest


def _compare(directory: Path, place: str, file: SavedFile) -> None:
    path = directory / file.path
    if not path.resolve().is_relative_to(directory.resolve()):
        raise ArchiveError(f"{place}: {file.path} is outside of the archive")
    if not path.is_file():
        raise ArchiveError(f"{place}: {file.path} is missing")
    if (size := path.stat().st_size) != file.bytes:
        raise ArchiveError(f"{place}: {file.path} has {size} bytes, {file.bytes} were written")
    with path.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != file.sha256:
        raise ArchiveError(f"{place}: {file.path} has another checksum: it was changed after it was made")


def read_chunks(path: Path, size: int) -> Iterator[bytes]:
    """Read a file in pieces of `size` bytes."""
    with path.open("rb") as file:
        while chunk := file.read(size):
            yield chunk


@contextmanager
def writing_documents(draft: Draft, path: str) -> Generator[Callable[[bytes], object]]:
    """Yield what adds one BSON document to a gzipped file."""
    with (
        draft.writing(path) as file,
        gzip.GzipFile(fileobj=cast("BinaryIO", file), mode="wb", compresslevel=1) as zipped,
    ):
        yield zipped.write


def read_documents(path: Path) -> Iterator[bytes]:
    """Read what `write_documents` wrote; ArchiveError names the file where a document is cut off."""
    with gzip.open(path, "rb") as file:
        while head := file.read(_LENGTH_BYTES):
            length = int.from_bytes(head, "little")
            document = (
                head + file.read(length - _LENGTH_BYTES) if _SHORTEST_DOCUMENT <= length <= _LONGEST_DOCUMENT else b""
            )
            if len(document) != length:
                raise ArchiveError(f"{path.name}: a document is cut off or none")
            yield document


def batches(documents: Iterable[bytes], most: int, most_bytes: int) -> Iterator[list[bytes]]:
    """Put documents together: at most so many, and about so many bytes."""
    batch: list[bytes] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += len(document)
        if len(batch) >= most or size >= most_bytes:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _sync(directory: Path) -> None:
    number = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
