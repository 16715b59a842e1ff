"""Publishes trades on request, so that a reader only reads: `python -m tests.bench.sides.sender <nats url> <venue>`.

`bench.send.<venue>` with a count publishes so many trades of the venue; the answer comes before them.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from runtime.nats.lanes.publisher import LanePublisher
from tests.bench.sides.our_bus import failed, trades
from tests.bench.sides.our_frames import bus

WRITE = 500  # messages, then in step with the server


async def main(url: str, venue: str) -> None:
    async with bus(url) as connected:
        publisher = LanePublisher(connected, on_gap=failed)

        async def on_request(message: Any) -> None:
            messages = trades(int(message.data), venue)
            await message.respond(b"")
            for at in range(0, len(messages), WRITE):
                for subject, payload, event_id in messages[at : at + WRITE]:
                    publisher.publish(subject, payload, schema="trade/1", msg_id=event_id)
                await connected.client.flush()

        await connected.client.subscribe(f"bench.send.{venue}", cb=on_request)
        await connected.client.flush()
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
