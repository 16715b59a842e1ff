"""What several venues' cases assert in the same words: rows that survive, crossings that pass, refused names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from contracts.errors import HydrophoneError
from producers.registry import VENUES
from tests.producers.kinds.driving import Driven

MS = 1_795_600_000_000  # when a connection is opened, ms


def text(frame: object) -> str:
    """Write a frame as venues do."""
    return json.dumps(frame, separators=(",", ":"))


def bad_row_costs_itself(
    driven: Driven, kind: str, frame: Callable[[Sequence[Any]], object], rows: Sequence[Any]
) -> None:
    """Feed a frame of three rows of which the one in the middle cannot be read."""
    before, unread = len(driven.of(kind)), len(driven.unread)
    driven.feed(text(frame(rows)))
    found = driven.of(kind)[before:]
    assert len(found) == 2, (kind, found, driven.unread)
    assert len({event.id for event in found}) == 2, found
    assert len(driven.unread) == unread + 1, driven.unread


def crossing_passes(driven: Driven, seed: object, crossing: object, healing: object) -> None:
    """Feed a book that crosses between two changes of an unbroken sequence."""
    driven.feed(text(seed))
    assert driven.said("book")[-1] == "live"
    published = len(driven.of("book"))
    driven.feed(text(crossing))
    assert len(driven.of("book")) == published, "a crossed book was published"
    driven.feed(text(healing))
    assert len(driven.of("book")) == published + 1
    assert "gap" not in driven.said("book"), driven.states
    assert not driven.resyncs


def is_refused(venue: str, names: Sequence[tuple[str, str]]) -> None:
    """Have these (market, name) named: each is refused, and the refusal says the name."""
    for market, name in names:
        with pytest.raises(HydrophoneError, match=re.escape(name)):
            raise AssertionError(f"{name} was taken for {VENUES[venue].guess(market, name).symbol}")


def is_quiet(driven: Driven, *frames: str) -> None:
    """Feed what says nothing: no event, and nothing that could not be read."""
    driven.feed(*frames)
    assert not driven.events, driven.events
    assert not driven.unread, driven.unread


def says(event: Any, **figures: Any) -> None:
    """Compare some fields of an event."""
    found = {name: getattr(event, name) for name in figures}
    assert found == figures, found


def ids_differ(events: Sequence[Any]) -> None:
    """Assert that no two of these events share an id."""
    assert len(events) > 1
    assert len({event.id for event in events}) == len(events), [event.id for event in events]
