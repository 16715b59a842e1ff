"""Which connection a status is of, on real sockets: a cut or a silence of one is of what comes over it alone."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from consumers.candles.gaps import Gaps
from consumers.coverage.core import VenueBook
from contracts.instrument import make_instrument
from producers.connection.identity import LISTED_EVERY_NS, Identity, find_served
from producers.producer import Producer
from producers.simulator.faults import Fault
from producers.venue import ConnectionPlan, Subscription, Venue
from runtime.coverage.connections import ServedSet
from runtime.coverage.spans import SECOND, cut, join

BTC, ETH = (make_instrument("binance", f"{base}/USDT", f"{base}USDT") for base in ("BTC", "ETH"))


# ---- what is served
def test_instruments_with_the_same_channels_are_listed_together_in_whatever_order_they_are() -> None:
    items = [
        Subscription("b", "book", ETH), Subscription("a", "trade", BTC), Subscription("c", "book", BTC),
        Subscription("d", "ticker", BTC), Subscription("e", "ticker", BTC), Subscription("f", "liquidation", None),
    ]  # fmt: skip
    served = find_served(items)
    assert [(one.channels, one.symbols) for one in served] == [
        (["liquidation"], None), (["book"], ["ETH/USDT"]), (["book", "ticker", "trade"], ["BTC/USDT"]),
    ]  # fmt: skip
    assert Identity(plan(items)).id == Identity(plan(items[::-1])).id != Identity(plan(items[1:])).id
    found = ServedSet(served)
    assert found.has("trade", "BTC/USDT")
    assert not found.has("trade", "ETH/USDT")
    assert found.has("liquidation", "ETH/USDT")


def test_too_many_instruments_are_every_one() -> None:
    many = [Subscription(f"{n}", "trade", replace(BTC, symbol=f"S{n}/USDT")) for n in range(1001)]
    (one,) = find_served(many)
    assert (one.channels, one.symbols) == (["trade"], None)


def test_what_is_served_is_listed_first_and_every_ten_minutes_apart_for_what_follows_from_inputs() -> None:
    identity = Identity(plan([Subscription("a", "trade", BTC)]))
    taken = [identity.take_serves(at, derived=derived) is not None for at in (0, 1, 2) for derived in (True, False)]
    assert taken == [True, True, False, False, False, False]
    identity.list_again()
    assert identity.take_serves(3, derived=True) is None
    assert identity.take_serves(3, derived=False) is not None
    assert identity.take_serves(LISTED_EVERY_NS, derived=True) is not None


def plan(items: list[Subscription]) -> ConnectionPlan:
    return ConnectionPlan("public.0", "spot", "", tuple(items), ())


# ---- real sockets
def one_each(venue: Venue) -> Venue:
    """Return the venue with a connection for each instrument."""

    def split(base: str, instruments: Any, channels: Any) -> tuple[ConnectionPlan, ...]:
        return tuple(
            replace(one, name=f"{one.name}.{number}")
            for number, item in enumerate(instruments)
            for one in venue.plan(base, [item], channels)
        )

    return replace(venue, plan=split)


def feed_of(producer: Producer, symbol: str) -> Any:
    return next(feed for feed in producer.feeds if [item.symbol for item in feed.plan.books] == [symbol])


def all_live(r: Any) -> bool:
    return r.all_books_live() and all(feed.live for feed in r.producer.feeds) and last_state(r) == "live"


def last_state(r: Any) -> str | None:
    return next((state for state, channel, symbol, _ in reversed(r.bus.states) if channel is symbol is None), None)


class Followed:
    """What the ledger and the candles make of what a producer published since `start`."""

    def __init__(self, r: Any, start: int) -> None:
        self._book, self._gaps, self._start = VenueBook("binance"), Gaps(), start
        self.events = list(r.bus.by_kind["feed"])
        self._end = self.events[-1].ts_recv + 1
        for event in self.events:
            self._book.on_status(event)
            self._gaps.on_status(event)
        assert self._book.states.lasting == {}

    def lost(self, symbol: str, channel: str = "trade") -> list[tuple[int, int]]:
        """Return when a channel was unknown; of trades the candles are asked, too."""
        spans = join(span for rows in self._book.hours.values() for span in rows.lost_of(channel, symbol))
        found = cut(spans, self._start, self._end)
        if channel == "trade":
            gaps = [span for span in self._gaps.list_spans("binance", symbol, self._end) if span[0] < span[1]]
            assert join([*cut(gaps, self._start, self._end), *found]) == found  # they lack what was filled
        return found


@contextmanager
def limits(r: Any, seconds: dict[str, float]) -> Generator[None]:
    """Let channels be silent for so many seconds only."""
    for feed in r.producer.feeds:
        feed._patience.limit = lambda item: seconds.get(item.channel)
    yield
    for feed in r.producer.feeds:
        del feed._patience.limit


async def test_a_cut_of_one_connection_is_of_its_instruments_alone(rig: Any) -> None:
    async with rig("binance", change_venue=one_each) as r:
        await r.until(lambda: all_live(r), "all live")
        start = r.bus.by_kind["feed"][-1].ts_recv + 1
        feed_of(r.producer, "BTC/USDT").reconnect("a test")
        await r.until(lambda: last_state(r) == "connecting", "it is worse than live")
        await r.until(lambda: all_live(r), "all live again")
        followed = Followed(r, start)
        down, back = [event.ts_recv for event in followed.events if event.connections][-2:]
        for channel in ("trade", "ticker"):
            assert followed.lost("ETH/USDT", channel) == []
            lost = followed.lost("BTC/USDT", channel)
            assert abs(sum(b - a for a, b in lost) - (back - down)) < SECOND
        assert followed.lost("ETH/USDT", "book") == []
        assert followed.lost("BTC/USDT", "book") != []
        said = [event for event in followed.events if event.serves]
        assert {event.connection for event in said} == {feed.session.identity.id for feed in r.producer.feeds}
        assert len(said) <= 6  # of each connection first, and once more with what follows from its frames


async def test_a_connection_that_falls_silent_is_unknown_since_its_last_frame(rig: Any) -> None:
    quiet = {"quiet": 1.5, "ping_every": 60.0}
    async with rig("binance", change_venue=one_each, policy=quiet, heartbeats={}) as r:
        await r.until(lambda: all_live(r), "all live")
        start = r.bus.by_kind["feed"][-1].ts_recv + 1
        downs = feed_of(r.producer, "BTC/USDT").reconnects
        r.sim.inject(Fault(venue="binance", kind="silence", symbol="BTCUSDT", count=None))
        await r.until(lambda: feed_of(r.producer, "BTC/USDT").reconnects > downs, "the silence was noticed", 20)
        r.sim.clear_faults()
        await r.until(lambda: all_live(r), "all live again", 20)
        followed = Followed(r, start)
        noticed = next(e for e in followed.events if e.ts_recv > start and e.state == "down" and e.channel == "trade")
        came = max(e.ts_recv for kind in ("trade", "ticker", "delta") for e in r.bus.by_kind[kind]
                   if e.symbol == "BTC/USDT" and e.ts_recv < noticed.ts_recv)  # fmt: skip
        assert abs(noticed.since - came) < SECOND // 2
        assert noticed.ts_recv - noticed.since > SECOND
        for channel in ("trade", "book"):
            lost = followed.lost("BTC/USDT", channel)
            assert abs(lost[0][0] - noticed.since) < SECOND // 2
            assert lost[-1][1] > noticed.ts_recv
            assert followed.lost("ETH/USDT", channel) == []


async def test_a_channel_that_falls_silent_is_unknown_since_its_last_event_and_other_channels_are_not(rig: Any) -> None:
    async with rig("binance") as r:
        await r.until(lambda: all_live(r), "all live")
        start = r.bus.by_kind["feed"][-1].ts_recv + 1
        with limits(r, {"book": 1.5}):
            r.sim.inject(Fault(venue="binance", kind="silence", channel="depth", count=None))
            await r.until(lambda: any(state[0] == "stale" for state in r.bus.states), "the silence was noticed", 20)
        r.sim.clear_faults()
        await r.until(lambda: all_live(r), "all live again", 30)
        followed = Followed(r, start)
        noticed = next(event.ts_recv for event in followed.events if event.state == "stale")
        for symbol in ("BTC/USDT", "ETH/USDT"):  # the first one that is noticed stands for all, where none had any
            came = max(e.ts_recv for e in r.bus.by_kind["delta"] if e.symbol == symbol and e.ts_recv < noticed)
            lost = followed.lost(symbol, "book")
            assert abs(lost[0][0] - came) < SECOND
            assert lost[0][0] < noticed - SECOND
            trades = followed.lost(symbol)
            assert not trades or trades[0][0] >= noticed
        session, now = r.producer.feeds[0].session, followed.events[-1].ts_recv + SECOND
        session.auditor.proven["BTC/USDT"] = now - 5 * SECOND  # quiet, and then found to be the exchange's
        session.silent("book", "BTC/USDT", ts=now, reason="a test", since=now - 30 * SECOND)
        (quiet,) = [event for event in r.bus.by_kind["feed"] if event.reason == "a test"]
        assert quiet.since == now - 5 * SECOND
