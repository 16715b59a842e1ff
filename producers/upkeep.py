"""What producers publish or write again when a stream or bucket of theirs was made again, or moved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

from contracts.codec import KIND_SUBJECTS
from contracts.streams import INSTRUMENTS, LISTINGS, STREAMS, StreamSpec
from producers.producer import FEED
from producers.standby import Unit
from producers.venue import CHANNELS
from runtime.nats.bus import Bus
from runtime.nats.streams.remade import bucket_stream, watch_remade

_OURS: Final = (*CHANNELS, FEED)


def find_channels(spec: StreamSpec) -> frozenset[str]:
    """Give the kinds of producers' events that a stream holds."""
    return frozenset(kind for kind in _OURS if any(item.startswith(KIND_SUBJECTS[kind]) for item in spec.subjects))


class Upkeep:
    """Serves the units of one process; only those that hold their lease publish."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self._units = units
        self._saving: set[asyncio.Task[None]] = set()

    async def run(self, bus: Bus, *, specs: Iterable[StreamSpec] = STREAMS) -> None:
        """Watch for ever."""
        listeners: dict[str, Callable[[], None]] = {
            spec.name: partial(self._on_stream, spec.name, find_channels(spec)) for spec in specs if find_channels(spec)
        }
        listeners |= {bucket_stream(bucket): self._on_bucket for bucket in (INSTRUMENTS, LISTINGS)}
        on_moved = {
            spec.name: partial(self._on_moved, spec.name, find_channels(spec)) for spec in specs if find_channels(spec)
        }
        await watch_remade(bus, listeners, on_moved=on_moved)

    def _on_stream(self, name: str, channels: frozenset[str]) -> None:
        self._on_lost(channels, f"stream {name} was made again: what it held is lost")

    def _on_moved(self, name: str, channels: frozenset[str]) -> None:
        self._on_lost(channels, f"stream {name} is led by another server: what was published meanwhile is not in it")

    def _on_lost(self, channels: frozenset[str], reason: str) -> None:
        for unit in self._units:
            if unit.active:
                unit.producer.on_stream_lost(channels, reason)

    def _on_bucket(self) -> None:
        for unit in self._units:
            if unit.active:
                task = asyncio.get_running_loop().create_task(unit.producer.save_listing(), name=f"{unit.name} listing")
                self._saving.add(task)
                task.add_done_callback(self._saving.discard)
