"""Reads the documents of recorded buckets as of a moment, and how far back that goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from contracts import streams, subjects
from runtime import clock
from runtime.nats.bus import Bus
from runtime.nats.kv.mirror import Entry
from runtime.nats.streams.api import call, parse_rfc3339
from runtime.nats.streams.lasts import Kept, read_lasts
from runtime.nats.streams.remade import bucket_stream

SECOND: Final = 1_000_000_000
_LAG: Final = SECOND // 4  # a version is on the stream that much after it was in its bucket, at most
_REACH_SECONDS: Final = 2.0  # for which the reach is not looked up again
_WHOLE_AFTER: Final = 2 * streams.PAGES_AGAIN * SECOND  # twice: the cache may have started again meanwhile


class Current(Protocol):
    """A bucket as it is now, mirrored in memory."""

    @property
    def name(self) -> str:
        """Which one."""
        ...

    def find(self, key: str, /) -> Entry | None:
        """Return the newest value of a key with when it was written."""
        ...


class Recording:
    """One stream that holds each version of documents of recorded buckets."""

    def __init__(self, bus: Bus, stream: str, whole_of: str) -> None:
        self._bus, self._stream, self._whole_of = bus, stream, whole_of
        self._reach: tuple[float, int | None] = (float("-inf"), None)

    async def find_reach(self) -> int | None:
        """Return from when on (ns UTC) every document can be read; None where nothing was recorded yet.

        Of what was dropped each document is there again soon: `RECORDED_AGAIN`, `PAGES_AGAIN`.
        """
        looked, found = self._reach
        if clock.monotonic() - looked >= _REACH_SECONDS:
            found = await self._find_reach()
            self._reach = (clock.monotonic(), found)
        return found

    async def read(self, bucket: Current, keys: Iterable[str], at_ns: int) -> dict[str, bytes | None]:
        """Return the documents of some keys as they were at a moment (ns UTC), None where there was none.

        Raises ApiRefusalError or NoAnswerError where the stream cannot be read.
        """
        found: dict[str, bytes | None] = {}
        changed: list[str] = []
        for key in keys:
            entry = bucket.find(key)
            if entry is not None and entry.time_ns <= at_ns:
                found[key] = entry.value
            else:
                changed.append(key)
        prefix = f"{subjects.PAST}{bucket.name}."
        for subject, kept in (await self._read_versions([prefix + key for key in changed], at_ns)).items():
            found[subject.removeprefix(prefix)] = kept.value
        return dict.fromkeys(changed) | found

    async def _read_versions(self, names: list[str], at_ns: int) -> Mapping[str, Kept]:
        """Return the last version of each that its bucket took at a moment or before.

        The stream has them in the order of the bucket, a little later: what is too new bounds the next look.
        """
        found = await read_lasts(self._bus, self._stream, names, time_ns=at_ns + _LAG) if names else {}
        while newer := [name for name, kept in found.items() if kept.time_ns > at_ns]:
            bound = min(found.pop(name).seq for name in newer) - 1
            if bound:
                found |= await read_lasts(self._bus, self._stream, newer, seq=bound)
        return found

    async def _find_reach(self) -> int | None:
        info = await call(self._bus, f"STREAM.INFO.{self._stream}")
        state, created = info["state"], parse_rfc3339(str(info["created"]))
        bucket = await call(self._bus, f"STREAM.INFO.{bucket_stream(self._whole_of)}")
        if int(state["first_seq"]) <= 1 and created <= parse_rfc3339(str(bucket["created"])):
            return created
        if not int(state["messages"]):
            return created + _WHOLE_AFTER if not int(state["last_seq"]) else None
        return parse_rfc3339(str(state["first_ts"])) + _WHOLE_AFTER
