"""Pings that a venue wants of us, which may differ between its sockets, keep every one of them open."""

from __future__ import annotations

import time

import pytest

from producers.simulator.hub import Heartbeat


@pytest.mark.parametrize("venue", ["gate", "bybit"])
async def test_sockets_that_must_hear_us_stay_open(rig, venue):
    heartbeats = {venue: Heartbeat(idle_inbound=1.5)}
    async with rig(venue, policy={"ping_every": 0.1}, heartbeats=heartbeats) as r:
        await r.until(r.all_books_live, "live books")
        enough = time.monotonic() + 3.0
        await r.until(lambda: time.monotonic() > enough, "time passes")
        assert [feed.reconnects for feed in r.producer.feeds] == [0] * len(r.producer.feeds)
        assert r.bus.dead == []


async def test_socket_that_hears_nothing_of_us_is_cut(rig):
    heartbeats = {"gate": Heartbeat(idle_inbound=0.5)}
    async with rig("gate", policy={"ping_every": 60.0}, heartbeats=heartbeats) as r:
        await r.until(lambda: all(feed.reconnects for feed in r.producer.feeds) and r.producer.feeds, "cuts")
