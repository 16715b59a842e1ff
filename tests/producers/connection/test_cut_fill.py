"""A cut by itself has its trades fetched: of an instrument that trades no more they are published, or named."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import pytest

from contracts.instrument import make_instrument
from producers.connection.filling import TradeFiller
from producers.connection.interfaces import TradesAnswer
from producers.connection.trade_gaps import Hole
from producers.connection.wanted import FIRST_PAUSE, OPEN_PAUSE
from producers.normalize.messages import Message, Route
from producers.normalize.writer import write_event
from producers.registry import VENUES
from producers.rest.history import make_trade
from producers.simulator.faults import Fault
from producers.venue import Venue
from tests.producers.connection.filling import until, worlds

BTC = make_instrument("bybit", "BTC/USDT", "BTCUSDT")
SECOND = 1_000_000_000
START = 1_763_700_000 * SECOND
BACK = START + 60 * SECOND  # the connection is back
NAMED = tuple(
    sorted(
        venue.id
        for venue in VENUES.values()
        if venue.resume is None and venue.rest.history is not None and venue.rest.history.same_trade_ids
    )
)


def row(number: int, second: float) -> Any:
    ts = START + int(second * SECOND)
    figures = {"price": "1", "amount": "1", "side": "buy"}
    return make_trade(BTC, str(number), ts, ts_recv=ts, sim=False, **figures)


def venue_of(rows: list[Any], counted: Any) -> Venue:
    """A venue whose history answers with these rows."""
    venue = VENUES["bybit"]
    history = venue.rest.history
    assert history is not None
    answer = replace(history, decode_trades=lambda *_args, **_more: list(rows))
    return replace(venue, trades_counted=counted, rest=replace(venue.rest, history=answer))


@dataclass
class Cut:
    """A filler of one instrument, of which the trades 1 to 3 were received before a cut; what it published and said."""

    counted: Any = None
    history: list[Any] = field(default_factory=list[Any])
    published: list[Message] = field(default_factory=list[Message])
    said: list[tuple[str, list[Any], list[Any]]] = field(default_factory=list[tuple[str, list[Any], list[Any]]])

    def __post_init__(self) -> None:
        venue = venue_of(self.history, self.counted)
        self.filler = TradeFiller(venue, lambda _symbol: BTC, self.published.append, self._say)
        self.connect()
        for number in (1, 2, 3):
            self.stream(row(number, number))
        self.filler.on_close()
        self.connect()

    def connect(self) -> None:
        self.route = Route("trade", BTC.symbol)
        self.filler.on_route(self.route)

    def _say(self, symbol: str, reason: str, filled: list[Any], missing: list[Any]) -> None:
        assert symbol == BTC.symbol
        self.said.append((reason, filled, missing))

    def stream(self, trade: Any, hole: Hole | None = None) -> bool:
        """Receive a trade; returns whether it is published."""
        message = write_event(trade, BTC.tail, self.route)
        self.route.keep(message)
        return BTC.symbol not in self.filler.watched or self.filler.on_trade(message, hole, ts=trade.ts_recv)

    def answer(self, rows: Sequence[Any] | None) -> None:
        """Receive rows of the venue's history."""
        self.history[:] = rows or ()
        body = None if rows is None else b"rows"
        self.filler.on_answer(TradesAnswer(BTC, body, BACK + 5 * SECOND, simulated=False))

    def ids(self) -> list[str]:
        return [msgspec.json.decode(message.parts[-2])["trade_id"] for message in self.published]


def test_a_cut_wants_its_trades_as_soon_as_the_stream_goes_on() -> None:
    cut = Cut()
    assert not cut.filler.take_due()
    cut.filler.on_confirmed(ts=BACK)
    (wanted,) = cut.filler.take_due()
    assert (wanted.instrument, wanted.pause) == (BTC, OPEN_PAUSE)
    cut.answer([row(number, number) for number in range(1, 7)])
    assert cut.ids() == ["4", "5", "6"]
    ((reason, (filled,), missing),) = cut.said
    assert (reason, missing) == ("the connection was cut", [])
    assert (filled.trades, filled.start_ts, filled.end_ts) == (3, START + 3 * SECOND, BACK)
    assert wanted.is_done
    assert not cut.filler.take_due()


def test_a_quiet_instrument_is_said_to_have_lost_nothing() -> None:
    cut = Cut()
    cut.filler.on_confirmed(ts=BACK)
    cut.answer([row(number, number) for number in (1, 2, 3)])
    ((_, (filled,), missing),) = cut.said
    assert (filled.trades, filled.end_ts, missing, cut.published) == (0, BACK, [], [])


def test_what_the_stream_brings_itself_is_left_to_it() -> None:
    cut = Cut()
    cut.filler.on_confirmed(ts=BACK)
    cut.answer([row(number, number) for number in (1, 2, 3, 4)] + [row(5, 62)])
    assert cut.ids() == ["4"]
    assert cut.stream(row(5, 62)), "it is published by the stream"


def test_the_next_trade_ends_the_hole_where_it_comes_first() -> None:
    cut = Cut()
    cut.filler.on_confirmed(ts=BACK)
    (first,) = cut.filler.take_due()
    assert cut.stream(row(8, 61))
    assert first.is_done, "it is not fetched any more"
    (second,) = cut.filler.take_due()
    assert second.pause == FIRST_PAUSE
    cut.answer([row(number, number) for number in range(1, 8)] + [row(8, 61)])
    assert cut.ids() == ["4", "5", "6", "7"]


def test_the_next_trade_has_what_history_lacked_before_it() -> None:
    cut = Cut()
    cut.filler.on_confirmed(ts=BACK)
    cut.answer([row(number, number) for number in range(1, 5)])
    assert not cut.stream(row(4, 4)), "it was filled in"
    assert cut.stream(row(7, 90))
    cut.answer([row(number, number) for number in range(1, 7)] + [row(7, 90)])
    assert cut.ids() == ["4", "5", "6"]
    assert not cut.stream(row(4, 4))
    assert [one.trades for _, filled, _ in cut.said for one in filled] == [1, 2]


def test_history_that_begins_after_a_hole_gives_it_nothing_of_the_next_one() -> None:
    cut = Cut()
    assert cut.stream(row(10, 10))
    cut.filler.on_close()
    cut.connect()
    assert cut.stream(row(20, 20))
    assert len(cut.filler.wanted) == 2
    cut.answer([row(number, number) for number in range(15, 22)])
    (_, filled, (missing,)) = cut.said.pop()
    assert (cut.ids(), filled, missing.start_ts) == ([], [], START + 3 * SECOND)
    assert missing.end_ts == START + 10 * SECOND
    cut.answer([row(number, number) for number in range(15, 22)])
    (_, (filled,), (missing,)) = cut.said.pop()
    assert (cut.ids(), filled.trades) == (["15", "16", "17", "18", "19"], 5)
    assert (missing.start_ts, missing.end_ts) == (START + 10 * SECOND, START + 15 * SECOND)


def test_trades_of_before_the_cut_by_their_times_are_neither_doubled_nor_an_end_of_the_hole() -> None:
    cut = Cut()
    assert cut.stream(row(7, 2.5)), "it is published by the stream"
    cut.filler.on_close()
    cut.connect()
    assert cut.stream(row(6, 2.5))
    assert cut.stream(row(8, 61))
    cut.answer([row(1, 1), row(2, 2), row(3, 3), row(4, 4), row(7, 2.5), row(5, 5), row(6, 2.5), row(8, 61)])
    assert cut.ids() == ["4", "5"]


def test_a_venue_that_counts_is_not_asked_twice() -> None:
    cut = Cut("trade_id")
    cut.filler.on_confirmed(ts=BACK)
    cut.answer([row(number, number) for number in range(1, 7)])
    assert cut.stream(row(7, 90), Hole("trades 4 to 6 were not received", 4, 6))
    assert not cut.filler.take_due()
    assert [(reason, filled[0].trades, missing) for reason, filled, missing in cut.said] == [
        ("the connection was cut", 3, []),
        ("trades 4 to 6 were not received", 0, []),
    ]
    assert cut.stream(row(8, 91))
    assert BTC.symbol in cut.filler.watched, "what was filled in may come by the stream yet"


def test_what_cannot_be_had_is_named_and_the_next_trade_tries_again() -> None:
    cut = Cut()
    cut.filler.on_confirmed(ts=BACK)
    for _ in range(3):
        cut.answer(None)
    ((reason, filled, (missing,)),) = cut.said
    assert reason.endswith("the next trade tries again")
    assert (filled, missing.start_ts, missing.end_ts, missing.trades) == ([], START + 3 * SECOND, BACK, None)
    assert cut.stream(row(5, 61))
    cut.answer([row(1, 1), row(2, 2), row(3, 3), row(4, 4), row(5, 61)])
    assert cut.ids() == ["4"]


def test_the_next_cut_starts_again() -> None:
    cut = Cut()
    cut.filler.on_confirmed(ts=BACK)
    (first,) = cut.filler.take_due()
    cut.filler.on_close()
    assert first.is_done
    assert not cut.filler.take_due()
    cut.filler.on_confirmed(ts=BACK + 60 * SECOND)
    assert len(cut.filler.take_due()) == 1
    cut.answer([row(number, number) for number in range(1, 5)])
    assert cut.ids() == ["4"]


def test_trades_that_the_decoder_lost_are_wanted_at_once() -> None:
    cut = Cut()
    cut.stream(row(4, 61))
    cut.filler.wanted.clear()
    cut.filler.on_gap(None, "a row could not be read", ts=BACK)
    (wanted,) = cut.filler.take_due()
    assert (wanted.cause, wanted.pause) == ("a row could not be read", OPEN_PAUSE)


@pytest.mark.timeout(240)
async def test_a_cut_is_filled_in_though_no_trade_comes_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("producers.connection.wanted.OPEN_PAUSE", 0.5)
    async with worlds(NAMED) as found:
        for one in found:
            await until(lambda one=one: one.is_live() and one.has_traded(), f"{one.venue}: live", 60.0)
            one.begin()
            one.sim.inject(Fault(one.venue, "silence", channel="trades", count=None))
        await asyncio.gather(*(one.cut(1.0) for one in found))
        for one in found:
            symbols = {item.symbol for item in one.producer.instruments}
            await until(
                lambda one=one, symbols=symbols: {name for name, _ in one.said("filled")} >= symbols,
                f"{one.venue}: what the cut hid is filled in",
            )
            assert one.backfilled(), one.venue
            assert (one.venue, one.doubled()) == (one.venue, [])
