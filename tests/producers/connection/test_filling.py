"""Cuts and holes of every simulated exchange's trades: each trade is published once, or the span of it is named."""

from __future__ import annotations

import asyncio
import random
import sys
from contextlib import suppress
from decimal import Decimal

import pytest

from consumers.candles.core import CandleBook
from contracts import subjects
from contracts.instrument import SPOT, make_instrument
from producers.registry import VENUES
from producers.simulator.market.candles import MINUTE_US
from producers.simulator.market.instruments import number_text
from producers.simulator.venues.indodax.channels import KEPT, TRADES
from tests.producers.connection.filling import World, until, worlds

ALL = tuple(sorted(VENUES))
pytestmark = pytest.mark.timeout(300)
# Whose history names trades otherwise than their streams, or has few of them (of Bybit's spot 60, of Hyperliquid 30):
# they name what they miss, all others fill in everything.
SHORT = {"kucoin", "indodax", "hyperliquid", "bybit"}
NOTICED = {venue.id for venue in VENUES.values() if venue.trades_counted} | {"bitfinex", "indodax"}  # holes
HISTORY = {"kucoinfutures": 100}  # trades, of all others a thousand; bursts of the market have more within a long cut
LONG = 10.0  # seconds
UNCOUNTED = {("gate", "BTC/USDT:USDT")}  # of those, whose holes nothing shows


async def settled(found: list[World]) -> None:
    """Wait until nothing is to be fetched any more, and no cut waits for a trade."""
    for one in found:
        await until(one.is_settled, f"{one.venue}: everything is filled in", 60)


async def lose(one: World, frames: int) -> None:
    """Lose frames with trades until a hole is noticed, where the venue's messages show one."""
    before = one.gaps()
    one.drop(frames)
    while one.venue in NOTICED and one.gaps() == before:
        with suppress(AssertionError):  # it was of an instrument that is not counted, or nothing was traded yet
            await until(lambda: one.gaps() > before, f"{one.venue}: the hole is noticed", 5.0)
            return
        one.drop(frames)


async def begun(found: list[World]) -> None:
    """Wait until trades of every instrument come."""
    for one in found:
        await until(lambda one=one: one.is_live() and one.has_traded(), f"{one.venue}: live")
        one.begin()


async def stop(found: list[World]) -> None:
    """Let trades come behind every hole, and everything be filled in; then stop the exchanges for a look."""
    sim = found[0].sim
    sim.clear_faults()
    seen = {one.venue: len(one.lane.trades) for one in found}
    for one in found:
        await until(lambda one=one: one.has_traded(seen[one.venue]), f"{one.venue}: trades behind the last hole")
    await settled(found)
    sim.pause()
    with suppress(AssertionError):  # what does not come is found to be lost
        await until(lambda: all(one.has_newest() for one in found), "the newest trades", 20.0)
    await settled(found)
    for one in found:
        one.note()


def verify(one: World) -> str:
    """Hold one venue to what it published and said; returns the figures."""
    lost, missing = one.lost(), one.said("missing")
    unfilled = {symbol: keys for symbol, keys in lost.items() if keys and (one.venue, symbol) not in UNCOUNTED}
    assert (one.venue, one.doubled()) == (one.venue, [])
    for symbol, keys in unfilled.items():
        spans = [(said.start_ts // 10**6, said.end_ts // 10**6) for name, said in missing if name == symbol]
        stray = [ms for ms, _, _ in keys if not any(start <= ms <= end for start, end in spans)]
        assert (one.venue, symbol, stray) == (one.venue, symbol, [])
    for state in one.lane.states if one.venue not in SHORT else ():
        for said in state.missing or ():  # no later than that was the history asked for
            times = [fill.ts_us * 1000 for fill in one.traded[state.symbol].values()]
            traded = sum(said.start_ts <= ts <= state.ts_recv for ts in times)
            assert traded > HISTORY.get(one.venue, 1000), (one.venue, state.symbol, said, traded)
    assert sum(said.trades or 0 for _, said in one.said("filled")) == len(one.backfilled())
    for trade in one.backfilled():
        assert trade.id.endswith(trade.trade_id)
        assert trade.sim
    return (
        f"{one.venue}: {len(one.lane.trades)} trades, {len(one.backfilled())} filled in, {len(missing)} spans missing, "
        f"{sum(map(len, lost.values()))} not published"
    )


def verify_candles(one: World) -> int:
    """Compare the candles of what was published with the exchange's own, minute by minute; returns how many."""
    book = CandleBook()
    for trade in sorted(one.lane.trades, key=lambda trade: trade.ts_recv):
        tail = make_instrument(one.venue, trade.symbol, "").tail
        assert not book.fold([(subjects.TRADE + tail, trade)], 0)
    compared = 0
    named = {symbol for symbol, _ in one.said("missing")} | {
        symbol for venue, symbol in UNCOUNTED if venue == one.venue
    }
    for item in one.producer.instruments:
        if item.symbol in named:
            continue
        ours = book.list_current(item.tail, "1m")
        listing = one.listings[item.symbol]
        terms = listing.instrument
        for candle in ours[1:-1]:
            their = listing.candles.find(candle.start_ts // 1000, MINUTE_US)
            for name in ("open", "high", "low", "close"):
                assert Decimal(getattr(candle, name)) == Decimal(terms.price_text(getattr(their, name))), candle
            if item.contract == SPOT:
                assert Decimal(candle.volume) == Decimal(number_text(their.volume, terms.amount_scale, -1))
            compared += 1
    return compared


async def disturb(one: World, rounds: int, span: tuple[float, float]) -> None:
    """Cut every connection of a venue so many times, for a time within `span` (seconds), and lose frames as often."""
    rng = random.Random(f"{one.venue} {rounds}")
    for _ in range(rounds):
        await one.cut(rng.uniform(*span))
        seen = len(one.lane.trades)
        await until(lambda seen=seen: one.is_live() and one.has_traded(seen), f"{one.venue}: trades again", 90.0)
        if span[1] >= LONG:  # a simulated history has a thousand trades, and a paused producer fetches none
            await until(one.is_settled, f"{one.venue}: the cut is filled in", 90.0)
    await until(one.is_settled, f"{one.venue}: everything is filled in", 60)
    for number in range(rounds if one.venue in NOTICED else 0):
        await lose(one, 1 + number % 3)


async def run(venues: tuple[str, ...], rounds: int, span: tuple[float, float]) -> dict[str, World]:
    """Disturb these venues beside each other; return what came of each."""
    async with worlds(venues) as found:
        await begun(found)
        await asyncio.gather(*(disturb(one, rounds, span) for one in found))
        await stop(found)
        return {one.venue: one for one in found}


async def test_every_trade_of_a_cut_or_hole_is_published_once_or_its_span_is_named() -> None:
    for one in (await run(ALL, 2, (0.3, 1.0))).values():
        verify(one)


async def test_what_a_venue_that_continues_its_streams_no_longer_has_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KEPT, TRADES, 2)
    one = (await run(("indodax",), 2, (2.0, 3.0)))["indodax"]
    verify(one)
    assert any(said.end_ts - said.start_ts > 10**9 for _, said in one.said("missing"))
    assert any(one.lost().values())


@pytest.fixture(scope="module")
def disturbed(request: pytest.FixtureRequest) -> dict[str, World]:
    """The venues whose tests were chosen, each after a hundred cuts of 1 to 30 s and a hundred holes, all at once."""
    chosen = {item.name.partition("[")[2].removesuffix("]") for item in request.session.items}
    return asyncio.run(run(tuple(venue for venue in ALL if venue in chosen), 100, (1.0, 30.0)))


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("venue", ALL)
def test_a_hundred_cuts_and_holes_lose_and_double_nothing(disturbed: dict[str, World], venue: str) -> None:
    """`-k binance` runs those of that name alone."""
    figures = verify(disturbed[venue])
    sys.stdout.write(f"{figures}, {verify_candles(disturbed[venue])} candles equal\n")
