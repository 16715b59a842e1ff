"""How decoders make events: one maker for each instrument and kind, which has the constants and takes the rest. Pure.

`Makers.maker("trade", instrument)` returns a function; called with a frame's values it returns the event. Without
`written` that is the struct of contracts.codec; with it a `Message`, which is the event as the bus gets it, written in
one step (producers.normalize.writer). Decoders do not know which, and may not read what they made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from contracts.codec import EVENTS, fast
from contracts.errors import FrameError
from contracts.instrument import Instrument
from contracts.numbers import INT64_MAX, INT64_MIN, time_fault
from producers.normalize.messages import Route
from producers.normalize.writer import LONGEST_ID, UNLESS_SAID, by_numbers, make_writer
from producers.venue import Unreadable

_INTEGERS: Final[dict[str, tuple[str, ...]]] = {
    "trade": ("seq",),
    "ticker": ("seq",),
    "book": ("seq", "venue_checksum"),
    "delta": ("seq", "prev_seq"),
    "funding": ("next_ts",),
    "candle": ("start_ts", "trades"),
}
_read_levels: Final = msgspec.json.Decoder(list[tuple[str, str]]).decode
Maker = Callable[..., Any]  # (*, id, ts_recv, and the kind's fields) -> event, Message or Unreadable


@dataclass(frozen=True, slots=True)
class Makers:
    """Makes the makers of one connection. `sim` marks every event.

    `recorded`: the time of receipt may be that of another clock, so that the venue's time is not held to it.
    """

    sim: bool
    written: bool = False
    recorded: bool = False
    routes: dict[tuple[str, str], Route] = field(default_factory=dict[tuple[str, str], Route], compare=False)

    def maker(self, kind: str, instrument: Instrument, *, numbered: str | None = None, **known: Any) -> Maker:
        """Return the maker of a kind; `known` are fields that are the same in every frame.

        Where ids are a text that is always the same and a number, `numbered` is the text: the maker takes that `number`
        in place of the `id`, and of a trade's `trade_id`. That is the cheapest way, since nothing is to be checked.

        What the contract refuses, of that which decoders do not check themselves, becomes an `Unreadable`.
        """
        constants = _constants(instrument, sim=self.sim) | known
        make = _struct_maker(kind, constants, recorded=self.recorded)
        if self.written:
            route = self.routes.setdefault((kind, instrument.symbol), Route(kind, instrument.symbol))
            return make_writer(route, instrument.tail, constants, make, numbered=numbered)
        return make if numbered is None else by_numbers(kind, numbered, make)

    def of(self, instrument: Instrument) -> InstrumentMakers:
        """Return the makers of every kind."""
        return InstrumentMakers(instrument, self)


class InstrumentMakers:
    """The makers of one instrument on one connection, by kind; each is made when it is first used."""

    __slots__ = ("_instrument", "_makers", "candle", "delta", "funding", "interest", "liquidation", "ticker", "trade")
    candle: Maker
    delta: Maker
    funding: Maker
    interest: Maker
    liquidation: Maker
    ticker: Maker
    trade: Maker

    def __init__(self, instrument: Instrument, makers: Makers) -> None:
        self._instrument = instrument
        self._makers = makers

    def __getattr__(self, kind: str) -> Maker:
        if kind not in EVENTS:
            raise AttributeError(kind)
        made = self._makers.maker(kind, self._instrument)
        setattr(self, kind, made)
        return made


def make_event(kind: str, instrument: Instrument, *, sim: bool, **values: Any) -> Any:
    """Return one event as a struct; values are not checked. For what is read over REST."""
    return _blank(kind, _constants(instrument, sim=sim) | values)


def book_maker(instrument: Instrument, sim: bool) -> Maker:  # noqa: FBT001 - as runtime.book calls it
    """Return the maker of an instrument's book snapshots, as the bus gets them."""
    return Makers(sim=sim, written=True).maker("book", instrument)


def _constants(instrument: Instrument, *, sim: bool) -> dict[str, Any]:
    return {
        "venue": instrument.venue,
        "symbol": instrument.symbol,
        "venue_symbol": instrument.venue_symbol,
        "sim": sim,
    }


def _struct_maker(kind: str, constants: dict[str, Any], *, recorded: bool) -> Maker:
    blank = _blank(kind, constants)
    integers = _INTEGERS.get(kind, ())

    def make(**values: Any) -> Any:
        for side in ("bids", "asks"):
            if isinstance(values.get(side), Raw):
                values[side] = _read_levels(values[side])
        event = replace(blank, **values)
        fault = _fault(event, integers, 0 if recorded else event.ts_recv)
        return event if fault is None else Unreadable(b"", FrameError(f"{kind} of {event.symbol}: {fault}"))

    return make


def _fault(event: Any, integers: tuple[str, ...], latest: int) -> str | None:
    """Return what the contract refuses of an event; the venue's time is held to `latest`, unless that is 0."""
    for name in integers:
        value = getattr(event, name)
        if value is not None and not INT64_MIN <= value <= INT64_MAX:
            return f"{name} {value} is no int64"
    if event.ts_event is not None and event.ts_event > INT64_MAX:
        return f"ts_event {event.ts_event} is no int64"
    if (fault := time_fault(event.ts_event, latest)) is not None:
        return fault
    if not (event.id.isascii() and _is_name(event.id)):
        return f"the id is empty, longer than {LONGEST_ID} or not printable ASCII: {event.id[:40]!r}"
    if event.kind == "trade" and not _is_name(event.trade_id):
        return f"the trade_id is empty, longer than {LONGEST_ID} or not printable: {event.trade_id[:40]!r}"
    return None


def _is_name(text: str) -> bool:
    return 0 < len(text) <= LONGEST_ID and text.isprintable()


def _blank(kind: str, values: dict[str, Any]) -> Any:
    """Return an event that says only this: it is valid when what its kind requires is filled in."""
    required = (name for name, field in EVENTS[kind].model_fields.items() if field.is_required())
    return fast(EVENTS[kind])(**({name: UNLESS_SAID.get(name) for name in required} | values))
