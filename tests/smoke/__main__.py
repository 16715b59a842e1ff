"""`python -m tests.smoke URL [--key=KEY]`: asks a running copy's API one question of each kind, and prints a line each.

The exit code is 0 where each was answered as it should be, 1 where one was not, 2 for wrong arguments.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

PRICE_SECONDS = 10.0
ANSWER_SECONDS = 10.0


class WrongAnswerError(Exception):
    """What came is not what should have come; the text says what did."""


@dataclass(frozen=True)
class Place:
    """A running copy's API, and a symbol that it follows."""

    url: str
    http: httpx.AsyncClient
    headers: Mapping[str, str]
    symbol: str

    async def ask(self, method: str, path: str, **given: Any) -> Any:
        """Return the JSON of an answer with status 200; WrongAnswerError for another."""
        answer = await self.http.request(method, self.url + path, headers=dict(self.headers), **given)
        if answer.status_code != 200:
            raise WrongAnswerError(f"{answer.status_code}: {answer.text[:200]}")
        return answer.json()


def expect(holds: bool, what: object) -> None:
    """Raise WrongAnswerError with what came, where it is not as it should be."""
    if not holds:
        raise WrongAnswerError(str(what)[:200])


async def check_health(place: Place) -> str:
    """The process answers."""
    body = await place.ask("GET", "/health")
    expect(body["status"] == "ok", body)
    return "ok"


async def check_ready(place: Place) -> str:
    """It can answer; what is degraded is printed and no fault of the API."""
    body = await place.ask("GET", "/health/ready")
    expect(body["status"] == "ready", body)
    return "ready" + (f", degraded: {', '.join(body['degraded'])}" if body["degraded"] else "")


async def check_version(place: Place) -> str:
    """It says what it is."""
    answer = await place.http.get(place.url + "/", headers={**place.headers, "Accept": "application/json"})
    body = answer.json()
    expect(bool(body.get("name")) and bool(body.get("version")), body)
    return f"{body['name']} {body['version']}"


async def check_market(place: Place) -> str:
    """A market question has a price."""
    body = await place.ask("GET", "/gpt/raw", params={"symbol": place.symbol})
    data = body["data"]
    expect(body["success"] is True and data["quality"] is not None, body)
    return f"{place.symbol} {data['quality']}, {data['age']} s old, of {len(data['exchanges'])} exchanges"


async def check_openapi(place: Place) -> str:
    """It describes itself."""
    body = await place.ask("GET", "/openapi.json")
    expect(body["openapi"].startswith("3.") and "/health" in body["paths"], sorted(body))
    return f"{len(body['paths'])} paths"


async def check_graphql(place: Place) -> str:
    """The same question by GraphQL."""
    query = {"query": "query($s: String!) { price(symbol: $s) { price quality } }", "variables": {"s": place.symbol}}
    body = await place.ask("POST", "/graphql", json=query)
    expect(not body.get("errors") and body["data"]["price"]["price"] is not None, body)
    return f"{place.symbol} {body['data']['price']['price']}"


async def check_websocket(place: Place) -> str:
    """A subscription gets a price in time."""
    address = place.url.replace("http", "ws", 1) + "/ws"
    async with (
        asyncio.timeout(PRICE_SECONDS),
        connect(address, additional_headers=dict(place.headers)) as socket,
    ):
        await socket.send(json.dumps({"type": "subscribe", "symbol": place.symbol}))
        async for text in socket:
            message = json.loads(text)
            expect(message["type"] != "error", message)
            if message["type"] == "price_update":
                return f"{message['symbol']} {message['price']}"
    raise WrongAnswerError("the connection ended")


async def check_events(place: Place) -> str:
    """Server-sent events have a price in time."""
    asked = place.http.stream(
        "GET", place.url + "/events", headers=dict(place.headers), params={"channels": "price", "symbols": place.symbol}
    )
    async with asyncio.timeout(PRICE_SECONDS), asked as answer:
        expect(answer.status_code == 200, answer.status_code)
        async for line in answer.aiter_lines():
            if line == "event: price_update":
                return "price_update"
    raise WrongAnswerError("the stream ended")


CHECKS: Mapping[str, Callable[[Place], Awaitable[str]]] = {
    "health": check_health,
    "ready": check_ready,
    "version": check_version,
    "market": check_market,
    "openapi": check_openapi,
    "graphql": check_graphql,
    "websocket": check_websocket,
    "events": check_events,
}


async def run(url: str, key: str | None, symbol: str) -> int:
    """Make every check, one after another; 1 where one fails."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    failed = 0
    async with httpx.AsyncClient(timeout=ANSWER_SECONDS) as http:
        place = Place(url.rstrip("/"), http, headers, symbol)
        for name, check in CHECKS.items():
            began = time.monotonic()
            try:
                word, said = "ok", await check(place)
            except (WrongAnswerError, httpx.HTTPError, WebSocketException, OSError, ValueError, LookupError) as error:
                word, said = "FAILED", f"{type(error).__name__}: {error}".removeprefix("WrongAnswerError: ")
                failed += 1
            print(f"{word:<6} {name:<10} {(time.monotonic() - began) * 1000:6.0f} ms  {said}", flush=True)
    return 1 if failed else 0


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.smoke", description=__doc__)
    parser.add_argument("url", help="the API's address, https://api.example.org")
    parser.add_argument("--key", help="a key that may read; none where none is needed")
    parser.add_argument("--symbol", default="BTC", help="a symbol that is followed")
    given = parser.parse_args(argv)
    if not given.url.startswith(("http://", "https://")):
        parser.error("the URL begins with http:// or https://")
    return asyncio.run(run(given.url, given.key or None, given.symbol))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
