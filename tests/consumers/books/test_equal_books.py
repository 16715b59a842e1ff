"""Books that the consumer keeps of the deltas on the bus are those that the producer would publish, byte for byte."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from contracts import subjects
from producers.registry import VENUES
from tests.consumers.books.rig import Rig

WARM, COMPARED, AFTER = 70, 30, 90
TOP = 40
LEAST = 10


def body_of(text: bytes) -> dict[str, Any]:
    return msgspec.json.decode(text)


def is_live(text: bytes) -> bool:
    return body_of(text)["quality"] == "sim"


def expect_equal(theirs: dict[str, bytes], ours: dict[str, bytes], rig: Rig) -> None:
    """What the producer published must have come from the consumer, too, and nothing else."""
    if rig.exchange.venue.book.seed_depth is not None:
        for subject in {*theirs, *ours}:
            expect_same_top(rig.ours[subject], rig.theirs[subject], whole=False)
        return
    for subject, body in theirs.items():
        assert ours.get(subject) == body, subject
    for subject, body in ours.items():
        assert rig.theirs[subject] == body, subject


def expect_same_top(ours: bytes, theirs: bytes, *, whole: bool) -> bool:
    """Hold two snapshots of one moment to the same best levels; returns whether they are of one moment.

    Where a venue's are not `whole` but the top only, both sides fetch more of them, at their own times: below it books
    differ, and one may have less of it. One that was fetched may be ahead of the deltas; without numbers its time shows
    that.
    """
    mine, other = body_of(ours), body_of(theirs)
    if (mine["seq"], mine["ts_event"]) != (other["seq"], other["ts_event"]):
        return False
    for side in ("bids", "asks"):
        best = TOP if whole else min(TOP, len(mine[side]), len(other[side]))
        assert best >= LEAST
        assert mine[side][:best] == other[side][:best]
    return True


def play_until_live(rig: Rig, steps: int) -> None:
    for _ in range(steps):
        rig.step()
    followed = {s for s in rig.theirs if is_live(rig.theirs[s])}
    assert followed
    assert {s for s in rig.ours if is_live(rig.ours[s])} == followed


@pytest.mark.parametrize("venue_id", sorted(VENUES))
def test_books_of_both_modes_are_the_same_bytes(venue_id: str) -> None:
    rig = Rig(venue_id)
    play_until_live(rig, WARM)
    compared = 0
    for _ in range(COMPARED):
        theirs, ours = rig.step()
        expect_equal(theirs, ours, rig)
        compared += len(theirs)
    assert compared > COMPARED / 10


@pytest.mark.parametrize("venue_id", sorted(VENUES))
def test_lost_delta_is_a_gap_and_no_wrong_book_is_published_after_it(venue_id: str) -> None:
    rig = Rig(venue_id)
    play_until_live(rig, WARM)
    target = min(rig.theirs).removeprefix(subjects.BOOK)
    dropped: list[bytes] = []

    def lost(subject: str, body: bytes) -> bool:
        if dropped or subject != subjects.DELTA + target or not (body_of(body)["bids"] or body_of(body)["asks"]):
            return False
        dropped.append(body)
        return True

    rig.lost, rig.states = lost, []
    while not dropped:
        rig.step()
    rule = VENUES[venue_id].book
    if rule.chain == "none" and not rule.proven:  # nothing in its deltas shows a loss: the reader's own count does
        rig.kept.on_missed("a message", now=rig.now)
    compared = 0
    for _ in range(AFTER):
        _, ours = rig.step()
        body = ours.get(subjects.BOOK + target)
        if body is not None and is_live(body) and any(state.state == "gap" for state in rig.states):
            compared += expect_same_top(body, rig.theirs[subjects.BOOK + target], whole=rule.seed_depth is None)
    assert compared
    symbol = body_of(dropped[0])["symbol"]
    said = [status.state for status in rig.states if status.symbol == symbol]
    assert "gap" in said
    assert said[-1] == "live"
    assert is_live(rig.ours[subjects.BOOK + target])
