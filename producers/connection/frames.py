"""One frame read whole, or row by row where a row of it cannot be read; only what the contract accepts comes out.

A decoder raises for a frame that it cannot read. Channels that carry rows of many instruments must not lose all of them
for one: `Venue.rows` splits such a frame, and each row is decoded alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from contracts.codec import EVENTS
from contracts.errors import FrameError, HydrophoneError
from contracts.numbers import INT64_MAX, INT64_MIN, time_fault
from producers.venue import Decoded, Decoder, SplitRows, Unreadable

UNDECODABLE: Final = (
    *(HydrophoneError, msgspec.MsgspecError, ArithmeticError, AttributeError, LookupError, RecursionError),
    *(TypeError, ValueError),
)
LONGEST_ID: Final = 256
_INTEGERS: Final[dict[str, tuple[str, ...]]] = {
    "trade": ("seq",),
    "ticker": ("seq",),
    "book": ("seq", "venue_checksum"),
    "delta": ("seq", "prev_seq"),
    "funding": ("next_ts",),
    "candle": ("start_ts", "trades"),
}
_GETTERS: Final[dict[str, Callable[[Any], Any]]] = {
    kind: attrgetter("ts_event", *_INTEGERS.get(kind, ("ts_recv",))) for kind in EVENTS
}


@dataclass(frozen=True, slots=True)
class FrameReader:
    """Reads one connection's frames. `recorded`: a recording's time of receipt may be that of another clock."""

    decoder: Decoder
    split: SplitRows | None
    recorded: bool = False

    def read(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Return what a frame says; what cannot be read, or is outside of the contract's bounds, is an `Unreadable`."""
        try:
            items = self.decoder.decode(frame, ts_recv)
        except UNDECODABLE as error:
            return self._row_by_row(frame, ts_recv, error)
        latest = 0 if self.recorded else ts_recv
        for item in items:
            getter = _GETTERS.get(item.kind)
            if getter is not None and _fault(item, getter, latest) is not None:
                return [_checked(item, frame, latest) for item in items]
        return items

    def _row_by_row(self, frame: bytes, ts_recv: int, error: Exception) -> list[Decoded]:
        rows = self._rows(frame)
        if len(rows) < 2:  # noqa: PLR2004 - one row is the frame itself
            return [Unreadable(frame, error)]
        return _distinguish([item for row in rows for item in self.read(row, ts_recv)])

    def _rows(self, frame: bytes) -> list[bytes]:
        try:
            return self.split(frame) if self.split is not None else []
        except UNDECODABLE:
            return []  # no message at all, which the first error says


def _distinguish(items: list[Decoded]) -> list[Decoded]:
    """Number equal ids of liquidations, whose rows have none of the vendor's: alone, a row does not know of another."""
    seen: dict[str, int] = {}
    for place, item in enumerate(items):
        if item.kind == "liquidation":
            again = seen[item.id] = seen.get(item.id, -1) + 1
            if again:
                items[place] = replace(item, id=f"{item.id}-{again}")
    return items


def _fault(event: Decoded, getter: Callable[[Any], Any], ts_recv: int) -> str | None:
    """Return what the contract refuses of an event, of that which decoders do not check themselves."""
    ts_event, *others = getter(event)
    for value in others:
        if value is not None and not INT64_MIN <= value <= INT64_MAX:
            return f"{value} is no int64"
    if ts_event is not None and (ts_event > INT64_MAX or time_fault(ts_event, ts_recv) is not None):
        return time_fault(ts_event, ts_recv) or f"ts_event {ts_event} is no int64"
    name: str = event.id
    if len(name) > LONGEST_ID or not name.isascii():
        return f"the id is longer than {LONGEST_ID} or not ASCII: {name[:40]!r}"
    return None


def _checked(item: Decoded, frame: bytes, ts_recv: int) -> Decoded:
    getter = _GETTERS.get(item.kind)
    fault = None if getter is None else _fault(item, getter, ts_recv)
    return item if fault is None else Unreadable(frame, FrameError(f"{item.kind} of {item.symbol}: {fault}"))


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
