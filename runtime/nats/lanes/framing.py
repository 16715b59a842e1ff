"""Splits a chunk of the bus into the messages of its lanes. Pure; its compiled form is used where that was built."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final, NamedTuple

from contracts.users.permissions import DEFAULT_INBOX

Message = tuple[bytes, bytes, bytes, bytes]
"""Subject, payload, reply subject and headers of one message; the last two are empty where it has none."""

Place = tuple[bytes, bytes, bytes, int]
"""Subject, subscription number, reply subject, and the size of the headers of one message."""

Taken = dict[Any, list[Message]]
"""By lane."""

_CRLF: Final = b"\r\n"
_INBOX: Final = DEFAULT_INBOX.encode()  # a subject of answers, each of which has its own: remembered, they only fill up
_KINDS: Final = frozenset({b"MSG", b"HMSG"})
_MSG_WORDS: Final = 3  # MSG <subject> <sid> [reply], and then the bytes of the payload
_HMSG_WORDS: Final = 4  # HMSG <subject> <sid> [reply] <header bytes>, and then all bytes
_SIZES: Final = {b"%d\r\n" % size: size for size in range(4096)}  # by the end of a line: of nearly every message


class Lines(NamedTuple):
    """What is known of a connection's lines: its `lanes` by number, and what is remembered of at most `most` lines."""

    lanes: dict[bytes, Any]
    places: dict[bytes, Any]  # by the words of a line that are the same for many messages; of no inbox
    most: int


def split(data: bytes, at: int, lines: Lines) -> tuple[int, Taken]:
    """Return where the lanes' messages that stand in a row at `at` end, and the messages of each lane."""
    lanes, places, _ = lines
    taken: Taken = {}
    source = BytesIO(data)  # shares the bytes: reading on in it costs less than searching and slicing them
    source.seek(at)
    read = source.read
    for line in source:
        words, _, length = line.rpartition(b" ")
        place, size = places.get(words), _SIZES.get(length)
        if place is None or size is None:
            place, size = read_line(lines, words, length)
        lane = None if place is None else lanes.get(place[1])
        if place is None or lane is None:
            return source.tell() - len(line), taken
        subject, _, reply, header_size = place
        headers = read(header_size) if header_size else b""
        payload = read(size - header_size)
        end = read(2)
        if len(end) < 2:  # noqa: PLR2004 - the rest is not there yet
            return source.tell() - len(line) - len(headers) - len(payload) - len(end), taken
        messages = taken.get(lane)
        if messages is None:
            messages = taken[lane] = []
        messages.append((subject, payload, reply, headers))
    return len(data), taken


def read_line(lines: Lines, words: bytes, last: bytes) -> tuple[Place | None, int]:
    """Read a line's words, the last apart: the place and size of a message, None for any other or a part of one."""
    fields = words.split(b" ")
    if not last.endswith(_CRLF) or fields[0] not in _KINDS:
        return None, 0
    header_size, count = (0, _MSG_WORDS) if fields[0] == b"MSG" else (int(fields[-1]), _HMSG_WORDS)
    place = (fields[1], fields[2], fields[3] if len(fields) > count else b"", header_size)
    if not place[2] and not place[0].startswith(_INBOX):
        if len(lines.places) >= lines.most:
            lines.places.clear()
        lines.places[words] = place
    return place, int(last)
