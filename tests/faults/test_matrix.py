"""Every venue under every fault that its protocol can show: told, recovered from, and the books right afterwards."""

from __future__ import annotations

import time

import pytest

from producers.registry import VENUES
from producers.simulator.faults import Fault
from producers.simulator.registry import VENUES as SIMULATED

FAULTS = (
    "drop",
    "duplicate",
    "reorder",
    "gap",
    "silence",
    "slow",
    "cut",
    "close",
    "bad_checksum",
    "crossed",
    "reset",
    "notice",
    "ban",
)
LOSING = {"drop", "gap", "reorder"}
TOLD = {"cut": "down", "close": "down", "silence": "stale", "crossed": "gap", "bad_checksum": "gap", "ban": "down"}


def orders(venue, kind):
    """What is injected for a fault."""
    if kind == "silence":
        return [Fault(venue=venue, kind="silence", channel="depth", count=None)]
    if kind == "slow":
        return [Fault(venue=venue, kind="slow", channel="depth", seconds=1.0, delay=0.3)]
    if kind == "ban":
        return [Fault(venue=venue, kind="ban", seconds=1.0), Fault(venue=venue, kind="cut", count=10)]
    if kind in {"cut", "close", "notice"}:
        return [Fault(venue=venue, kind=kind, count=10)]
    if kind == "reset":
        return [Fault(venue=venue, kind="reset", channel="depth")]
    return [Fault(venue=venue, kind=kind, channel="depth", count=2)]


async def suffer(r, kind):
    """Inject one fault; give the seconds until every book is live again."""
    bus, sim = r.bus, r.sim
    mark, deltas = len(bus.states), bus.counts["delta"]
    limits = [(feed._patience, feed._patience.limit) for feed in r.producer.feeds]
    if kind == "silence":
        for patience, _ in limits:
            patience.limit = lambda item: 1.0 if item.channel == "book" else None
    began = time.monotonic()
    for fault in orders(r.venue, kind):
        sim.inject(fault)
    reported = TOLD.get(kind)
    if kind == "bad_checksum" and VENUES[r.venue].checksum is None:
        reported = None  # a checksum that the venue itself gave up is not looked at
    if kind == "crossed" and pushes_whole_books(r):
        reported = None  # the next push is the whole book again: nothing is lost, and the crossed one is not published
    if reported is not None:
        await until_told(r, kind, (reported, mark))
    else:
        await r.until(lambda: bus.counts["delta"] > deltas + 12, f"{kind}: deltas go on", 20)
    for patience, limit in limits:
        patience.limit = limit
    sim.clear_faults()
    await r.until(r.all_books_live, f"{kind}: live books again", 30)
    return time.monotonic() - began


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("venue", sorted(VENUES))
async def test_venue_recovers_from_every_fault(rig, venue, matrix_row):
    cells = {}
    unseen = VENUES[venue].book.chain == "none" and VENUES[venue].checksum is None
    async with rig(venue, policy={"first_data_deadline": 60.0}) as r:
        await r.until(r.all_books_live, "live books")
        lacks = SIMULATED[venue].lacks
        for kind in FAULTS:
            if kind in lacks:
                cells[kind] = "-"
                continue
            if kind in LOSING and unseen and not pushes_whole_books(r):
                cells[kind] = "?"
                continue
            before = reconnects(r)
            seconds = await suffer(r, kind)
            await r.books_equal_the_truth(20)
            if kind in {"gap", "crossed", "bad_checksum"} and can_resync(venue):
                assert reconnects(r) == before, f"{kind}: one book's trouble is no other's"
            cells[kind] = f"{seconds:.1f}"
        assert r.bus.crossed == []
        assert r.bus.stale_as_live == []
    matrix_row(venue, cells)


async def until_told(r, kind, wanted):
    """Wait for the state; a damaged delta that met a book without a snapshot is damaged once more."""
    state, mark = wanted
    for left in range(5, -1, -1):
        try:
            await r.until(lambda: any(s[0] == state for s in r.bus.states[mark:]), f"{kind}: {state} was reported", 4)
        except AssertionError:
            if not left:
                raise
            if kind in {"crossed", "bad_checksum"}:
                r.sim.inject(Fault(venue=r.venue, kind=kind, channel="depth", count=2))
        else:
            return


def reconnects(r):
    return sum(feed.reconnects for feed in r.producer.feeds)


def can_resync(venue):
    return VENUES[venue].book.seed != "ws" or VENUES[venue].resubscribe is not None


def pushes_whole_books(r):
    """Whether each push of this venue is the whole book, so that a lost one is made good by the next."""
    return all(event.is_snapshot for event in r.bus.by_kind["delta"][-50:])
