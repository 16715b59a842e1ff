"""The bus protocol's messages for the fast lane, read from whole chunks; all else goes to nats-py's own parser."""

from __future__ import annotations

from io import BytesIO
from typing import Protocol

from nats.protocol.parser import Parser

Message = tuple[bytes, bytes, bytes, bytes]
"""Subject, payload, reply subject and headers of one message; the last two are empty where it has none."""

_Place = tuple[bytes, bytes, bytes, int]
"""Subject, subscription number, reply subject, and the size of the headers of one message."""

_CRLF = b"\r\n"
_FIRSTS = b"MH"
_KINDS = frozenset({b"MSG", b"HMSG"})
_MSG_WORDS = 3  # MSG <subject> <sid> [reply], and then the bytes of the payload
_HMSG_WORDS = 4  # HMSG <subject> <sid> [reply] <header bytes>, and then all bytes
_MOST_PLACES = 50_000
_SIZES = {b"%d\r\n" % size: size for size in range(4096)}  # by the end of a line: nearly every message has one of these


class Lane(Protocol):
    """Who takes the messages of one subscription, in order, on the event loop's thread."""

    def take(self, messages: list[Message], /) -> None:
        """Keep what came together; it must neither block nor raise."""
        ...


class LaneParser:
    """Stands before nats-py's parser: takes the lanes' messages and passes on every other command as a whole."""

    def __init__(self, inner: Parser, stats: dict[str, int]) -> None:
        self.lanes: dict[bytes, Lane] = {}
        self._places: dict[bytes, _Place] = {}  # by the words before a line's last: the same for many messages
        self._inner = inner
        self._stats = stats
        self._rest = b""
        self._connection = 0

    def reset(self) -> None:
        """Forget what belonged to the connection that is gone."""
        self._connection += 1
        self._rest = b""
        self._inner.reset()

    async def parse(self, data: bytes = b"") -> None:
        """Take a chunk as the socket gave it; nats-py's ProtocolError for what it does not know."""
        connection, at, messages = self._connection, 0, 0
        if self._rest:
            data, self._rest = self._rest + data, b""
        while True:
            at, taken = self._take(data, at)
            messages += taken
            end = _command_end(data, at)
            if end < 0:
                break
            await self._inner.parse(data[at:end])
            if self._connection != connection:
                return  # that command ended the connection
            at = end
        self._rest = data[at:]
        self._stats["in_msgs"] += messages

    def _take(self, data: bytes, at: int) -> tuple[int, int]:
        """Hand over the lanes' messages that stand in a row at `at`; where the row ends, and how many there were.

        A lane of several subscriptions gets theirs in the order in which they came.
        """
        taken: dict[Lane, list[Message]] = {}
        places, lanes = self._places, self.lanes
        source = BytesIO(data)  # shares the bytes: reading on in it costs less than searching and slicing them
        source.seek(at)
        read = source.read
        for line in source:
            words, _, length = line.rpartition(b" ")
            place, size = places.get(words), _SIZES.get(length)
            if place is None or size is None:
                place, size = self._read_line(words, length)
            lane = None if place is None else lanes.get(place[1])
            if place is None or lane is None:
                at = source.tell() - len(line)
                break
            subject, _, reply, header_size = place
            headers = read(header_size) if header_size else b""
            payload = read(size - header_size)
            end = read(2)
            if len(end) < 2:  # noqa: PLR2004 - the rest is not there yet
                at = source.tell() - len(line) - len(headers) - len(payload) - len(end)
                break
            messages = taken.get(lane)
            if messages is None:
                messages = taken[lane] = []
            messages.append((subject, payload, reply, headers))
        else:
            at = len(data)
        for lane, messages in taken.items():
            lane.take(messages)
        return at, sum(map(len, taken.values()))

    def _read_line(self, words: bytes, last: bytes) -> tuple[_Place | None, int]:
        """Read a line's words, the last apart: the place and size of a message, None for any other or a part of one."""
        fields = words.split(b" ")
        if not last.endswith(_CRLF) or fields[0] not in _KINDS:
            return None, 0
        header_size, count = (0, _MSG_WORDS) if fields[0] == b"MSG" else (int(fields[-1]), _HMSG_WORDS)
        place = (fields[1], fields[2], fields[3] if len(fields) > count else b"", header_size)
        if not place[2]:
            if len(self._places) >= _MOST_PLACES:
                self._places.clear()
            self._places[words] = place
        return place, int(last)


def _command_end(data: bytes, at: int) -> int:
    """Where the command at `at` ends, with its payload; -1 while it is not all there."""
    line_end = data.find(_CRLF, at)
    if line_end < 0:
        return -1
    end = line_end + 2
    if data[at] in _FIRSTS:
        end += int(data[data.rfind(b" ", at, line_end) + 1 : line_end]) + 2
    return end if end <= len(data) else -1
