"""Connections that need a token, and books whose snapshot is only their top, on real sockets."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.server import serve

from contracts import market
from contracts.codec import fast
from contracts.instrument import make_instrument
from producers.normalize.events import book_maker
from producers.registry import VENUES
from producers.simulator.faults import Fault
from producers.venue import BookRule
from runtime.book.books import BookPace, Books

BTC = make_instrument("kucoin", "BTC/USDT", "BTC-USDT")
HEAD = {"id": "x", "venue": "kucoin", "symbol": "BTC/USDT", "venue_symbol": "BTC-USDT", "ts_event": 1, "ts_recv": 2}
FastDelta, FastBook = fast(market.BookDelta), fast(market.BookSnapshot)


@pytest.mark.parametrize("venue", ["kucoin", "kucoinfutures"])
async def test_token_that_ends_is_replaced_by_a_new_one(rig, venue):
    async with rig(venue) as r:
        await r.until(r.all_books_live, "live books")
        r.sim.inject(Fault(venue=venue, kind="notice", seconds=5.0))
        reason = "token is expired"
        await r.until(lambda: any(s[0] == "down" and s[3] == reason for s in r.bus.states), "the end was reported")
        await r.until(r.all_books_live, "live books with a new token")
        await r.books_equal_the_truth()
        assert r.bus.dead == []


async def test_planned_reconnect_comes_before_the_token_ends(rig):
    async with rig("kucoin", policy={"max_age": 1.5}) as r:
        await r.until(r.all_books_live, "live books")
        reported = "planned reconnect before the venue's forced one"
        await r.until(lambda: any(s[3] == reported for s in r.bus.states), "the reconnect")
        assert (VENUES["kucoin"].policy.max_age or 0) == 23.5 * 3600


async def test_nothing_is_subscribed_before_the_welcome(rig):
    received = []

    async def greet_late(socket):
        try:
            async with asyncio.timeout(0.6):
                received.append(await socket.recv())
        except TimeoutError:
            received.append(None)
        await socket.send('{"id":"spot.0","type":"welcome"}')
        received.append(await socket.recv())
        await socket.wait_closed()

    async with serve(greet_late, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with rig("kucoin", ws_url=f"ws://127.0.0.1:{port}") as r:
            await r.until(lambda: len(received) == 2, "a subscription")
    assert received[0] is None
    assert '"subscribe"' in received[1]


def delta(prev, seq, bids):
    return FastDelta(**HEAD, sim=False, bids=bids, asks=[], seq=seq, prev_seq=prev, is_snapshot=False)


def snapshot(seq, bids):
    return FastBook(**HEAD, sim=False, bids=bids, asks=[("99", "1")], seq=seq, quality="live")


def test_thin_book_is_asked_for_again_and_stays_live_meanwhile():
    states = []
    rule = BookRule(seed="rest", chain="overlap", seed_depth=4)
    books = Books(
        rule, BookPace(), lambda _event: None, lambda _symbol, state, _reason: states.append(state), make=book_maker
    )
    books.open([BTC], now=0.0)
    assert books.take_due(now=1.0) == [BTC]
    books.on_snapshot(BTC, snapshot(10, [(str(price), "1") for price in (8, 7, 6, 5)]), now=1.0)
    books.on_delta(BTC.symbol, delta(10, 13, [("8", "0"), ("7", "0"), ("6", "0")]), now=3.0)
    assert books.take_due(now=3.0) == [BTC]
    assert books.take_due(now=3.0) == []  # asked for once
    books.on_delta(BTC.symbol, delta(13, 14, [("4", "2")]), now=3.1)
    books.on_snapshot(BTC, snapshot(12, [("5", "1")]), now=3.2)  # too old: asked for again
    assert books.take_due(now=3.6) == [BTC]
    books.on_snapshot(BTC, snapshot(13, [(str(price), "1") for price in (5, 4, 3, 2)]), now=3.7)
    assert books.take_due(now=9.0) == []
    assert states == ["live"]
    assert books.all_live


def test_wait_for_a_seed_begins_when_the_book_is_received():
    books = Books(
        BookRule(seed="rest", chain="overlap"), BookPace(), lambda _event: None, lambda *_state: None, make=book_maker
    )
    books.open([BTC], now=0.0)
    assert books.take_due(now=2.0, subscribed=lambda _instrument: False) == []
    assert books.take_due(now=2.1) == []
    assert books.take_due(now=2.5) == [BTC]
