"""What is silently wrong in a book is found, and nothing in a right one; in simulated time, at fifty books a venue."""

from __future__ import annotations

import sys

import pytest

from producers.registry import VENUES
from tests.producers.connection.audits.planting import Planter
from tests.producers.connection.audits.world import BURSTS, FIFTY, World

AUDITED = sorted(venue.id for venue in VENUES.values() if venue.rest.audit_call is not None)
PROVEN = sorted(venue.id for venue in VENUES.values() if venue.checksum is not None)
WHOLE = ["hyperliquid", "indodax"]
UNTOUCHED = sorted(venue.id for venue in VENUES.values() if venue.book.audit == "untouched")
EACH = 39  # of each venue: 507 in all
HOUR = 3600.0
OFTEN = 5.0  # seconds


def live(world: World) -> World:
    world.run(60, world.is_live)
    assert world.is_live()
    assert world.gaps == []
    return world


def test_every_venue_has_its_way() -> None:
    assert sorted([*AUDITED, *PROVEN, *WHOLE]) == sorted(VENUES)
    assert len(AUDITED + PROVEN) * EACH >= 500


@pytest.mark.parametrize("venue", [*AUDITED, *PROVEN])
def test_what_no_number_shows_is_found_and_nothing_else(venue: str) -> None:
    world = live(World(venue, books=4, every=OFTEN))
    planter = Planter(world, 3, at_once=2)
    world.run(240, planter.look)
    found = planter.found
    assert len(found.found) >= 3, found
    assert max(found.found) <= 4 * OFTEN, found
    assert found.false == []


@pytest.mark.parametrize("venue", WHOLE)
def test_a_book_that_is_pushed_whole_is_right_again_with_the_next_push(venue: str) -> None:
    world = live(World(venue, books=4))
    planter = Planter(world, 1, at_once=4)
    world.run(60, lambda: planter.look() or len(planter.found.healed) >= 3)
    assert len(planter.found.healed) >= 3
    assert max(planter.found.healed) <= 3.0
    assert planter.found.false == []


@pytest.mark.parametrize("venue", UNTOUCHED)
def test_snapshots_from_a_cache_say_nothing_wrong(venue: str) -> None:
    world = live(World(venue, books=4, pace=BURSTS, every=OFTEN, stale=True))
    world.run(45)
    assert world.gaps == []
    assert sum(world.verdicts().values()) > 10


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("venue", [*AUDITED, *PROVEN])
def test_everything_that_is_planted_in_fifty_books_is_found_within_a_minute(venue: str) -> None:
    world = live(World(venue))
    planter = Planter(world, EACH, at_once=12)
    world.run(1200, planter.look)
    found = planter.found
    figures = f"p50 {found.percentile(0.5):.1f}, p99 {found.percentile(0.99):.1f}, most {max(found.found):.1f} s"
    others = f"{len(found.healed)} put right by the venue, {found.gone} left behind"
    kinds, gaps = dict(found.kinds), f"{len(found.real)} others that are real, {len(found.false)} false alarms"
    sys.stdout.write(f"{venue}: {len(found.found)} found, {figures}; {kinds}, {others}; {gaps}\n")
    assert len(found.found) >= EACH
    assert max(found.found) <= 60
    assert found.false == []


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("venue", AUDITED)
def test_an_hour_of_bursts_raises_no_false_alarm(venue: str) -> None:
    world = live(World(venue, pace=BURSTS))
    assert len(world.keepers()) >= FIFTY
    world.run(HOUR)
    real = [gap for gap in world.gaps if gap.is_real]
    sys.stdout.write(f"{venue}: {dict(world.verdicts())}, {len(real)} gaps that are real\n")
    assert [gap for gap in world.gaps if not gap.is_real] == []
    assert world.verdicts()["right"] > 100 * FIFTY
