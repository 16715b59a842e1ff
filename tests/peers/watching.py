"""CCXT Pro as its users run it, with its URLs pointed at a simulator; books are noted with their frames."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import ccxt.pro

HOST = re.compile(r"^(https?|wss?)://[^/]+")
KEPT_LEVELS = 50


@dataclass(slots=True)
class SeenBook:
    """One book as the client had it after a frame: `frame` is the message, decoded."""

    frame: Any
    nonce: int | None
    time_ms: int | None
    bids: list[list[float]]
    asks: list[list[float]]


@dataclass(slots=True)
class Seen:
    """What the client gave of one symbol; `sums` are the venue's checksums with the book that each is of."""

    trades: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    books: list[SeenBook] = field(default_factory=list[SeenBook])
    sums: list[tuple[int, SeenBook]] = field(default_factory=list[tuple[int, SeenBook]])
    tickers: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    errors: list[str] = field(default_factory=list[str])


def point(urls: Any, http: str, ws: str) -> Any:
    """Return the URLs with their hosts replaced, whatever is nested in what."""
    if isinstance(urls, dict):
        return {key: point(value, http, ws) for key, value in urls.items()}
    if not isinstance(urls, str):
        return urls
    return HOST.sub(lambda found: ws if found[1].startswith("ws") else http, urls)


def watch_class(name: str, seen: dict[str, Seen], find_sum: Callable[[Any], int | None]) -> Any:
    """Return CCXT Pro's class of this name; its clients note each book and checksum. `find_sum` reads a frame's."""

    class Watched(getattr(ccxt.pro, name)):
        """CCXT's own class but for the notes."""

        def client(self, url: str) -> Any:
            client = super().client(url)
            if not hasattr(client, "is_noted"):
                client.is_noted = True
                _note(client, seen, find_sum)
            return client

    return Watched


def _note(client: Any, seen: dict[str, Seen], find_sum: Callable[[Any], int | None]) -> None:
    resolve, on_message = client.resolve, client.on_message_callback
    current: list[Any] = [None]
    of_channel: dict[Any, Seen] = {}

    def on_resolved(result: Any, message_hash: str) -> Any:
        if isinstance(result, dict) and "bids" in result and result.get("symbol") in seen:
            levels = [[level[:2] for level in result[side][:KEPT_LEVELS]] for side in ("bids", "asks")]
            target = seen[result["symbol"]]
            target.books.append(SeenBook(current[0], result.get("nonce"), result.get("timestamp"), *levels))
            of_channel[_channel(current[0])] = target
        return resolve(result, message_hash)

    def on_frame(of: Any, message: Any) -> None:
        current[0] = message
        on_message(of, message)
        current[0] = None
        value = find_sum(message)
        target = of_channel.get(_channel(message))
        if value is not None and target is not None:
            target.sums.append((value, target.books[-1]))

    client.resolve, client.on_message_callback = on_resolved, on_frame


def _channel(frame: Any) -> Any:
    """What tells a frame's stream from others of the same socket: a number, or the instrument that it is of."""
    if isinstance(frame, list):
        return frame[0]
    rows = frame.get("data") if isinstance(frame, dict) else None
    return rows[0].get("symbol") if isinstance(rows, list) and rows and isinstance(rows[0], dict) else None


async def watch(exchange: Any, symbol: str, seen: Seen) -> None:
    """Run the three loops of a user until cancelled; an error is noted and ends its loop."""

    async def trades() -> None:
        seen.trades.extend(await exchange.watch_trades(symbol))

    async def book() -> None:
        await exchange.watch_order_book(symbol)

    async def ticker() -> None:
        seen.tickers.append(dict(await exchange.watch_ticker(symbol)))

    async def repeat(step: Callable[[], Any]) -> None:
        try:
            while True:
                await step()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is noted and fails the test
            seen.errors.append(f"{step.__name__}: {type(error).__name__}: {error}"[:300])

    async with asyncio.TaskGroup() as group:
        for step in (trades, book, ticker):
            group.create_task(repeat(step))
