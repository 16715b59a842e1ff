"""The bus protocol's messages for the fast lane, read from whole chunks; all else goes to nats-py's own parser."""

from __future__ import annotations

from typing import Protocol

from nats.protocol.parser import Parser

_CRLF = b"\r\n"
_MSG = ord("M")  # MSG <subject> <sid> [reply] <bytes>
_HMSG = ord("H")  # HMSG <subject> <sid> [reply] <header bytes> <all bytes>
_MSG_REPLY_FIELDS = 4
_HMSG_REPLY_FIELDS = 5


class Lane(Protocol):
    """Who takes the messages of one subscription, in order, on the event loop's thread."""

    def take(self, subject: bytes, reply: bytes, headers: bytes, payload: bytes, /) -> None:
        """Keep one message; it must neither block nor raise."""
        ...


class LaneParser:
    """Stands before nats-py's parser: takes the lanes' messages and passes on every other command as a whole."""

    def __init__(self, inner: Parser, stats: dict[str, int]) -> None:
        self.lanes: dict[bytes, Lane] = {}
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
        """Hand over the lanes' messages that stand in a row at `at`; where the row ends, and how many there were."""
        lanes, find, size, count = self.lanes, data.find, len(data), 0
        while at < size:
            first = data[at]
            if first not in (_MSG, _HMSG):
                break
            line_end = find(_CRLF, at)
            if line_end < 0:
                break
            fields = data[at:line_end].split(b" ")
            lane = lanes.get(fields[2])
            if lane is None:
                break
            start = line_end + 2
            end = start + int(fields[-1])
            if end + 2 > size:
                break
            if first == _MSG:
                reply = fields[3] if len(fields) > _MSG_REPLY_FIELDS else b""
                lane.take(fields[1], reply, b"", data[start:end])
            else:
                reply = fields[3] if len(fields) > _HMSG_REPLY_FIELDS else b""
                body = start + int(fields[-2])
                lane.take(fields[1], reply, data[start:body], data[body:end])
            at = end + 2
            count += 1
        return at, count


def _command_end(data: bytes, at: int) -> int:
    """Where the command at `at` ends, with its payload; -1 while it is not all there."""
    line_end = data.find(_CRLF, at)
    if line_end < 0:
        return -1
    end = line_end + 2
    if data[at] in (_MSG, _HMSG):
        end += int(data[data.rfind(b" ", at, line_end) + 1 : line_end]) + 2
    return end if end <= len(data) else -1
