"""The bus protocol's messages for the fast lane, read from whole chunks; all else goes to nats-py's own parser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from nats.protocol.parser import Parser

from runtime.nats.lanes.framing import Lines
from runtime.nats.lanes.framing import Message as Message  # noqa: PLC0414  # who takes messages needs it

if TYPE_CHECKING:
    from runtime.nats.lanes.framing import split
else:
    try:
        from runtime.nats.lanes.compiled.framing import split
    except ImportError:
        from runtime.nats.lanes.framing import split

_CRLF = b"\r\n"
_FIRSTS = b"MH"
_MOST_PLACES = 50_000


class Lane(Protocol):
    """Who takes the messages of one subscription, in order, on the event loop's thread."""

    def take(self, messages: list[Message], /) -> None:
        """Keep what came together; it must neither block nor raise."""
        ...


class LaneParser:
    """Stands before nats-py's parser: takes the lanes' messages and passes on every other command as a whole."""

    def __init__(self, inner: Parser, stats: dict[str, int]) -> None:
        self.lanes: dict[bytes, Lane] = {}
        self._lines = Lines(self.lanes, {}, _MOST_PLACES)
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
        at, taken = split(data, at, self._lines)
        for lane, messages in taken.items():
            lane.take(messages)
        return at, sum(map(len, taken.values()))


def _command_end(data: bytes, at: int) -> int:
    """Where the command at `at` ends, with its payload; -1 while it is not all there."""
    line_end = data.find(_CRLF, at)
    if line_end < 0:
        return -1
    end = line_end + 2
    if data[at] in _FIRSTS:
        end += int(data[data.rfind(b" ", at, line_end) + 1 : line_end]) + 2
    return end if end <= len(data) else -1
