"""CCXT Pro's side: its client's JSON and its `handle_message` on the frames; what it resolves becomes JSON by orjson.

Run by the interpreter of the peers' environment. Markets are set, books are seeded from the recorded REST answers; a
book's event is its best ten levels a side, since CCXT gives books and no changes.
"""

from __future__ import annotations

import asyncio
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
measure, play, read_job, run, until = (
    getattr(import_module("worker"), name) for name in ("measure", "play", "read_job", "run", "until")
)
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

    def __init__(self, job: dict[str, Any], on_event: Any, url: str | None = None) -> None:
        self.frames, self.seed, self.rest = job["peer_frames"], job["peer_seed"], job["rest"]
        linear = job["market"] == "linear"
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
        started = time.process_time()
        for frame in self.frames:
            handle(frame)
        return len(self.frames), time.process_time() - started

    def check(self) -> None:
        if self.count < len(self.frames):
            raise ValueError(f"{self.count} events of {len(self.frames)} frames; {self.rejected}")


async def decode(request: dict[str, Any]) -> float:
    bench = Bench(read_job(request["job"]), lambda _body: None)
    cost = await measure(bench.one_pass, request["seconds"])
    bench.check()
    await bench.exchange.close()
    return cost


async def publish(request: dict[str, Any]) -> float:
    nats = await import_module("nats").connect(request["nats"])
    waiting: list[bytes] = []
    bench = Bench(read_job(request["job"]), waiting.append)

    async def one_pass() -> tuple[int, float]:
        bench.prepare()
        waiting.clear()
        handle = bench.client.handle_text_or_binary_message
        started = time.process_time()
        for at in range(0, len(bench.frames), TURN):
            for frame in bench.frames[at : at + TURN]:
                handle(frame)
            for body in waiting:
                await nats.publish("bench.ccxt", body)
            waiting.clear()
            await asyncio.sleep(0)
        await nats.flush()
        return len(bench.frames), time.process_time() - started

    cost = await measure(one_pass, request["seconds"])
    bench.check()
    await bench.exchange.close()
    await nats.close()
    return cost


async def chain(request: dict[str, Any]) -> float:
    """Its own client reads the socket; what it resolves is published by a task that waits for it."""
    nats = await import_module("nats").connect(request["nats"])
    waiting: asyncio.Queue[bytes] = asyncio.Queue()
    url = f"ws://127.0.0.1:{request['port']}/stream"
    bench = Bench(read_job(request["job"]), waiting.put_nowait, url)
    done = 0

    async def send() -> None:
        nonlocal done
        while True:
            await nats.publish("bench.ccxt", await waiting.get())
            done += 1

    bench.exchange.open()
    await bench.client.connect(bench.exchange.session)
    bench.prepare()
    while not waiting.empty():
        waiting.get_nowait()
    task = asyncio.create_task(send())
    await play(request["port"])
    await asyncio.sleep(0)
    started = time.process_time()
    await until(lambda: done >= len(bench.frames) or task.done(), "frames")
    await nats.flush()
    spent = time.process_time() - started
    task.cancel()
    bench.check()
    await bench.exchange.close()
    await nats.close()
    return spent / len(bench.frames) * 1e6


if __name__ == "__main__":
    run({"decode": decode, "publish": publish, "chain": chain})
