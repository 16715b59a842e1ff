"""A plain client for the simulator's tests: sockets read with a deadline, REST by the standard library."""

from __future__ import annotations

import asyncio
import gzip
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection

from producers.simulator.venue import Truth

WITHIN = 8.0


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: Any


async def get(url: str) -> Reply:
    """One GET; error statuses are replies as well."""
    return await asyncio.to_thread(_get, url)


def _get(url: str) -> Reply:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return _reply(answer)
    except urllib.error.HTTPError as answer:
        return _reply(answer)


def _reply(answer: Any) -> Reply:
    text = answer.read().decode()
    try:
        body = json.loads(text)
    except json.JSONDecodeError:
        body = text
    return Reply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, body)


async def send(ws: ClientConnection, message: object) -> None:
    await ws.send(json.dumps(message))


async def read(ws: ClientConnection, within: float = WITHIN) -> Any:
    return load(await asyncio.wait_for(ws.recv(), within))


def load(frame: str | bytes) -> Any:
    """A frame's JSON; binary frames are packed."""
    return json.loads(gzip.decompress(frame) if isinstance(frame, bytes) else frame)


async def read_until(ws: ClientConnection, wanted: Callable[[Any], bool], within: float = WITHIN) -> list[Any]:
    """Every frame up to and including the first wanted one; fails after `within` seconds."""
    frames: list[Any] = []
    try:
        async with asyncio.timeout(within):
            while True:
                frames.append(load(await ws.recv()))
                if wanted(frames[-1]):
                    return frames
    except TimeoutError:
        raise AssertionError(f"not seen within {within} s; {len(frames)} others, last {frames[-1:]}") from None


async def drain(ws: ClientConnection, within: float = WITHIN) -> None:
    """Reads until the socket ends: raises ConnectionClosed, or TimeoutError when it lives on."""
    async with asyncio.timeout(within):
        while True:
            await ws.recv()


async def eventually(holds: Callable[[], bool], within: float = WITHIN) -> None:
    """Waits until something holds; fails after `within` seconds."""
    deadline = asyncio.get_running_loop().time() + within
    while not holds():
        assert asyncio.get_running_loop().time() < deadline, f"did not come to hold within {within} s"
        await asyncio.sleep(0.02)


async def read_on(ws: ClientConnection, frames: list[Any], wanted: Callable[[Any], bool]) -> list[Any]:
    """These frames and what follows up to the first wanted one, which may be the last of these."""
    return frames if wanted(frames[-1]) else [*frames, *await read_until(ws, wanted)]


async def read_some(ws: ClientConnection, wanted: Callable[[Any], bool], count: int) -> list[Any]:
    """The first `count` wanted frames."""
    found: list[Any] = []

    def keep(frame: Any) -> bool:
        if wanted(frame):
            found.append(frame)
        return len(found) >= count

    await read_until(ws, keep)
    return found


@dataclass
class Levels:
    """A book as a reader would hold it: texts, zero removes."""

    bids: dict[str, str] = field(default_factory=dict)
    asks: dict[str, str] = field(default_factory=dict)

    def put(self, bids: list[Any], asks: list[Any]) -> None:
        for side, rows in ((self.bids, bids), (self.asks, asks)):
            for price, amount, *_ in rows:
                if float(amount) == 0:
                    side.pop(price, None)
                else:
                    side[price] = amount

    def sides(self, depth: int | None = None) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        bids = sorted(self.bids.items(), key=lambda row: -float(row[0]))
        asks = sorted(self.asks.items(), key=lambda row: float(row[0]))
        return bids[:depth], asks[:depth]


def truth(book: Truth, depth: int | None = None) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    return book["bids"][:depth], book["asks"][:depth]
