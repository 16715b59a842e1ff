"""cryptofeed's side, run by a Python 3.13 of its own: one feed with its addresses pointed at a simulator, for a while.

Reads a job as JSON from standard input and writes what the callbacks gave as JSON to standard output.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
import tempfile
from importlib import import_module
from typing import Any

HOST = re.compile(r"^(?:https?|wss?)://[^/]+")
LEVELS = 50
logging.disable(logging.ERROR)


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1e6) // 1000


class Listener:
    """What one feed gave, ready for JSON."""

    def __init__(self) -> None:
        self.trades: list[list[Any]] = []
        self.books: list[list[Any]] = []
        self.tickers: list[list[Any]] = []

    async def on_trade(self, trade: Any, _receipt: float) -> None:
        row = [trade.symbol, str(trade.id), float(trade.price), float(trade.amount), trade.side, _ms(trade.timestamp)]
        self.trades.append(row)

    async def on_book(self, book: Any, _receipt: float) -> None:
        sides = [
            [[float(number) for number in side.index(at)] for at in range(min(LEVELS, len(side)))]
            for side in (book.book.bids, book.book.asks)
        ]
        self.books.append([book.symbol, book.sequence_number, _ms(book.timestamp), *sides, book.checksum])

    async def on_ticker(self, ticker: Any, _receipt: float) -> None:
        self.tickers.append([ticker.symbol, float(ticker.bid), float(ticker.ask), _ms(ticker.timestamp)])


def _point(kind: Any, job: dict[str, Any]) -> None:
    """Replace the hosts of a feed class's addresses."""
    for endpoint in kind.websocket_endpoints:
        endpoint.address = job["ws"] + HOST.sub("", endpoint.address)
    for endpoint in kind.rest_endpoints:
        endpoint.address = job["http"] + HOST.sub("", endpoint.address)


def _allow_plain_sockets() -> None:
    """Let connections go to `ws://`, which their constructor refuses."""
    connection, feed = import_module("cryptofeed.connection"), import_module("cryptofeed.feed")

    class PlainConnection(connection.WSAsyncConn):
        def __init__(self, address: str, *args: Any, **options: Any) -> None:
            super().__init__(address.replace("ws://", "wss://", 1), *args, **options)
            self.address = address

    setattr(feed, "WSAsyncConn", PlainConnection)  # noqa: B010 - a module's attribute


async def main(job: dict[str, Any]) -> dict[str, Any]:
    """Return what the feed gave within the job's seconds."""
    defines = import_module("cryptofeed.defines")
    kind = getattr(import_module(f"cryptofeed.exchanges.{job['module']}"), job["kind"])
    _point(kind, job)
    _allow_plain_sockets()
    listener = Listener()
    callbacks = {
        defines.TRADES: listener.on_trade,
        defines.L2_BOOK: listener.on_book,
        defines.TICKER: listener.on_ticker,
    }
    wanted = {name: callback for name, callback in callbacks.items() if name in kind.websocket_channels}
    handler = import_module("cryptofeed").FeedHandler(config={"log": {"disabled": True}})
    handler.add_feed(kind(symbols=job["symbols"], channels=list(wanted), callbacks=wanted))
    running = asyncio.create_task(handler.run_async(install_signal_handlers=False))
    await asyncio.wait({running}, timeout=job["seconds"])
    if running.done():
        running.result()
    running.cancel()
    await asyncio.wait({running}, timeout=5)
    return {"trades": listener.trades, "books": listener.books, "tickers": listener.tickers}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        import_module("os").chdir(place)
        print(json.dumps(asyncio.run(main(json.load(sys.stdin)))))
