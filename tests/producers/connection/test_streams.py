"""Streams with positions on real sockets: what a cut hid is asked for, and what cannot be had is told."""

from __future__ import annotations

import json

from contracts.errors import SymbolSyntaxError
from producers.connection.publisher import Publisher
from producers.connection.session import Session, SessionParts
from producers.registry import VENUES
from producers.simulator.config import Options
from producers.simulator.faults import Fault
from runtime.book.books import BookPace

TOKEN_S = 2.0


def reported(rig, state, channel="trade"):
    return [reason for found, where, symbol, reason in rig.bus.states if (found, where) == (state, channel) and symbol]


async def test_trades_that_a_cut_hid_are_recovered(rig):
    async with rig("indodax", symbols=("BTC",), rate=8.0) as r:
        await r.until(lambda: r.bus.counts["trade"] > 5, "trades")
        first = r.bus.by_kind["trade"][0].seq
        for _ in range(2):
            before = sum(feed.reconnects for feed in r.producer.feeds)
            r.sim.cut("indodax")
            await r.until(lambda n=before: sum(f.reconnects for f in r.producer.feeds) > n, "the cut was noticed")
            seen = r.bus.counts["trade"]
            await r.until(lambda n=seen: r.bus.counts["trade"] > n + 10, "trades again")
        r.sim.pause()
        listing = r.sim.find_listing("indodax", "spot", "btcidr")
        await r.until(lambda: r.bus.by_kind["trade"][-1].seq == listing.last.id, "the last trade")
        numbers = [event.seq for event in r.bus.by_kind["trade"]]
        assert numbers == list(range(first, listing.last.id + 1))
        assert reported(r, "gap") == []


async def test_trades_that_were_lost_on_the_way_are_reported(rig):
    async with rig("indodax", symbols=("BTC",), rate=8.0) as r:
        await r.until(lambda: r.bus.counts["trade"] > 5, "trades")
        r.sim.inject(Fault("indodax", "drop", channel="trades"))
        await r.until(lambda: reported(r, "gap"), "a gap was reported")
        assert "were not received" in reported(r, "gap")[0]
        assert ("live", "trade", "BTC/IDR", None) in r.bus.states


async def test_streams_that_begin_anew_are_reported_and_followed(rig):
    async with rig("indodax", symbols=("BTC",), rate=8.0) as r:
        await r.until(r.all_books_live, "live books")
        await r.until(lambda: r.bus.counts["trade"] > 5, "trades")
        r.sim.inject(Fault("indodax", "reset"))
        await r.until(lambda: reported(r, "gap"), "a gap was reported")
        seen = r.bus.counts["trade"]
        await r.until(lambda: r.bus.counts["trade"] > seen + 10, "trades go on")
        await r.books_equal_the_truth()
        assert all("began again" in reason for reason in reported(r, "gap"))


async def test_token_that_ends_is_reported_as_the_reason(rig):
    options = Options(indodax_token_ttl_s=TOKEN_S)
    async with rig("indodax", symbols=("BTC",), options=options, policy={"ping_every": 0.3}) as r:
        await r.until(lambda: r.bus.counts["trade"] > 0, "trades")
        await r.until(
            lambda: any(state[0] == "down" and "token expired" in (state[3] or "") for state in r.bus.states),
            "the reason was reported",
        )


async def test_trades_of_the_backlog_come_once(rig):
    async with rig("hyperliquid", symbols=("BTC",)) as r:
        await r.until(lambda: r.bus.counts["trade"] > 20, "trades")
        before = sum(feed.reconnects for feed in r.producer.feeds)
        r.sim.cut("hyperliquid")
        await r.until(lambda: sum(feed.reconnects for feed in r.producer.feeds) > before, "the cut was noticed")
        seen = r.bus.counts["trade"]
        await r.until(lambda: r.bus.counts["trade"] > seen + 10, "trades again")
        ids = [event.trade_id for event in r.bus.by_kind["trade"]]
        assert len(ids) == len(set(ids))


class Silent:
    """A lane and a line that take everything."""

    def write(self, parts):
        """One message."""

    def on_control(self, control):
        """One control."""

    def on_event(self, kind, symbol):
        """One event."""

    def on_resync(self, symbol):
        """One book."""


def test_pair_that_cannot_be_named_makes_its_frame_undecodable_and_no_more():
    venue, errors = VENUES["indodax"], []
    plan = venue.plan(venue.ws_url, [venue.guess("spot", "btcidr")], ("ticker",))[0]
    parts = SessionParts(
        venue=venue,
        find=lambda name: venue.guess("spot", name),
        publisher=Publisher("indodax", Silent(), lambda: 0),
        on_undecodable=lambda _frame, error: errors.append(error),
        pace=BookPace(),
    )
    session = Session(plan, parts, Silent())
    session.open(ts=0, now=0.0, sim=False)
    row = ["btcxyz", 1, 1, 1, 1, 1, "1", "1"]
    result = {"channel": "market:summary-24h", "data": {"data": [row], "offset": 1}}
    session.on_frame(json.dumps({"result": result}).encode(), 1)
    assert [type(error) for error in errors] == [SymbolSyntaxError]
