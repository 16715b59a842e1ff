"""What a stream already holds, read to its present end and no further."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from runtime.nats.bus import Bus
from runtime.nats.streams.reader import Row, Start, StreamReader


async def read_past(
    bus: Bus, stream: str, subjects: Sequence[str], start: Start, *, limit: int = 100_000, timeout: float = 30.0
) -> list[Row]:
    """Give the messages of some subjects from `start` to the end, the last `limit` of them, in order.

    TimeoutError names the stream where that takes longer than `timeout` seconds.
    """
    loop = asyncio.get_running_loop()
    failed: asyncio.Future[None] = loop.create_future()
    done = asyncio.Event()
    rows: deque[Row] = deque(maxlen=limit)

    def on_messages(batch: Sequence[Row]) -> None:
        rows.extend(batch)
        if batch[-1].position.pending == 0:
            done.set()

    reader = StreamReader(
        bus, stream, tuple(subjects), on_messages=on_messages, on_gap=lambda _: None, failed=failed, start=start
    )
    try:
        async with asyncio.timeout(timeout):
            await reader.open()
            if reader.backlog:
                await done.wait()
    except TimeoutError:
        raise TimeoutError(f"stream {stream}: not read to its end within {timeout} s") from None
    finally:
        await reader.close()
        failed.cancel()
    return list(rows)
