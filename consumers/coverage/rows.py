"""One venue's hour of the ledger: what was lost and what was filled, of all its instruments and of each. Pure."""

from __future__ import annotations

from typing import Any, Final

from contracts import codec
from contracts.services.coverage import HOUR_NS, HourLedger, HourRow
from runtime.coverage.connections import ServedSet
from runtime.coverage.interruptions import ALL, Key, is_about
from runtime.coverage.spans import Span, join, subtract

MOST_SPANS: Final = 120  # of a row; beyond that the nearest become one: more is unknown then, never less
MOST_ROWS: Final = 2000  # of an hour; beyond that a channel's are put together as those of all its instruments
MOST_SERVED: Final = 20_000  # names in the lists of an hour; what is served beyond them is any instrument
_HOUR: Final = codec.fast(HourLedger)
_ROW: Final = codec.fast(HourRow)


class Rows:
    """What was lost and filled in one hour, by channel, symbol and connection; disjoint, oldest first, ns UTC."""

    __slots__ = ("_filled", "_lost", "hour", "served")

    def __init__(self, hour: int) -> None:
        self.hour = hour
        self._lost: dict[Key, list[Span]] = {}
        self._filled: dict[Key, list[Span]] = {}
        self.served: dict[str, ServedSet] = {}  # by connection of what was lost

    def add_lost(self, key: Key, span: Span, served: ServedSet | None = None) -> None:
        """Note that events of this may have been lost; `served` is what its connection serves, None for unknown."""
        if key not in self._lost and len(self._lost) >= MOST_ROWS:
            key = (key[0], None, None)
        if served is not None and key[2] is not None and key[2] not in self.served and self._has_room(served):
            self.served[key[2]] = served
        self._lost[key] = _bound(join([*self._lost.get(key, ()), span]))

    def add_missing(self, key: Key, span: Span) -> None:
        """Note that what was lost in it cannot be filled, though it was said to be."""
        self.add_lost(key, span)
        if key in self._filled:
            self._filled[key] = subtract(self._filled[key], [span])

    def add_filled(self, key: Key, span: Span) -> None:
        """Note that what was lost in it came later; of too many spans the oldest are forgotten, which is unknown."""
        if key in self._filled or len(self._filled) < MOST_ROWS:
            self._filled[key] = join([*self._filled.get(key, ()), span])[-MOST_SPANS:]

    def lost_of(self, channel: str, symbol: str) -> list[Span]:
        """Return what was lost of a channel of an instrument, filled or not."""
        return join(
            span
            for key, spans in self._lost.items()
            if is_about(key, channel, symbol, self.served.get(key[2] or ""))
            for span in spans
        )

    def save(self) -> Any:
        """Return the HourLedger as a struct: of an instrument only what is not of all of them anyway."""
        rows = [self._row(key) for key in sorted(self._lost.keys() | self._filled.keys(), key=_order)]
        serves = {connection: served.listed for connection, served in self.served.items()}
        return _HOUR(rows=[row for row in rows if row.lost or row.filled], serves=serves)

    def _has_room(self, served: ServedSet) -> bool:
        held = [*self.served.values(), served]
        return sum(len(one.symbols or ()) for each in held for one in each.listed) <= MOST_SERVED

    def _row(self, key: Key) -> Any:
        begin, (channel, symbol, connection) = self.hour * HOUR_NS, key
        wider: list[Key] = [ALL, (channel, None, None)]
        whole: Key = (None, None, connection)
        served = self.served.get(connection or "")
        if connection is not None and (symbol is None or is_about(whole, channel or "", symbol, served)):
            wider += [whole, (channel, None, connection)]
        covered = join(span for other in wider if other != key for span in self._lost.get(other, ()))
        lost = subtract(self._lost.get(key, []), covered)
        return _ROW(
            channel=channel,
            symbol=symbol,
            lost=[(start - begin, end - begin) for start, end in lost],
            filled=[(start - begin, end - begin) for start, end in self._filled.get(key, ())],
            **({} if connection is None else {"connection": connection}),
        )


def read_rows(hour: int, document: Any) -> Rows:
    """Return what an HourLedger holds."""
    rows, begin = Rows(hour), hour * HOUR_NS
    rows.served = {connection: ServedSet(listed) for connection, listed in document.serves.items()}
    for row in document.rows:
        key = (row.channel, row.symbol, row.connection or None)
        for start, end in row.lost:
            rows.add_lost(key, (begin + start, begin + end))
        for start, end in row.filled:
            rows.add_filled(key, (begin + start, begin + end))
    return rows


def _bound(spans: list[Span]) -> list[Span]:
    while len(spans) > MOST_SPANS:
        at = min(range(len(spans) - 1), key=lambda index: spans[index + 1][0] - spans[index][1])
        spans[at : at + 2] = [(spans[at][0], spans[at + 1][1])]
    return spans


def _order(key: Key) -> tuple[bool, str, str, str]:
    return key[1] is not None, key[1] or "", key[0] or "", key[2] or ""
