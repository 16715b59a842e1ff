"""What an archive says of itself: manifest.json, with the checksum of each file and of the manifest."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, ValidationError

FORMAT: Final = 1
NAME: Final = "manifest.json"
Mode = Literal["demo", "run"]


class ArchiveError(RuntimeError):
    """The archive cannot be used; the message names the part at fault."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class SavedFile(_Part):
    """One file: its path in the archive, size in bytes, SHA-256 in hex."""

    path: str
    bytes: int
    sha256: str


class SavedDurable(_Part):
    """Where a durable was before anything was saved.

    `floor` is the stream sequence up to which all is acknowledged, `acked` how many deliveries are.
    """

    name: str
    floor: int
    acked: int


class SavedStream(_Part):
    """One stream, or the stream that a bucket is; `taken_at` is RFC 3339, the rest the server's own words."""

    name: str
    file: SavedFile
    taken_at: str
    config: dict[str, Any]
    state: dict[str, Any]
    durables: tuple[SavedDurable, ...]

    @property
    def place(self) -> str:
        """What messages call it."""
        bucket = self.name.removeprefix("KV_")
        return f"stream {self.name}" if bucket == self.name else f"bucket {bucket}"


class SavedCollection(_Part):
    """One collection: gzipped BSON, one document after the other; indexes as extended JSON."""

    name: str
    file: SavedFile
    documents: int
    indexes: tuple[dict[str, Any], ...]

    @property
    def place(self) -> str:
        """What messages call it."""
        return f"collection {self.name}"


class SavedKey(_Part):
    """A master key by its fingerprint; `file` where the archive was asked to hold the key itself."""

    name: str
    fingerprint: str
    file: SavedFile | None


class Manifest(_Part):
    """Everything that an archive holds; times are RFC 3339.

    `mode` is that of the copy that was saved, None on servers of its owner's. `versions`: hydrophone, bus, documents.
    `left_out` is the reason by stream.
    """

    format: int
    began_at: str
    ended_at: str
    mode: Mode | None
    versions: dict[str, str]
    streams: tuple[SavedStream, ...]
    documents_at: str
    collections: tuple[SavedCollection, ...]
    keys: tuple[SavedKey, ...]
    left_out: dict[str, str]

    @property
    def has_bus(self) -> bool:
        """Whether it holds streams and buckets too; an export holds documents only."""
        return "bus" in self.versions

    def parts(self) -> list[tuple[str, SavedFile]]:
        """Every file with what messages call it."""
        held = [(part.place, part.file) for part in (*self.streams, *self.collections)]
        return held + [(f"key {key.name}", key.file) for key in self.keys if key.file is not None]


def write_manifest(manifest: Manifest) -> bytes:
    """The text of manifest.json."""
    body = manifest.model_dump(mode="json")
    whole = {"format": manifest.format, "sha256": _checksum(body), "manifest": body}
    return json.dumps(whole, indent=1).encode() + b"\n"


def read_manifest(text: bytes) -> Manifest:
    """Read it; ArchiveError where it is of another format, was changed, or is no manifest."""
    try:
        whole = json.loads(text)
    except ValueError as error:
        raise ArchiveError(f"{NAME}: it is cut off or no JSON: {error}") from error
    if not isinstance(whole, dict) or "format" not in whole:
        raise ArchiveError(f"{NAME}: no manifest of a backup: it has no format")
    read = cast("dict[str, Any]", whole)
    if read["format"] != FORMAT:
        raise ArchiveError(f"{NAME}: format {read['format']} is not known here, {FORMAT} is: use the version it is of")
    if read.get("sha256") != _checksum(read.get("manifest")):
        raise ArchiveError(f"{NAME}: its checksum is another one: it was changed after it was made")
    try:
        return Manifest.model_validate_json(json.dumps(read["manifest"]))
    except ValidationError as error:
        first = error.errors()[0]
        raise ArchiveError(f"{NAME}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _checksum(body: object) -> str:
    return hashlib.sha256(json.dumps(body, separators=(",", ":")).encode()).hexdigest()
