"""New and delisted instruments are noticed while running: followed, or told as down and never shown as live again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import Raw
from structlog.testing import capture_logs

from contracts import streams, subjects
from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.connection.frames import read_each
from producers.normalize import numbers
from producers.process import BusListings
from producers.registry import VENUES
from producers.venue import RestFailure, Unreadable
from runtime.nats.bus import Bus, BusOptions
from runtime.provision import Plan, apply
from runtime.servers.embedded import nats_server


async def test_listing_that_changes_is_followed(rig):
    shown = {"BTCUSDT", "ETHUSDT"}

    def only_shown(venue):
        def decode(market, body):
            listed, page = venue.rest.decode_instruments(market, body)
            return [item for item in listed if item.venue_symbol in shown], page

        return replace(venue, rest=replace(venue.rest, decode_instruments=decode))

    async with rig("binance", symbols=("BTC", "ETH", "SOL"), change_venue=only_shown, refresh=0.3) as r:
        await r.until(r.all_books_live, "live books")
        assert {item.venue_symbol for item in r.producer.instruments} == shown

        shown.add("SOLUSDT")
        await r.until(lambda: r.bus.last.get("md.v1.book.binance.SOL.USDT.spot"), "the new instrument's book")
        await r.until(r.all_books_live, "live books of all three")

        shown.remove("ETHUSDT")
        gone = subjects.BOOK + "binance.ETH.USDT.spot"
        await r.until(lambda: r.bus.last[gone].quality == "gap", "the delisted book is not live")
        await r.until(r.all_books_live, "the others are live")
        assert ("down", None, "ETH/USDT", "no longer listed") in r.bus.states
        assert {item["venue_symbol"] for item in r.bus.instruments[-2:]} == {"BTCUSDT", "SOLUSDT"}
        assert r.bus.last[gone].quality == "gap"


async def test_listing_that_cannot_be_fetched_is_kept(rig):
    async with rig("binance", refresh=0.2) as r:
        await r.until(r.all_books_live, "live books")
        before = r.producer.instruments
        rest = r.producer.rest
        rest._base_url = "http://127.0.0.1:9"
        trades = r.bus.counts["trade"]
        await r.until(lambda: r.bus.counts["trade"] > trades + 20, "trades go on")
        assert r.producer.instruments is before
        assert sum(feed.reconnects for feed in r.producer.feeds) == 0


def test_rows_are_read_one_by_one_and_an_answer_that_is_not_understood_is_an_error():
    def read(row):
        return None if row == Raw(b"0") else numbers.price(row, "price")

    found = read_each([Raw(b"1.5"), Raw(b"0"), Raw(b"-1"), Raw(b"2")], read)
    assert [item for item in found if not isinstance(item, Unreadable)] == ["1.5", "2"]
    (odd,) = (item for item in found if isinstance(item, Unreadable))
    assert (odd.frame, "negative" in str(odd.error)) == (b"-1", True)
    assert read_each([], read) == []
    with pytest.raises(FrameError, match="negative"):
        read_each([Raw(b"-1"), Raw(b"-2")], read)


async def test_row_of_a_listing_that_cannot_be_named_is_left_out_and_logged_once(rig):
    def with_odd_row(venue):
        def decode(market, body):
            listed, page = venue.rest.decode_instruments(market, body)
            return [*listed, Unreadable(b'{"symbol":"ODD"}', FrameError("ODD is no pair"))], page

        return replace(venue, rest=replace(venue.rest, decode_instruments=decode))

    with capture_logs() as logs:
        async with rig("binance", change_venue=with_odd_row, refresh=0.1) as r:
            await r.until(r.all_books_live, "live books")
            fetched = r.producer.listed
            await r.until(lambda: r.producer.listed is not fetched, "another listing")
    assert all(isinstance(item, Instrument) for item in r.producer.listed)
    reported = [entry for entry in logs if entry["event"] == "rest.row_left_out"]
    assert [(entry["venue"], entry["reason"]) for entry in reported] == [("binance", "ODD is no pair")]


async def test_instruments_beyond_the_limit_of_an_address_are_left_out_and_announced(rig):
    def with_less_room(venue):
        return replace(venue, limit=replace(venue.limit, most=7))

    with capture_logs() as logs:
        async with rig("hyperliquid", change_venue=with_less_room, refresh=0.1) as r:
            await r.until(r.all_books_live, "live books")
            fetched = r.producer.listed
            await r.until(lambda: r.producer.listed is not fetched, "another listing")
            followed = [item.symbol for item in r.producer.instruments]
            down = {symbol: reason for state, _, symbol, reason in r.bus.states if state == "down" and symbol}
    (entry,) = [entry for entry in logs if entry["event"] == "producer.left_out"]
    assert (len(followed), entry["venue"], entry["instruments"]) == (1, "hyperliquid", list(down))
    assert not set(down) & set(followed)
    assert all("1000 subscriptions" in reason for reason in down.values())


class Kept:
    """A cache in memory."""

    def __init__(self):
        self.listed = {}

    async def save(self, unit, listed, *, sim):
        self.listed[unit] = list(listed)

    async def load(self, unit):
        return self.listed.get(unit)


async def test_start_without_rest_uses_the_kept_listing(rig):
    kept = Kept()
    async with rig("bybit", cache=kept) as r:
        await r.until(r.all_books_live, "live books")
    assert len(kept.listed["bybit"]) >= 4

    def rest_is_down(venue):
        return replace(venue, rest=replace(venue.rest, failure=lambda *_: replace_failure()))

    async with rig("bybit", cache=kept, change_venue=rest_is_down) as r:
        await r.until(r.all_books_live, "live books from the sockets alone")
        assert any(state[0] == "down" and "maintenance" in (state[3] or "") for state in r.bus.states)


def replace_failure():
    return RestFailure("maintenance")


@pytest.mark.nats
async def test_listing_is_kept_on_the_bus(tmp_path):
    bucket = next(spec for spec in streams.BUCKETS if spec.name == streams.LISTINGS)
    async with nats_server(tmp_path) as server:
        bus = await Bus(BusOptions(servers=(server.url,), name="listings")).connect()
        await apply(bus, Plan(streams=(), buckets=(bucket,), durables=(), synced=True))
        cache = BusListings(bus)
        assert await cache.load("okx") is None
        listed = [VENUES["okx"].guess("public", name) for name in ("BTC-USDT", "BTC-USDT-SWAP")]
        await cache.save("okx", listed, sim=True)
        assert await cache.load("okx") == listed
        await cache.save("okx", listed, sim=True)
        entry = await (await bus.jetstream().key_value(streams.LISTINGS)).get("okx")
        assert entry.revision == 1  # a listing that did not change is not written again
        await bus.close()
