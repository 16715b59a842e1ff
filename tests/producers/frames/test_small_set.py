"""The recorded frames of tests/frames, which every clone has, decode to what they decoded to before.

Where a decoder is changed on purpose: `python -m tests.producers.frames.record --expected`, and read the difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from producers.registry import VENUES
from producers.venue import BOOK, CHANNELS
from tests.producers.frames.cases import CASES
from tests.producers.frames.record import record
from tests.producers.frames.replay import ROOT, Replay, read_rows
from tests.producers.frames.small_set import (
    FOLDER,
    LISTING,
    SUFFIX,
    describe,
    describe_listing,
    list_files,
    market_of,
    read_expected_set,
    read_listing,
)
from tests.producers.playing import BASE

MAX_BYTES = 3_000_000
# What no socket sends: recordings hold it because their recorder polled REST (tests/producers/venues has payloads).
POLLED = {("binanceusdm", "linear", "interest"), ("htx", "linear", "interest")}
EVERY_VENUE = pytest.mark.parametrize("venue_id", sorted(VENUES))
FILES = sorted(path for venue_id in VENUES for path in list_files(FOLDER, venue_id))

expected_set = cache(partial(read_expected_set, FOLDER))
listing = cache(lambda venue_id: read_listing(FOLDER, VENUES[venue_id]))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name.removesuffix(SUFFIX)}")
def test_frames_decode_to_what_they_did(path: Path, record_property: Callable[[str, Any], None]) -> None:
    name = f"{path.parent.name}/{path.name}"
    described = describe(path, VENUES[path.parent.name], listing(path.parent.name))
    record_property("recording", (f"tests/frames/{name}", described["frames"], described["kinds"]))
    assert described == expected_set()[name]


@EVERY_VENUE
def test_listing_decodes_to_what_it_did(venue_id: str) -> None:
    assert describe_listing(listing(venue_id)) == expected_set()[f"{venue_id}/{LISTING}"]


def test_expected_results_name_every_file_and_no_other() -> None:
    there = {f"{path.parent.name}/{path.name}" for path in FOLDER.glob(f"*/*{SUFFIX}")}
    assert there == set(expected_set())
    assert {name.split("/")[0] for name in there} == set(VENUES)


def test_set_is_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < MAX_BYTES


@EVERY_VENUE
def test_every_subscription_of_a_venue_was_recorded(venue_id: str) -> None:
    """Every connection that the venue plans for the recorded instruments, and an event of each channel of it."""
    instruments = list(listing(venue_id).values())
    wanted, there = set[tuple[str, str]](), set[tuple[str, str]]()
    for plan in VENUES[venue_id].plan(BASE, instruments, CHANNELS):
        file = f"{venue_id}/{plan.market}.{plan.name}{SUFFIX}"
        wanted |= {(file, item.channel) for item in plan.subscriptions}
        there |= {(file, BOOK if kind == "delta" else kind) for kind in expected_set().get(file, {}).get("kinds", ())}
    assert wanted
    assert sorted(wanted - there) == []


@EVERY_VENUE
def test_every_book_begins_with_a_snapshot_and_goes_on(venue_id: str) -> None:
    files = {name: entry for name, entry in expected_set().items() if name.startswith(f"{venue_id}/")}
    kinds = [(entry["kinds"], len(entry["books"])) for entry in files.values() if entry.get("books")]
    assert any(counts.get("delta", 0) > 2 * books for counts, books in kinds), "no book has deltas after its snapshot"
    assert any("book" in counts for counts, _ in kinds), "no REST depth"


@pytest.mark.skipif(not ROOT.is_dir(), reason=f"the large recorded set is not at {ROOT}")
@EVERY_VENUE
def test_what_the_large_set_has_of_our_channels_the_small_one_has(venue_id: str) -> None:
    large = defaultdict[str, set[str]](set)
    for case in CASES:
        if case.venue == venue_id:
            lines = Replay(VENUES[venue_id], case.market, depth=case.depth).lines(
                ROOT / case.folder / f"{case.name}.jsonl"
            )
            large[case.market] |= {event.kind for line in lines for event in line.events}
    small = defaultdict[str, set[str]](set)
    for path in list_files(FOLDER, venue_id):
        small[market_of(path)] |= set(expected_set()[f"{venue_id}/{path.name}"]["kinds"])
    ours = set(CHANNELS) | {"delta"}
    assert large, "the large set has nothing of this venue"
    missing = {(venue_id, market, kind) for market, kinds in large.items() for kind in kinds & ours - small[market]}
    assert missing == {row for row in POLLED if row[0] == venue_id}


@pytest.mark.parametrize("venue_id", ["htx", "kraken"])
def test_recording_twice_writes_the_same_frames(venue_id: str, tmp_path: Path) -> None:
    for folder in (tmp_path / "first", tmp_path / "second"):
        record(VENUES[venue_id], folder)
    names = sorted(path.name for path in (tmp_path / "first" / venue_id).iterdir())
    assert names == sorted(path.name for path in (FOLDER / venue_id).iterdir())
    for name in names:
        first, second = (list(read_rows(tmp_path / folder / venue_id / name)) for folder in ("first", "second"))
        assert first == second
