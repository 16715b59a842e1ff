"""What exchanges listed at a moment, from the versions of their entries that the bucket of instruments keeps."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

from consumers.market.listed import Listed, index_listed
from consumers.market.mirrors import index_symbols
from runtime.nats.bus import Bus
from runtime.nats.kv.mirror import Entry
from runtime.nats.streams.api import call
from runtime.nats.streams.lasts import Kept, read_lasts
from runtime.nats.streams.remade import bucket_stream

MOST_KEPT: Final = 4  # listings that were indexed


class Current(Protocol):
    """The bucket of instruments as it is now, mirrored in memory."""

    @property
    def name(self) -> str:
        """Which one."""
        ...

    def find(self, key: str, /) -> Entry | None:
        """Return the newest value of a key with when it was written."""
        ...

    def keys(self) -> Iterable[str]:
        """List the keys that have a value."""
        ...


class PastListing:
    """Returns listings as they were; `live` returns that of now."""

    def __init__(self, bus: Bus, bucket: Current, live: Callable[[], Listed]) -> None:
        self._bus, self._bucket, self._live = bus, bucket, live
        self._indexed: OrderedDict[tuple[tuple[str, bytes], ...], Listed] = OrderedDict()

    async def find(self, at_ns: int) -> Listed:
        """Return what was listed at a moment (ns UTC).

        Raises ApiRefusalError or NoAnswerError where the bucket's versions cannot be read.
        """
        now = {key: entry for key in self._bucket.keys() if (entry := self._bucket.find(key)) is not None}  # noqa: SIM118
        if all(entry.time_ns <= at_ns for entry in now.values()):
            return self._live()
        prefix = f"$KV.{self._bucket.name}."
        versions = await read_lasts(self._bus, bucket_stream(self._bucket.name), [f"{prefix}>"], time_ns=at_ns)
        then = {subject.removeprefix(prefix): kept for subject, kept in versions.items()}
        bodies = decide_bodies(now, then, whole=await self._is_whole())
        if bodies == {key: entry.value for key, entry in now.items()}:
            return self._live()
        return await self._index(bodies)

    async def _is_whole(self) -> bool:
        """Return whether every version that ever was is still there."""
        state = (await call(self._bus, f"STREAM.INFO.{bucket_stream(self._bucket.name)}"))["state"]
        return int(state["messages"]) == int(state["last_seq"])

    async def _index(self, bodies: Mapping[str, bytes]) -> Listed:
        name = tuple(sorted(bodies.items()))
        found = self._indexed.get(name)
        if found is None:
            found = self._indexed[name] = index_listed(await asyncio.to_thread(index_symbols, bodies))
        self._indexed.move_to_end(name)
        if len(self._indexed) > MOST_KEPT:
            self._indexed.popitem(last=False)
        return found


def decide_bodies(now: Mapping[str, Entry], then: Mapping[str, Kept], *, whole: bool) -> dict[str, bytes]:
    """Return each key's value at a moment: the version of then, none where the key came later.

    Where versions were dropped (not `whole`), a key without one may have come later or not: it has the value of now.
    """
    held = {key: kept.value for key, kept in then.items() if kept.value is not None}
    return held if whole else {key: entry.value for key, entry in now.items() if key not in then} | held
