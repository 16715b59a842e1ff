"""The owner's side of a key-value bucket: only the newest value of a key is written, at a bounded rate, until it is."""

from __future__ import annotations

import asyncio

import structlog
from nats.errors import Error as NatsError

from runtime import retry
from runtime.nats.bus import Bus

_log = structlog.get_logger("kv")

_DELETE = {"KV-Operation": "DEL"}
_TURN_SECONDS = 0.05
_AGAIN = retry.Policy(wait_initial=0.1, wait_max=2.0, jitter=0.2)


class BucketWriter:
    """Takes values without waiting and writes at most `per_second` keys a second, the longest waiting first.

    At most `max_keys` keys wait; beyond that the one that waited longest is dropped and counted.
    """

    def __init__(self, bus: Bus, bucket: str, *, per_second: float = 2000.0, max_keys: int = 100_000) -> None:
        self._bus, self._bucket = bus, bucket
        self._js = bus.jetstream(timeout=2.0)
        self._batch = max(1, int(per_second * _TURN_SECONDS))
        self._turn = self._batch / per_second
        self._max_keys = max_keys
        self._dirty: dict[str, bytes | None] = {}
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task = asyncio.create_task(self._run(), name=f"writer of {bucket}")

    def put(self, key: str, value: bytes) -> None:
        """Write this value as soon as it may be, unless a newer one comes first."""
        self._mark(key, value)

    def delete(self, key: str) -> None:
        """Take the key away."""
        self._mark(key, None)

    async def flush(self, timeout: float = 30.0) -> None:
        """Wait until everything put so far is written; TimeoutError names the bucket."""
        try:
            async with asyncio.timeout(timeout):
                await self._idle.wait()
        except TimeoutError:
            raise TimeoutError(f"bucket {self._bucket}: {len(self._dirty)} keys not written in {timeout} s") from None

    async def close(self, timeout: float = 10.0) -> None:
        """Write what waits, then stop; TimeoutError when it could not all be written."""
        try:
            await self.flush(timeout)
        finally:
            self._task.cancel()

    def _mark(self, key: str, value: bytes | None) -> None:
        if key not in self._dirty and len(self._dirty) >= self._max_keys:
            del self._dirty[next(iter(self._dirty))]
            self._bus.count_drop(f"kv.{self._bucket}", 1)
        self._dirty[key] = value
        self._idle.clear()
        self._wake.set()

    async def _run(self) -> None:
        delays = retry.delays(_AGAIN)
        while True:
            await self._wake.wait()
            batch = {key: self._dirty[key] for key, _ in zip(self._dirty, range(self._batch), strict=False)}
            results = await asyncio.gather(*(self._write(key, value) for key, value in batch.items()))
            failed = [error for error in results if error is not None]
            for (key, value), error in zip(batch.items(), results, strict=True):
                if error is not None and key in self._dirty:
                    self._dirty[key] = self._dirty.pop(key)  # behind the others: it must not hold them up
                elif key in self._dirty and self._dirty[key] is value:
                    del self._dirty[key]
            if not self._dirty:
                self._wake.clear()
                self._idle.set()
            if failed:
                _log.warning("kv.write_again", bucket=self._bucket, keys=len(failed), error=str(failed[0]))
                await asyncio.sleep(next(delays))
            else:
                delays = retry.delays(_AGAIN)
                await asyncio.sleep(self._turn)

    async def _write(self, key: str, value: bytes | None) -> NatsError | None:
        try:
            headers = None if value is not None else dict(_DELETE)
            await self._js.publish(f"$KV.{self._bucket}.{key}", value or b"", headers=headers)  # no expected stream:
            # what a recorded bucket publishes again has the same headers, and its stream another name
        except NatsError as error:
            return error
        return None
