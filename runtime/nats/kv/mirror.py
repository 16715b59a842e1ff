"""Key-value buckets: mirrored in memory by who reads them, written conflated by who owns them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog
from nats.errors import Error as NatsError

from contracts.schema.routes import subject_text
from runtime import retry
from runtime.nats.bus import Bus
from runtime.nats.streams.api import ApiRefusalError
from runtime.nats.streams.config import BUCKET_PREFIX
from runtime.nats.streams.reader import ALL, Row, StreamReader

_log = structlog.get_logger("kv")

_DELETED = (b"KV-Operation: DEL", b"KV-Operation: PURGE", b"Nats-Marker-Reason: ")
_UNTIL_THERE = retry.Policy(wait_initial=0.1, wait_max=2.0, jitter=0.2)


@dataclass(frozen=True, slots=True)
class Entry:
    """A key's newest value; `revision` grows with every write to the bucket, `time_ns` is when it was written."""

    value: bytes
    revision: int
    time_ns: int


Listener = Callable[[str, Entry | None], None]


class Mirror:
    """All of a bucket in memory, kept up to date, read again from the start whenever the bucket is not the one it was.

    Listeners are called with (key, entry), None where the key went away. An error of a listener ends the mirror: await
    `failed`.
    """

    def __init__(self, bus: Bus, bucket: str) -> None:
        self._bus, self._bucket = bus, bucket
        self._prefix = len(f"$KV.{bucket}.")
        self._entries: dict[str, Entry] = {}
        self._unseen: set[str] = set()
        self._listeners: list[tuple[str, Listener]] = []
        self._reader: StreamReader | None = None
        self._synced = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def open(self, timeout: float | None = 30.0) -> Mirror:
        """Read every key; returns when all are there, TimeoutError (naming the bucket) otherwise."""
        self._reading = asyncio.create_task(self._read_all(), name=f"mirror of {self._bucket}")
        try:
            async with asyncio.timeout(timeout):
                await self._synced.wait()
        except TimeoutError:
            raise TimeoutError(f"bucket {self._bucket}: not read within {timeout} s") from None
        return self

    async def close(self) -> None:
        """Stop following the bucket; what is mirrored stays."""
        if self._reading is not None:
            self._reading.cancel()
        if self._reader is not None:
            await self._reader.close()
        self.failed.cancel()

    def get(self, key: str) -> Entry | None:
        """The newest value of a key."""
        return self._entries.get(key)

    def entries(self, prefix: str = "") -> Iterator[tuple[str, Entry]]:
        """Every key that begins with `prefix` and its value, in no particular order."""
        return ((key, entry) for key, entry in self._entries.items() if key.startswith(prefix))

    def age(self) -> float:
        """Seconds since the mirror is known to equal the bucket; infinite while it is read for the first time."""
        if not self._synced.is_set() or self._reader is None or not self._reader.received_at:
            return float("inf")
        return asyncio.get_running_loop().time() - self._reader.received_at

    def listen(self, prefix: str, listener: Listener) -> None:
        """Call it for every change of a key that begins with `prefix` from now on."""
        self._listeners.append((prefix, listener))

    async def _read_all(self) -> None:
        """Follow the bucket from its first message; keys that are not met until the end are gone."""
        for delay in retry.delays(_UNTIL_THERE):
            if self._reader is not None:
                await self._reader.close()
            self._synced.clear()
            self._unseen = set(self._entries)
            self._reader = StreamReader(
                self._bus,
                BUCKET_PREFIX + self._bucket,
                (f"$KV.{self._bucket}.>",),
                on_messages=self._on_rows,
                on_gap=self._on_gap,
                failed=self.failed,
                start=ALL,
            )
            try:
                await self._reader.open()
            except (ApiRefusalError, NatsError, RuntimeError) as error:
                _log.warning("mirror.waiting", bucket=self._bucket, error=str(error))
                await asyncio.sleep(delay)
                continue
            if self._reader.backlog == 0:
                self._all_read()
            return

    def _on_gap(self, _messages: int) -> None:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_all(), name=f"mirror of {self._bucket}")

    def _on_rows(self, rows: Sequence[Row]) -> None:
        for row in rows:
            key = subject_text(row.subject[self._prefix :])
            self._unseen.discard(key)
            if any(mark in row.headers for mark in _DELETED):
                self._forget(key)
            else:
                position = row.position
                self._keep(key, Entry(row.payload, position.stream_seq, position.time_ns))
        if rows[-1].position.pending == 0 and not self._synced.is_set():
            self._all_read()

    def _all_read(self) -> None:
        for key in self._unseen:
            self._forget(key)
        self._unseen = set()
        self._synced.set()

    def _keep(self, key: str, entry: Entry) -> None:
        if self._entries.get(key) != entry:
            self._entries[key] = entry
            self._tell(key, entry)

    def _forget(self, key: str) -> None:
        if self._entries.pop(key, None) is not None:
            self._tell(key, None)

    def _tell(self, key: str, entry: Entry | None) -> None:
        for prefix, listener in self._listeners:
            if key.startswith(prefix):
                listener(key, entry)
