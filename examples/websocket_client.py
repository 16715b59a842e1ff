"""`python examples/websocket_client.py BTC ETH`: prices and whales; type `sub SOL`, `unsub BTC`, `list`, `quit`."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from place import api
from websockets.asyncio.client import ClientConnection, connect

COMMANDS = {"sub": "subscribe", "unsub": "unsubscribe", "list": "get_subscriptions", "ping": "ping"}


async def main(symbols: list[str]) -> None:
    url, key = api()
    address = url.replace("http", "ws", 1) + "/ws"
    async for socket in connect(address, additional_headers={"Authorization": f"Bearer {key}"}):
        await send(socket, {"type": "subscribe", "symbols": symbols, "channel": "price"})
        await send(socket, {"type": "subscribe", "symbols": symbols, "channel": "whales"})
        reading = asyncio.create_task(read(socket))
        typing = asyncio.create_task(type_commands(socket))
        done, _ = await asyncio.wait({reading, typing}, return_when=asyncio.FIRST_COMPLETED)
        reading.cancel()
        typing.cancel()
        if typing in done:
            return
        print("the connection is gone; connecting again")


async def read(socket: ClientConnection) -> None:
    async for text in socket:
        print(describe(json.loads(text)), flush=True)


def describe(message: dict[str, Any]) -> str:
    kind = message["type"]
    if kind == "price_update":
        return f"{message['symbol']:>12} {message['price']:>14} {message['quality']:>5} {message['age']:.1f} s old"
    return f"{kind}: {json.dumps({name: value for name, value in message.items() if name != 'type'})}"


async def type_commands(socket: ClientConnection) -> None:
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        word, *symbols = line.split() or [""]
        if word == "quit":
            return
        if word not in COMMANDS:
            print(f"type one of {', '.join(COMMANDS)}, quit")
            continue
        message: dict[str, Any] = {"type": COMMANDS[word]}
        if symbols:
            message |= {"symbols": symbols, "channel": "price"}
        await send(socket, message)
    await asyncio.Event().wait()  # nothing can be typed any more: read on


async def send(socket: ClientConnection, message: dict[str, Any]) -> None:
    await socket.send(json.dumps(message))


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1:] or ["BTC", "ETH"]))
    except KeyboardInterrupt:
        print()
