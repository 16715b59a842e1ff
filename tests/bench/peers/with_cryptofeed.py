"""cryptofeed's side: its handlers on the frames, its callbacks to `to_dict` and its own JSON; nats-py to publish.

Run by the interpreter of the peers' environment. Symbols are put into its table, books are seeded from the recorded
REST answers through its own parser; nothing is asked of any network but this machine's bus and player.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sides"))
_worker = import_module("worker")
ended, measure, played_from, until = _worker.ended, _worker.measure, _worker.played_from, _worker.until
read_job, run, spent = _worker.read_job, _worker.run, _worker.spent

logging.disable(logging.WARNING)
TURN = 50
CLASSES = {
    "binance": ("binance", "Binance"),
    "binanceusdm": ("binance_futures", "BinanceFutures"),
    "bybit": ("bybit", "Bybit"),
    "okx": ("okx", "OKX"),
    "coinbase": ("coinbase", "Coinbase"),
    "kraken": ("kraken", "Kraken"),
    "krakenfutures": ("kraken_futures", "KrakenFutures"),
    "deribit": ("deribit", "Deribit"),
    "gate": ("gate", "Gate"),
    "htx": ("htx", "HTX"),
    "hyperliquid": ("hyperliquid", "Hyperliquid"),
}
OPTIONS: dict[str, Any] = {"ping_interval": None, "max_size": None, "max_queue": 1024}  # its own, but for pings
ADDRESSES = {"bybit": "wss://stream.bybit.com/v5/public/"}
defines = import_module("cryptofeed.defines")
symbols_of = import_module("cryptofeed.symbols")
dumpb = import_module("cryptofeed._json").dumpb


class Bench:
    """One job on cryptofeed's feed; `on_event(name, symbol, body)` gets what a user's callback would send on."""

    def __init__(self, job: dict[str, Any], on_event: Any, part: int | None = None) -> None:
        module, name = CLASSES[job["venue"]]
        kind = getattr(import_module(f"cryptofeed.exchanges.{module}"), name)
        self.frames, self.seed, self.rest = job["peer_frames"][:part], job["peer_seed"], job["rest"]
        linear = job["perp"]
        names = {f"{base}-{quote}" + ("-PERP" if linear else ""): native for native, base, quote in job["symbols"]}
        if job["venue"] == "bybit" and not linear:
            names = {f"{base}-{quote}": f"{base}/{quote}" for _, base, quote in job["symbols"]}
        info = {"instrument_type": dict.fromkeys(names, defines.PERPETUAL if linear else defines.SPOT)}
        symbols_of.Symbols.set(kind.id, names, info)
        self.on_event = on_event
        callbacks = {defines.TRADES: self.on_trade, defines.TICKER: self.on_ticker, defines.L2_BOOK: self.on_book}
        if job["venue"] == "hyperliquid":
            del callbacks[defines.TICKER]
        self.feed = kind(
            symbols=list(names),
            channels=list(callbacks),
            callbacks=callbacks,
        )
        if job["venue"] in {"deribit", "krakenfutures"}:
            getattr(self.feed, f"_{name}__reset")()  # what it does when it subscribes
        address = ADDRESSES.get(job["venue"], "wss://bench/") + job["market"]
        self.connection = SimpleNamespace(address=address, uuid="bench", subscription=self.feed.subscription)
        self.count = 0

    async def on_trade(self, trade: Any, _receipt: float) -> None:
        self.count += 1
        await self.on_event("trade", trade.symbol, dumpb(trade.to_dict()))

    async def on_ticker(self, ticker: Any, _receipt: float) -> None:
        self.count += 1
        await self.on_event("ticker", ticker.symbol, dumpb(ticker.to_dict()))

    async def on_book(self, book: Any, _receipt: float) -> None:
        if book.delta is None:
            return
        self.count += 1
        await self.on_event("book", book.symbol, dumpb(book.to_dict(delta=True)))

    async def prepare(self) -> None:
        """Seed the books."""
        for native, body in self.rest.items():
            pair = self.feed.exchange_symbol_to_std_symbol(native)
            book = self.feed._parse_snapshot(pair, body)
            self.feed._l2_book[pair] = book
            self.feed.last_update_id[pair] = book.sequence_number
        for frame in self.seed:
            await self.feed.message_handler(frame, self.connection, time.time())
        self.count = 0

    async def one_pass(self) -> tuple[int, float]:
        await self.prepare()
        handle, connection = self.feed.message_handler, self.connection
        started = spent()
        for frame in self.frames:
            await handle(frame, connection, time.time())
        return len(self.frames), spent() - started

    def check(self, frames: int | None = None) -> None:
        if self.count < (frames or len(self.frames)):
            raise ValueError(f"{self.count} events of {frames or len(self.frames)} frames")


async def decode(request: dict[str, Any]) -> float:
    async def on_event(_kind: str, _symbol: str, _body: bytes) -> None:
        return

    bench = Bench(read_job(request["job"]), on_event, request.get("part"))
    cost = await measure(bench.one_pass, request["seconds"])
    bench.check()
    return cost


async def memory(request: dict[str, Any]) -> float:
    """Megabytes that a job's books add to this process."""

    async def on_event(_kind: str, _symbol: str, _body: bytes) -> None:
        return

    bench = Bench(read_job(request["job"]), on_event)
    before = _worker.resident_mb()
    await bench.prepare()
    return _worker.resident_mb() - before


async def _publishing(request: dict[str, Any]) -> tuple[Any, Bench]:
    nats = await import_module("nats").connect(request["nats"])

    async def on_event(kind: str, symbol: str, body: bytes) -> None:
        await nats.publish(f"bench.{kind}.{symbol}", body)

    return nats, Bench(read_job(request["job"]), on_event, request.get("part"))


async def publish(request: dict[str, Any]) -> float:
    nats, bench = await _publishing(request)

    async def one_pass() -> tuple[int, float]:
        await bench.prepare()
        handle, connection = bench.feed.message_handler, bench.connection
        started = spent()
        for at in range(0, len(bench.frames), TURN):
            for frame in bench.frames[at : at + TURN]:
                await handle(frame, connection, time.time())
            await asyncio.sleep(0)
        await nats.flush()
        return len(bench.frames), spent() - started

    cost = await measure(one_pass, request["seconds"])
    bench.check()
    await nats.close()
    return cost


async def chain(request: dict[str, Any]) -> float:
    """Its own connection class reads the socket, as its connection handler does."""
    nats, bench = await _publishing(request)
    connection_of = import_module("cryptofeed.connection")
    connection = connection_of.WSAsyncConn("wss://bench", "bench", subscription=bench.feed.subscription, **OPTIONS)
    connection.address = f"ws://127.0.0.1:{request['at']}/stream?streams="

    async def read() -> None:
        async for message in connection.read():
            await bench.feed.message_handler(message, connection, connection.last_message)

    await connection._open()
    await bench.prepare()
    task = asyncio.create_task(read())
    total = request.get("frames") or len(bench.frames)
    try:
        cost = await played_from(int(request["at"]), total, lambda: bench.count, nats.flush, lambda: ended(task))
        bench.check(total)
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=5)
        await connection.close()
        await nats.close()
    return cost


async def lane(request: dict[str, Any]) -> dict[str, float]:
    """Frame in, handled, published, read again by a nats-py callback and decoded: p50 and p99 in milliseconds."""
    sent: list[float] = []
    came: list[float] = []
    loads = import_module("cryptofeed._json").loads
    nats, bench = await _publishing(request)
    back = await import_module("nats").connect(request["nats"])

    async def on_message(message: Any) -> None:
        loads(message.data)
        came.append(time.perf_counter())

    await back.subscribe("bench.>", cb=on_message)
    await back.flush()
    await back.flush()  # nats-py's first ping overtakes the subscription
    frames, handle, connection = bench.frames, bench.feed.message_handler, bench.connection
    total, began, number = int(request["rate"] * request["seconds"]), time.perf_counter(), 0
    while number < total:
        due = min(total, int((time.perf_counter() - began) * request["rate"]) + 1)
        while number < due:
            sent.append(time.perf_counter())
            await handle(frames[number % len(frames)], connection, time.time())
            number += 1
        await asyncio.sleep(0.001)
    await until(lambda: len(came) >= total, lambda: f"{len(came)} of {total} messages back", 20)
    await nats.close()
    await back.close()
    waits = sorted((end - start) * 1e3 for start, end in zip(sent, came, strict=True))
    return {"p50": waits[len(waits) // 2], "p99": waits[int(len(waits) * 0.99)], "messages": len(waits)}


if __name__ == "__main__":
    run({"decode": decode, "publish": publish, "chain": chain, "lane": lane, "memory": memory})
