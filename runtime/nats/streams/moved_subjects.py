"""Subjects that move from one stream to another one: when that is no loss, and the durable that goes with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from contracts.streams import DurableSpec, StreamSpec
from runtime.nats.bus import Bus
from runtime.nats.streams.api import NOT_FOUND, ApiRefusalError, call
from runtime.nats.streams.config import Drift


def is_move(drift: Drift, claimed: Iterable[str]) -> bool:
    """Whether each subject that is given up is among those that the plan's streams claim, and nothing else differs."""
    if drift.field != "subjects":
        return False
    given_up = _subjects(drift.actual) - _subjects(drift.wanted)
    known = list(claimed)
    return all(any(_overlap(subject, other) for other in known) for subject in given_up)


def gives_up(drifts: Iterable[Drift]) -> bool:
    """Whether a stream must be changed before others are created: no two streams may have one subject at any time."""
    return any(drift.field == "subjects" for drift in drifts)


async def drop_moved_durables(bus: Bus, streams: Iterable[StreamSpec], durables: Iterable[DurableSpec]) -> list[str]:
    """Delete a durable where a stream has it that the plan does not name: its subject is another stream's now."""
    declared = {(spec.stream, spec.name) for spec in durables}
    names = {name for _, name in declared}
    dropped: list[str] = []
    for stream in (spec.name for spec in streams):
        for name in await _durable_names(bus, stream):
            if name in names and (stream, name) not in declared:
                await call(bus, f"CONSUMER.DELETE.{stream}.{name}")
                dropped.append(f"durable {stream}/{name}: deleted, it is another stream's now")
    return dropped


async def _durable_names(bus: Bus, stream: str) -> list[str]:
    try:
        return [str(name) for name in (await call(bus, f"CONSUMER.NAMES.{stream}")).get("consumers") or ()]
    except ApiRefusalError as error:
        if error.code == NOT_FOUND:
            return []
        raise


def _subjects(value: object) -> set[str]:
    return {str(subject) for subject in cast("list[object]", value or [])}


def _overlap(old: str, new: str) -> bool:
    one, two = old.rstrip(">"), new.rstrip(">")
    return one.startswith(two) or two.startswith(one)
