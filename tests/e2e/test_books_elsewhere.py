"""`make demo` with the books kept by a process of their own: subscribers and the API see what they always see."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time

import httpx
import nats
import pytest

pytestmark = [pytest.mark.nats, pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("product")]
VENUES = ("binance", "kraken")


async def read_books(copy, seconds, enough, begin=lambda: None):
    """Read books, and feeds' states, until `enough(books, states)`; gives both. `begin()` runs once they come."""
    bus = await nats.connect(copy.facts["nats"]["url"])
    books, states = {}, []

    async def on_book(message):
        event = json.loads(message.data)
        books.setdefault((event["venue"], event["symbol"]), []).append(event)

    async def on_state(message):
        states.append(json.loads(message.data))

    await bus.subscribe("feed.v1.>", cb=on_state)
    for venue in VENUES:
        await bus.subscribe(f"md.v1.book.{venue}.>", cb=on_book)
    await bus.flush()
    begin()
    try:
        deadline = time.monotonic() + seconds
        while not enough(books, states):
            assert time.monotonic() < deadline, (sorted(books), states[-5:])
            await asyncio.sleep(0.1)
    finally:
        await bus.close()
    return books, states


def of_both_venues(books, _states):
    live = {venue for (venue, _), events in books.items() if events[-1]["quality"] == "sim"}
    return live == set(VENUES)


async def test_books_come_from_their_own_process_and_again_after_it_was_killed(start):
    copy = start("demo", {"HYDROPHONE_BOOKS": "elsewhere", "HYDROPHONE_VENUES": ",".join(VENUES)}).wait_ready()
    books, _ = await read_books(copy, 60, of_both_venues)
    for events in books.values():
        for event in events:
            assert float(event["bids"][0][0]) < float(event["asks"][0][0])
    assert any(event["venue_checksum"] for (venue, _), events in books.items() for event in events if venue == "kraken")

    url, key = copy.facts["api"]["url"], copy.facts["api"]["key"]
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=35) as client:
        deadline = time.monotonic() + 30
        while (answer := await client.get(f"{url}/gpt/orderbook?symbol=BTC")).status_code != 200:
            assert time.monotonic() < deadline, answer.text
            await asyncio.sleep(0.3)

    def followed_again(books, states):
        said = {(s["venue"], s["state"]) for s in states if ".feed.books." in s["id"] and s["channel"] == "book"}
        return of_both_venues(books, states) and {(v, s) for v in VENUES for s in ("gap", "live")} <= said

    await read_books(copy, 60, followed_again, lambda: os.kill(copy.facts["pids"]["books"], signal.SIGKILL))
