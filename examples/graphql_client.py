"""`python examples/graphql_client.py BTC`: one GraphQL query, then price updates by a subscription."""

from __future__ import annotations

import asyncio
import json
import sys

import httpx
from place import api
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

QUERY = """
query Market($symbol: String!) {
  marketData(symbol: $symbol) {
    symbol
    price
    whaleTransactions { side amount price usdValue exchange timestamp }
    orderbook { spread bids { price amount } asks { price amount } }
  }
}
"""
UPDATES = "subscription Updates($symbols: [String!]!) { priceUpdates(symbols: $symbols) { symbol price timestamp } }"


async def main(symbol: str) -> None:
    url, key = api()
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers) as client:
        answer = await client.post("/graphql", json={"query": QUERY, "variables": {"symbol": symbol}})
        print(json.dumps(answer.json(), indent=2)[:1500])
    address, protocol = url.replace("http", "ws", 1) + "/graphql", Subprotocol("graphql-transport-ws")
    async with connect(address, subprotocols=[protocol], additional_headers=headers) as socket:
        await socket.send(json.dumps({"type": "connection_init"}))
        await socket.recv()  # connection_ack
        payload = {"query": UPDATES, "variables": {"symbols": [symbol]}}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        async for text in socket:
            print(text, flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "BTC"))
    except KeyboardInterrupt:
        print()
