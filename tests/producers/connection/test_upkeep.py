"""What producers publish again when a stream of theirs was made again: each kind of their events has its stream."""

from __future__ import annotations

from contracts.streams import STREAMS
from producers.upkeep import find_channels
from producers.venue import CHANNELS


def test_every_channel_is_held_by_a_declared_stream():
    assert frozenset[str]().union(*(find_channels(spec) for spec in STREAMS)) == {*CHANNELS, "feed"}


def test_streams_of_consumers_are_not_ours():
    assert [spec.name for spec in STREAMS if spec.name in {"SIGNALS", "JOBS", "DLQ"} and find_channels(spec)] == []
