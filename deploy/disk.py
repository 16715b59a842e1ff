"""The disk under the embedded servers: room enough at the start, and a bus that goes on after it was full."""

from __future__ import annotations

import asyncio
import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final, cast

from runtime.clock import monotonic, sleep
from runtime.config.settings.retention import RetentionSettings
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.write_probe import EVERY_SECONDS, WriteProbe
from runtime.provision import declared, disk_bytes, reserved_bytes

MB: Final = 1_000_000
BESIDE: Final = 200 * MB  # documents and logs
ROOM: Final = 64 * MB  # with less than that free the bus is not started again
_SHARE: Final = 20  # or than the twentieth part of a small disk
_SCALES: Final = ("0.75", "0.5", "0.25", "0.1", "0.01")
_FIRST_PAUSE: Final = 2.0
_LONGEST_PAUSE: Final = 30.0


class NoRoomError(RuntimeError):
    """The disk is smaller than what the bus may keep on it; the text says what to do."""


def needed_bytes(kept: RetentionSettings) -> int:
    """What a copy with these settings may take of the disk."""
    return disk_bytes(declared(synced=True, retention=kept.retention())) + BESIDE


def store_bytes(kept: RetentionSettings) -> int:
    """What the server of a copy with these settings has to let its streams reserve."""
    return reserved_bytes(declared(synced=True, retention=kept.retention())) + BESIDE


def require_room(data: Path, store: Path, kept: RetentionSettings) -> None:
    """Raise NoRoomError where the disk of `data` cannot hold what the streams may keep; what `store` has counts."""
    needed = needed_bytes(kept)
    room = shutil.disk_usage(data).free + _size(store)
    if room >= needed:
        return
    smaller = (kept.model_copy(update={"stream_scale": Decimal(scale)}) for scale in _SCALES)
    fitting = next((one for one in smaller if needed_bytes(one) <= room), None)
    advice = (
        f"HYDROPHONE_STREAM_SCALE={fitting.stream_scale} needs {needed_bytes(fitting) // MB} MB"
        if fitting is not None
        else "no HYDROPHONE_STREAM_SCALE makes that little enough"
    )
    raise NoRoomError(
        f"{data} has room for {room // MB} MB and {needed // MB} MB are needed for what the streams may keep: {advice}"
        " (or set HYDROPHONE_DATA to a larger disk)"
    )


def _size(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


@dataclass
class DiskWatch:
    """Says when the embedded bus cannot write, and calls `restart` once the disk has room again.

    The bus never recovers from a failed write by itself. `on_healed` is called when it writes again.
    """

    options: BusOptions
    monitor_url: str
    data: Path
    say: Callable[[str], None]
    restart: Callable[[], Awaitable[None]]
    on_healed: Callable[[], None] = lambda: None
    runs: Callable[[], bool] = lambda: True
    _since: float | None = None
    _full: bool = False
    _next_try: float = 0.0
    _pause: float = _FIRST_PAUSE
    _bus: Bus | None = field(default=None, init=False)

    async def run(self) -> None:
        """Watch until it is cancelled."""
        self._bus = await Bus(
            self.options, on_closed=lambda: self.say("the watch over the disk lost the bus")
        ).connect()
        probe = WriteProbe(self._bus, "supervisor")
        try:
            while True:
                await probe.write()
                await self._look(probe)
                await sleep(EVERY_SECONDS)
        finally:
            await self._bus.close(timeout=1.0)

    async def _look(self, probe: WriteProbe) -> None:
        failed = await asyncio.to_thread(find_write_error, self.monitor_url)
        usage = shutil.disk_usage(self.data)
        full = usage.free < min(ROOM, usage.total // _SHARE)
        problem = failed or probe.problem or ("it is not running" if full and not self.runs() else None)
        if problem is None:
            self._on_well()
            return
        if self._since is None:
            self._since = monotonic()
            self.say(f"the bus cannot write ({problem}); {usage.free // MB} MB are free in {self.data}")
        if full and not self._full:
            self._full = True
            self.say(f"the disk of {self.data} is full: make room, the bus is restarted by itself then")
        if not full and (failed or self._full) and monotonic() >= self._next_try:
            self._next_try = monotonic() + self._pause
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            self.say(f"{usage.free // MB} MB are free: the bus is restarted")
            await self.restart()

    def _on_well(self) -> None:
        if self._since is None or self._bus is None or not self._bus.connected:
            return
        self.say(f"the bus writes again, {monotonic() - self._since:.1f} s after that was noticed")
        self._since, self._full, self._pause, self._next_try = None, False, _FIRST_PAUSE, 0.0
        self.on_healed()


def find_write_error(monitor_url: str) -> str | None:
    """Return what the server says of a stream that cannot be written, None where it is well or does not answer."""
    try:
        with urllib.request.urlopen(f"{monitor_url}/healthz", timeout=1.0):  # noqa: S310  # our own server
            return None
    except urllib.error.HTTPError as error:
        with suppress(ValueError):
            said = cast("dict[str, object]", json.loads(error.read())).get("error")
            if isinstance(said, str) and ("write error" in said or "no space left" in said):
                return said
    except OSError:
        pass
    return None
