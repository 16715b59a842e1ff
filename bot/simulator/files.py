"""Files that the bot uploaded, by their ids: the newest, within a bound of bytes; and the size of a picture."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

from bot.simulator.errors import bad_request
from bot.simulator.params import Upload

Json = dict[str, Any]
MOST_BYTES: Final = 64 * 1024 * 1024
LARGEST_PHOTO: Final = 10 * 1024 * 1024
_PNG, _JPEG, _GIF, _WEBP = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF"
_JPEG_FRAMES: Final = frozenset({*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC)})
_UNKNOWN: Final = (1280, 720)  # of a picture whose header does not say it, or that is behind a URL


@dataclass(frozen=True, slots=True)
class File:
    """One file; `data` is None for what is behind a URL, which is not fetched."""

    id: str
    unique_id: str
    name: str
    data: bytes | None

    def json(self) -> Json:
        """Return Telegram's File."""
        size = {} if self.data is None else {"file_size": len(self.data)}
        return {"file_id": self.id, "file_unique_id": self.unique_id, **size, "file_path": f"files/{self.id}"}


class Files:
    """What was uploaded; the oldest goes when it is too much."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, File] = OrderedDict()
        self._bytes = 0

    def find(self, file_id: str) -> File | None:
        """Return the file of an id."""
        return self._files.get(file_id)

    def take(self, given: Upload | str, what: str) -> File:
        """Keep an upload and return it; a file id stands for its file, a URL for one that is not here."""
        if isinstance(given, Upload):
            if not given.data:
                raise bad_request("file must be non-empty")
            return self._keep(given.name, given.data)
        if given in self._files:
            return self._files[given]
        if given.startswith(("http://", "https://")):
            return self._keep(given, None)
        raise bad_request(f"wrong file identifier/HTTP URL specified for {what}")

    def _keep(self, name: str, data: bytes | None) -> File:
        digest = hashlib.sha256(name.encode() if data is None else data).hexdigest()
        file = File(f"AgAC{digest[:28]}", digest[:16], name, data)
        known = self._files.pop(file.id, None)
        self._files[file.id] = file
        self._bytes += 0 if known is not None else len(data or b"")
        while self._bytes > MOST_BYTES:
            _, dropped = self._files.popitem(last=False)
            self._bytes -= len(dropped.data or b"")
        return file


def photo_sizes(file: File) -> list[Json]:
    """Return Telegram's PhotoSize array; 400 where the file is no picture, or too large."""
    data = file.data
    width, height = _UNKNOWN
    if data is not None:
        if not data.startswith((_PNG, _JPEG, _GIF, _WEBP)):
            raise bad_request("IMAGE_PROCESS_FAILED")
        if len(data) > LARGEST_PHOTO:
            raise bad_request("file is too big")
        width, height = picture_size(data)
        if width + height > 10_000 or max(width, height) > 20 * min(width, height):  # noqa: PLR2004  # Telegram's own
            raise bad_request("PHOTO_INVALID_DIMENSIONS")
    body = file.json()
    del body["file_path"]
    return [{**body, "width": width, "height": height}]


def picture_size(data: bytes) -> tuple[int, int]:
    """Return width and height of a PNG, JPEG or GIF; a usual size for others."""
    if data.startswith(_PNG):
        return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    if data.startswith(_GIF):
        return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    return _jpeg_size(data) if data.startswith(_JPEG) else _UNKNOWN


def _jpeg_size(data: bytes) -> tuple[int, int]:
    place = 2
    while place + 9 < len(data):
        if data[place + 1] in _JPEG_FRAMES:
            return int.from_bytes(data[place + 7 : place + 9]), int.from_bytes(data[place + 5 : place + 7])
        place += 2 + int.from_bytes(data[place + 2 : place + 4])
    return _UNKNOWN
