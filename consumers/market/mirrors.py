"""The buckets in memory and the listing made from them, from before the bus is there until the process ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec
import structlog

from consumers.market.documents import decode_listing
from contracts.instrument import Instrument
from contracts.symbols import SymbolBook
from runtime.clock import sleep
from runtime.nats.bus import Bus
from runtime.nats.kv.mirror import Entry, Mirror

LISTING_TURN_SECONDS: Final = 0.05  # changes of the listing within this time make one index
_log = structlog.get_logger("market")


class MirroredBucket:
    """One bucket: empty until `open` has read it, and from then on what arrived last."""

    def __init__(self, bus: Bus, name: str, on_change: Callable[[str], None]) -> None:
        self.name = name
        self._bus = bus
        self._on_change = on_change
        self._mirror: Mirror | None = None
        self._loaded = False
        self.changed_ns: int | None = None

    @property
    def loaded(self) -> bool:
        """Whether every key was read at least once."""
        return self._loaded

    def __len__(self) -> int:
        return sum(1 for _ in self.keys())

    def get(self, key: str) -> bytes | None:
        """Give the value of a key; the same object for as long as it is the same value."""
        entry = None if self._mirror is None else self._mirror.get(key)
        return None if entry is None else entry.value

    def find(self, key: str) -> Entry | None:
        """Give the value of a key with when it was written."""
        return None if self._mirror is None else self._mirror.get(key)

    def keys(self) -> Iterable[str]:
        """List the keys that have a value."""
        return () if self._mirror is None else (key for key, _ in self._mirror.entries())

    def age(self) -> float:
        """Seconds since the mirror is known to equal the bucket; infinite while it does not."""
        return float("inf") if self._mirror is None else self._mirror.age()

    async def run(self) -> None:
        """Read and follow the bucket, waiting for it as long as it takes; raises what ends the mirror."""
        mirror = self._mirror = Mirror(self._bus, self.name)
        mirror.listen("", self._on_entry)
        try:
            await mirror.open(timeout=None)
            self._loaded = True
            _log.info("mirror.loaded", bucket=self.name, keys=len(self))
            await mirror.failed
        finally:
            await mirror.close()

    def _on_entry(self, key: str, entry: Entry | None) -> None:
        if entry is not None:
            self.changed_ns = max(entry.time_ns, self.changed_ns or 0)
        self._on_change(key)


class Listing:
    """Makes the index of symbols, in a thread, whenever a venue lists other instruments."""

    def __init__(self, bucket: Callable[[], Mapping[str, bytes]], on_symbols: Callable[[SymbolBook], None]) -> None:
        self._bucket = bucket
        self._on_symbols = on_symbols
        self._changed = asyncio.Event()
        self._behind = False

    @property
    def behind(self) -> bool:
        """Whether something was listed that is not in the index yet."""
        return self._behind

    def on_change(self, _key: str) -> None:
        """Take note that a venue's entry changed."""
        self._behind = True
        self._changed.set()

    async def run(self) -> None:
        """Index for ever."""
        while True:
            await self._changed.wait()
            await sleep(LISTING_TURN_SECONDS)
            self._changed.clear()
            self._on_symbols(await asyncio.to_thread(index_symbols, dict(self._bucket())))
            self._behind = self._changed.is_set()


def index_symbols(entries: Mapping[str, bytes]) -> SymbolBook:
    """Index what the venues list; an entry that cannot be read is logged and left out."""
    listed: list[Instrument] = []
    for venue, body in entries.items():
        try:
            listed.extend(decode_listing(body))
        except msgspec.MsgspecError as error:
            _log.error("listing.undecodable", venue=venue, error=str(error))
    return SymbolBook(listed)
