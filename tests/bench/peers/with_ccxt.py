"""CCXT Pro's side: its client's JSON and its `handle_message` on the frames; what it resolves becomes JSON by orjson.

Run by the interpreter of the peers' environment. Markets are set, books are seeded from the recorded REST answers; a
book's event is its best ten levels a side, since CCXT gives books and no changes.
"""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sides"))
_worker = import_module("worker")
ended, measure, played_from = _worker.ended, _worker.measure, _worker.played_from
read_job, run, spent = _worker.read_job, _worker.run, _worker.spent
ccxt_pro, orjson = import_module("ccxt.pro"), import_module("orjson")
dumps = orjson.dumps
TURN = 50
LEVELS = 10
URLS = {
    "binance": "wss://stream.binance.com:9443/stream",
    "binanceusdm": "wss://fstream.binance.com/ws",
    "bybit": "wss://stream.bybit.com/v5/public/{market}",
}


def _market(row: list[str], *, linear: bool) -> dict[str, Any]:
    native, base, quote = row
    return {
        "id": native,
        "symbol": f"{base}/{quote}:{quote}" if linear else f"{base}/{quote}",
        "base": base,
        "quote": quote,
        "baseId": base,
        "quoteId": quote,
        "settle": quote if linear else None,
        "type": "swap" if linear else "spot",
        "spot": not linear,
        "swap": linear,
        "future": False,
        "option": False,
        "contract": linear,
        "linear": linear or None,
        "inverse": False if linear else None,
        "contractSize": 1.0 if linear else None,
        "active": True,
        "precision": {"price": 0.00000001, "amount": 0.00000001},
        "limits": {},
        "info": {},
    }


class Bench:
    """One job on CCXT's exchange; `on_event(body)` gets what a user's loop would send on."""

    def __init__(self, job: dict[str, Any], on_event: Any, part: int | None = None, url: str | None = None) -> None:
        self.frames, self.seed, self.rest = job["peer_frames"][:part], job["peer_seed"], job["rest"]
        linear = job["perp"]
        self.exchange = getattr(ccxt_pro, job["ccxt"])({"newUpdates": True})
        self.markets = [_market(row, linear=linear) for row in job["symbols"]]
        self.exchange.set_markets(self.markets)
        url = url or URLS.get(job["venue"], "wss://bench/{market}").format(market=job["market"])
        self.client = self.exchange.client(url)
        self.client.resolve = self.on_resolved
        self.on_event = on_event
        self.count = 0
        self.latest: Any = None
        self.rejected: str | None = None
        inner = self.client.on_message_callback

        def on_message(client: Any, message: Any) -> None:
            self.latest = None
            inner(client, message)
            if self.latest is not None:
                self.count += 1
                self.on_event(self.body(self.latest))

        self.client.on_message_callback = on_message
        self.client.reject = self.on_rejected
        for market in self.markets:
            if job["venue"] == "okx":
                self.client.subscriptions[f"books:{market['symbol']}"] = True

    def on_resolved(self, result: Any, _message_hash: str) -> Any:
        self.latest = result
        return result

    def on_rejected(self, error: Any, _message_hash: str | None = None) -> Any:
        self.rejected = str(error)
        return error

    @staticmethod
    def body(result: Any) -> bytes:
        if isinstance(result, list):
            return dumps(result[-1])
        if "bids" in result and "asks" in result:
            top = {"bids": list(result["bids"][:LEVELS]), "asks": list(result["asks"][:LEVELS])}
            return dumps({"symbol": result.get("symbol"), "nonce": result.get("nonce"), **top})
        return dumps(result)

    def prepare(self) -> None:
        """Seed the books."""
        for market in self.markets:
            body = self.rest.get(market["id"])
            if body is not None:
                answer = orjson.loads(body)
                snapshot = self.exchange.parse_order_book(answer, market["symbol"], None)
                snapshot["nonce"] = answer["lastUpdateId"]
                book = self.exchange.order_book({})
                book.reset(snapshot)
                book["symbol"] = market["symbol"]
                self.exchange.orderbooks[market["symbol"]] = book
        for frame in self.seed:
            self.client.handle_text_or_binary_message(frame)
        self.count = 0

    async def one_pass(self) -> tuple[int, float]:
        self.prepare()
        handle = self.client.handle_text_or_binary_message
        started = spent()
        for frame in self.frames:
            handle(frame)
        return len(self.frames), spent() - started

    def check(self, frames: int | None = None) -> None:
        if self.count < (frames or len(self.frames)):
            raise ValueError(f"{self.count} events of {frames or len(self.frames)} frames; {self.rejected}")


async def decode(request: dict[str, Any]) -> float:
    bench = Bench(read_job(request["job"]), lambda _body: None, request.get("part"))
    cost = await measure(bench.one_pass, request["seconds"])
    bench.check()
    await bench.exchange.close()
    return cost


async def publish(request: dict[str, Any]) -> float:
    nats = await import_module("nats").connect(request["nats"])
    waiting: list[bytes] = []
    bench = Bench(read_job(request["job"]), waiting.append, request.get("part"))

    async def one_pass() -> tuple[int, float]:
        bench.prepare()
        waiting.clear()
        handle = bench.client.handle_text_or_binary_message
        started = spent()
        for at in range(0, len(bench.frames), TURN):
            for frame in bench.frames[at : at + TURN]:
                handle(frame)
            for body in waiting:
                await nats.publish("bench.ccxt", body)
            waiting.clear()
            await asyncio.sleep(0)
        await nats.flush()
        return len(bench.frames), spent() - started

    cost = await measure(one_pass, request["seconds"])
    bench.check()
    await bench.exchange.close()
    await nats.close()
    return cost


async def chain(request: dict[str, Any]) -> float:
    """Its own client reads the socket; what it resolves is published by a task that waits for it."""
    nats = await import_module("nats").connect(request["nats"])
    waiting: asyncio.Queue[bytes] = asyncio.Queue()
    url = f"ws://127.0.0.1:{request['at']}/stream"
    bench = Bench(read_job(request["job"]), waiting.put_nowait, url=url)
    done = 0

    async def send() -> None:
        nonlocal done
        while True:
            await nats.publish("bench.ccxt", await waiting.get())
            done += 1

    bench.client.keepAlive = 0  # no pings: the player answers none
    bench.exchange.open()
    await bench.client.connect(bench.exchange.session)
    bench.prepare()
    while not waiting.empty():
        waiting.get_nowait()
    task = asyncio.create_task(send())
    total = request.get("frames") or len(bench.frames)

    def failed() -> str | None:
        return bench.rejected or ("its socket is closed" if bench.client.closed() else ended(task))

    try:
        cost = await played_from(int(request["at"]), total, lambda: done, nats.flush, failed)
        bench.check(total)
    finally:
        task.cancel()
        await bench.exchange.close()
        await nats.close()
    return cost


if __name__ == "__main__":
    run({"decode": decode, "publish": publish, "chain": chain})
