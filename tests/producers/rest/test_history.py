"""A venue's past as it is answered on the bus: right spans, order and sums, for every venue that has one."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import replace
from decimal import Decimal

import pytest

from contracts.errors import HydrophoneError, InvalidParameterError
from contracts.instrument import make_instrument
from contracts.services.candles import HistoryQuery, HistoryReply, TradeHistoryQuery, TradeHistoryReply
from producers.history_service import HistoryService
from producers.registry import VENUES
from producers.rest.history import SECOND, SECONDS, FastCandle, assemble, candle_id, list_spans, source_of, start_of
from producers.venue import Span

BTC = make_instrument("binance", "BTC/USDT", "BTCUSDT")
HAS_PAST = [name for name, venue in sorted(VENUES.items()) if venue.rest.history is not None]
HAS_PAGES = [
    name for name in HAS_PAST if (past := VENUES[name].rest.history) is not None and past.older_trades_call is not None
]
MINUTE = 60 * SECOND


def candle(start, price, *, amount="1", count: int | None = 2, timeframe="1m"):
    return FastCandle(
        id=candle_id(BTC, timeframe, start),
        venue="binance",
        symbol="BTC/USDT",
        venue_symbol="BTCUSDT",
        ts_event=None,
        ts_recv=10**19 // 10,
        sim=True,
        timeframe=timeframe,
        open=str(price),
        high=str(price + 2),
        low=str(price - 1),
        close=str(price + 1),
        volume=amount,
        quote_volume=None,
        trades=count,
        closed=True,
        start_ts=start,
    )


def history(*timeframes, most=1000):
    real = VENUES["binance"].rest.history
    assert real is not None
    return replace(real, timeframes=frozenset(timeframes), most_candles=most)


def test_weeks_begin_on_monday():
    assert time.gmtime(start_of("1w", 1_763_700_000 * SECOND) // SECOND)[:7] == (2025, 11, 17, 0, 0, 0, 0)


def test_missing_time_frame_is_made_of_the_largest_that_divides_it():
    assert source_of(history("1m", "5m", "15m"), "30m") == "15m"
    assert source_of(history("1h", "1d"), "4h") == "1h"
    assert source_of(history("1d"), "1w") == "1d"
    with pytest.raises(InvalidParameterError, match="1m"):
        source_of(history("1h"), "1m")


def test_span_is_asked_for_in_pages_that_meet():
    wanted = Span("1m", 0, 2500 * MINUTE, 1000)
    found = list_spans(history("1m", most=300), wanted)
    assert [(page.start_ts // MINUTE, page.end_ts // MINUTE) for page in found] == [
        (2200, 2500),
        (1900, 2200),
        (1600, 1900),
        (1500, 1600),
    ]


def test_span_that_takes_too_many_calls_is_refused():
    with pytest.raises(InvalidParameterError, match="calls"):
        list_spans(history("1m", most=10), Span("1m", 0, 1000 * MINUTE, 1000))


def test_larger_candles_are_exact_sums_of_smaller_ones():
    rng = random.Random(2)
    small = [candle(n * MINUTE, rng.randint(100, 200), amount=f"{rng.random():.8f}") for n in range(30)]
    rng.shuffle(small)
    large = assemble(small + small[:5], Span("15m", 0, 30 * MINUTE, 10), BTC)
    ordered = sorted(small, key=lambda item: item.start_ts)
    assert [item.start_ts // MINUTE for item in large] == [0, 15]
    for number, item in enumerate(large):
        part = ordered[number * 15 : number * 15 + 15]
        assert (item.open, item.close) == (part[0].open, part[-1].close)
        assert Decimal(item.high) == max(Decimal(one.high) for one in part)
        assert Decimal(item.low) == min(Decimal(one.low) for one in part)
        assert Decimal(item.volume) == sum(Decimal(one.volume) for one in part)
        assert item.quote_volume is None
        assert item.trades == 30


@pytest.mark.parametrize("venue", HAS_PAST)
async def test_venue_answers_its_candles_and_trades(rig, venue):
    own = VENUES[venue].rest.history
    assert own is not None
    async with rig(venue, symbols=("BTC",)) as r:
        await r.until(lambda: r.producer.feeds and r.bus.counts["trade"] > 10, "instruments and trades")
        service = HistoryService({venue: r.producer})
        now = time.time_ns()
        for instrument in r.producer.instruments:
            for timeframe in SECONDS:
                length = SECONDS[timeframe] * SECOND
                end = start_of(timeframe, now) + length
                ask = {
                    "venue": venue,
                    "symbol": instrument.symbol,
                    "timeframe": timeframe,
                    "start_ts": end - 5 * length,
                    "end_ts": end,
                    "limit": 5,
                }
                reply = HistoryReply.model_validate_json(await service.answer_candles(HistoryQuery.model_validate(ask)))
                assert reply.error is None, (timeframe, reply.error)
                starts = [item.start_ts for item in reply.candles]
                assert starts == [end - n * length for n in range(len(starts), 0, -1)], timeframe
                assert len(starts) >= 4
                assert all(item.timeframe == timeframe and item.sim for item in reply.candles)
                assert all(item.low <= min(item.open, item.close) for item in reply.candles)
                assert all(item.high >= max(item.open, item.close) for item in reply.candles)
                assert [item.closed for item in reply.candles[:-1]] == [True] * (len(starts) - 1)
            reply = await recent_trades(service, venue, instrument.symbol)
            live = {item.id for item in r.bus.by_kind["trade"] if item.symbol == instrument.symbol}
            assert reply.error is None
            assert reply.trades == sorted(reply.trades, key=lambda item: item.ts_event or 0)
            assert reply.trades
            if not own.same_trade_ids:
                assert all(item.trade_id.startswith("rest-") for item in reply.trades)
            elif live:
                for _ in range(50):
                    if {item.id for item in reply.trades} & live:
                        break
                    await asyncio.sleep(0.1)
                    reply = await recent_trades(service, venue, instrument.symbol)
                    live = {item.id for item in r.bus.by_kind["trade"] if item.symbol == instrument.symbol}
                assert {item.id for item in reply.trades} & live, "REST and socket give a trade the same id"


async def recent_trades(service, venue, symbol):
    query = TradeHistoryQuery(venue=venue, symbol=symbol, limit=50)
    return TradeHistoryReply.model_validate_json(await service.answer_trades(query))


@pytest.mark.parametrize("venue", HAS_PAGES)
async def test_older_trades_are_those_right_before_one(rig, venue):
    async with rig(venue, symbols=("BTC",)) as r:
        await r.until(lambda: r.producer.feeds and r.bus.counts["trade"] > 30, "instruments and trades")
        instrument, past = r.producer.instruments[0], VENUES[venue].rest.history
        assert past is not None
        assert past.older_trades_call is not None

        async def fetch(call):
            answer = await r.producer.rest.request(call)
            rows = past.decode_trades(answer.body, instrument, ts_recv=answer.ts_recv, sim=True)
            return rows if rows[0].ts_event < rows[-1].ts_event else rows[::-1]

        newest = await fetch(past.trades_call(instrument, past.most_trades))
        assert len(newest) > 20
        chosen, ids = newest[-10], [trade.id for trade in newest]
        older = [trade.id for trade in await fetch(past.older_trades_call(instrument, 5, chosen))]
        if chosen.id in older:  # of some it comes again, and those of the same millisecond
            older = older[: older.index(chosen.id)]
        at = ids.index(chosen.id)
        assert older
        assert older[-5:] == ids[at - len(older[-5:]) : at]


@pytest.mark.parametrize("venue", HAS_PAST[:1])
async def test_bad_questions_are_refused_by_name(rig, venue):
    async with rig(venue, symbols=("BTC",)) as r:
        await r.until(lambda: r.producer.feeds, "instruments")
        service = HistoryService({venue: r.producer})
        good = {"venue": venue, "symbol": "BTC/USDT", "timeframe": "1m", "start_ts": 0, "end_ts": MINUTE, "limit": 5}

        async def code(**changes):
            with pytest.raises(HydrophoneError) as refused:
                await service.answer_candles(HistoryQuery.model_validate({**good, **changes}))
            return refused.value.code

        assert await code(venue="nowhere") == "UNKNOWN_VENUE"
        assert await code(symbol="NO/PE") == "INVALID_SYMBOL"
