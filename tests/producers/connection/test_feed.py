"""The socket loop on real sockets: events flow, losses are told, nothing pretends; faults/ has every fault of all."""

from __future__ import annotations

import pytest

from producers.registry import VENUES
from producers.simulator.faults import Fault
from producers.simulator.hub import Heartbeat

EVERY_VENUE = pytest.mark.parametrize("venue", sorted(VENUES))


CLIENTS = [*((venue, "picows") for venue in sorted(VENUES)), ("binance", "websockets"), ("htx", "websockets")]


@pytest.mark.parametrize(("venue", "client"), CLIENTS)
async def test_every_channel_speaks_and_is_marked_simulated(rig, venue, client):
    async with rig(venue, client=client) as r:
        await r.until(r.all_books_live, "live books")
        await r.until(lambda: r.bus.counts["trade"] > 20 and r.bus.counts["ticker"] > 5, "trades and tickers")
        await r.books_equal_the_truth()
        assert r.bus.unmarked == {}
        assert r.bus.dead == []
        assert r.bus.crossed == []
        live = {channel for state, channel, _, _ in r.bus.states if state == "live"}
        assert {"trade", "ticker", "book", None} <= live


async def test_the_way_from_receipt_to_the_bus_is_measured_by_kind(rig):
    async with rig("binance") as r:
        hops = r.producer.publisher.hops
        await r.until(lambda: {"trade", "ticker"} <= set(hops.find().get("publish", {})), "samples of both kinds")
        assert max(hops.find()["publish"]["ticker"]) < 5_000_000_000
        hops.take()
        r.bus.slow = 0.05
        await r.until(lambda: any(took >= 50_000_000 for _, _, took in hops.take()), "what is slow is seen")
        r.bus.slow = 0.0
        assert set(hops.find()) == {"publish"}  # the exchange's part is not the producer's
        assert r.producer.describe()["publish"]["trade"] == hops.find()["publish"]["trade"]


@pytest.mark.parametrize("client", ["picows", "websockets"])
async def test_ping_frames_keep_a_socket_whose_venue_wants_them(rig, client):
    rules = {"krakenfutures": Heartbeat(idle_inbound=0.8)}
    async with rig("krakenfutures", client=client, policy={"ping_every": 0.1}, heartbeats=rules) as r:
        await r.until(r.all_books_live, "live books")
        await r.until(lambda: r.bus.counts["ticker"] > 6, "tickers of seconds")
        assert sum(feed.reconnects for feed in r.producer.feeds) == 0


@pytest.mark.parametrize("venue", ["binanceusdm", "kucoin"])
async def test_cut_sockets_are_reported_and_the_books_come_back(rig, venue):
    async with rig(venue) as r:
        await r.until(r.all_books_live, "live books")
        for _ in range(3):
            before = sum(feed.reconnects for feed in r.producer.feeds)
            r.sim.cut(venue)
            await r.until(lambda n=before: sum(f.reconnects for f in r.producer.feeds) > n, "the cut was noticed")
            await r.until(r.all_books_live, "live books again")

        def whole():
            return [state for state, channel, _, _ in r.bus.states if channel is None]

        await r.until(lambda: whole()[-1] == "live", "the venue is live as a whole")
        assert {"down", "connecting"} & set(whole())
        await r.books_equal_the_truth()
        assert r.bus.crossed == []


@EVERY_VENUE
async def test_ban_is_waited_out_and_nothing_pretends(rig, venue):
    async with rig(venue) as r:
        r.sim.inject(Fault(venue=venue, kind="ban", count=None))
        await r.until(lambda: any(state[0] == "down" for state in r.bus.states), "the ban was reported")
        assert r.bus.counts["trade"] == 0
        assert r.bus.counts["book"] == 0


async def test_venue_that_cannot_be_reached_is_reported_with_the_reason(rig):
    async with rig("binance") as r:
        await r.until(r.all_books_live, "live books")
        r.sim.inject(Fault(venue="binance", kind="ban", count=None))
        r.sim.cut("binance")
        await r.until(lambda: r.bus.states and r.bus.states[-1][0] in {"down", "connecting"}, "the cut was reported")
        await r.until(
            lambda: any(s[0] == "down" and s[3] and "4" in s[3] for s in r.bus.states), "the refusal was reported"
        )
        books = r.books()
        assert all(book.quality == "gap" for book in books.values())
        r.sim.clear_faults()
        await r.until(r.all_books_live, "live books again", seconds=30)
