"""`python examples/nats_subscribe.py 'md.v1.*.*.BTC.>'`: one question, then every event of a subject."""

from __future__ import annotations

import asyncio
import json
import sys

import nats
from place import bus


async def main(subject: str) -> None:
    connection = await nats.connect(bus())
    reply = await connection.request("cmd.v1.market.price", b'{"symbol":"BTC"}', timeout=5)
    print("BTC is", json.loads(reply.data).get("price"), flush=True)
    subscription = await connection.subscribe(subject)
    async for message in subscription.messages:
        print(message.subject, message.data.decode(), flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "md.v1.trade.>"))
    except KeyboardInterrupt:
        print()
