"""One frame read whole, or row by row where a row of it cannot be read; only what the contract accepts comes out.

A decoder raises for a frame that it cannot read. Channels that carry rows of many instruments must not lose all of them
for one: `Venue.rows` splits such a frame, and each row is decoded alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from contracts.errors import FrameError, HydrophoneError
from producers.normalize.messages import Message
from producers.normalize.writer import write_event
from producers.venue import Decoded, Decoder, SplitRows, Unreadable

UNDECODABLE: Final = (
    *(HydrophoneError, msgspec.MsgspecError, ArithmeticError, AttributeError, LookupError, RecursionError),
    *(TypeError, ValueError),
)


@dataclass(frozen=True, slots=True)
class FrameReader:
    """Reads one connection's frames."""

    decoder: Decoder
    split: SplitRows | None

    def read(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Return what a frame says; what cannot be read is an `Unreadable`."""
        try:
            return self.decoder.decode(frame, ts_recv)
        except UNDECODABLE as error:
            return self.read_rows(frame, ts_recv, error)

    def read_rows(self, frame: bytes, ts_recv: int, error: Exception) -> list[Decoded]:
        """Return what the rows of a frame say that could not be read as a whole, for this reason."""
        rows = self._rows(frame)
        if len(rows) < 2:  # noqa: PLR2004 - one row is the frame itself
            return [Unreadable(frame, error)]
        return _distinguish([_named(item, row) for row in rows for item in self.read(row, ts_recv)])

    def _rows(self, frame: bytes) -> list[bytes]:
        try:
            return self.split(frame) if self.split is not None else []
        except UNDECODABLE:
            return []  # no message at all, which the first error says


def _named(item: Decoded, frame: bytes) -> Decoded:
    """Return an item; an event that a maker refused with the frame that it was in."""
    return Unreadable(frame, item.error) if item.kind == "unreadable" and not item.frame else item


def _distinguish(items: list[Decoded]) -> list[Decoded]:
    """Number equal ids of liquidations, whose rows have none of the vendor's: alone, a row does not know of another."""
    seen: dict[str, int] = {}
    for place, item in enumerate(items):
        if item.kind == "liquidation":
            event = item.event if isinstance(item, Message) else item
            again = seen[event.id] = seen.get(event.id, -1) + 1
            if again:
                other = replace(event, id=f"{event.id}-{again}")
                items[place] = write_event(other, item.tail, item.route) if isinstance(item, Message) else other
    return items


def read_each(rows: Iterable[Raw], read: Callable[[Raw], Any]) -> list[Any]:
    """Return what `read` makes of each row of a REST answer, None left out; one that cannot be read is an `Unreadable`.

    Raises FrameError where no row can be read: then it is the answer that is not understood.
    """
    found: list[Any] = []
    for row in rows:
        try:
            item = read(row)
        except UNDECODABLE as error:
            item = Unreadable(bytes(row), error)
        if item is not None:
            found.append(item)
    if found and all(isinstance(item, Unreadable) for item in found):
        error = found[0].error
        raise FrameError(f"no row can be read, the first one: {error}", **getattr(error, "details", {})) from error
    return found


# ---- splitting
Path = tuple[str | int, ...]
_object: Final = msgspec.json.Decoder(dict[str, Raw]).decode
_array: Final = msgspec.json.Decoder(list[Raw]).decode
_write: Final = msgspec.json.Encoder().encode


def rows_at(*paths: Path) -> SplitRows:
    """Make the splitter of a venue whose rows lie at these paths: `("data",)`, `("data", 0, "details")`, `()`.

    The first path that leads to a list of several rows is taken; each row is put into a copy of the frame, alone.
    """

    def split(frame: bytes) -> list[bytes]:
        for path in paths:
            rows = _split(Raw(frame), path)
            if len(rows) > 1:
                return rows
        return []

    return split


def _split(node: Raw, path: Path) -> list[bytes]:
    """Return copies of a node with each single row of the list at the path; none where there is no such list."""
    first = bytes(node).lstrip()[:1]
    if not path:
        return [_write([row]) for row in _array(node)] if first == b"[" else []
    step, rest = path[0], path[1:]
    if isinstance(step, str) and first == b"{":
        whole = _object(node)
        return [_write(whole | {step: Raw(inner)}) for inner in _split(whole[step], rest)] if step in whole else []
    if isinstance(step, int) and first == b"[":
        items = _array(node)
        if step >= len(items):
            return []
        return [_write([*items[:step], Raw(inner), *items[step + 1 :]]) for inner in _split(items[step], rest)]
    return []
