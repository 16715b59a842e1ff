"""The load of a run of faults: orders by the APIs, each until it is answered, and a subscriber of market data."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from nats.aio.msg import Msg

from contracts import codec, streams, subjects
from contracts.schema.routes import subject_text
from deploy.cluster.promises import Trade
from runtime.app.resume import Start
from runtime.clock import monotonic, sleep
from runtime.nats.bus import Bus
from runtime.nats.streams.past import read_past

VENUE: Final = "binance"  # numbers its trades of a symbol without holes
EVERY_SECONDS: Final = 0.3
TRY_SECONDS: Final = 8.0
_AGAIN_SECONDS: Final = 0.2
_PAGE: Final = 100
_REFUSED: Final = range(400, 500)
_NOT_YET: Final = frozenset({"NO_DATA", "NOT_READY", "UPSTREAM_TIMEOUT", "RATE_LIMITED"})


class RefusedError(RuntimeError):
    """The API will never do what was asked for; the message is its answer."""


@dataclass
class Load:
    """What was sent and when it was answered; `urls()` are the APIs as they are now."""

    urls: Callable[[], list[str]]
    key: str
    sent: list[str] = field(default_factory=list[str])
    answered: list[float] = field(default_factory=list[float])
    traded: list[float] = field(default_factory=list[float])
    retries: int = 0
    _turn: int = 0

    async def trade(self, client: httpx.AsyncClient, stop: asyncio.Event) -> None:
        """Send an order every so often, several at once, until it is stopped; returns when all are answered."""
        async with asyncio.TaskGroup() as group:
            number = 0
            while not stop.is_set():
                number += 1
                name = f"fault-{number}"
                self.sent.append(name)
                group.create_task(self._order(client, name, "buy" if number % 2 else "sell"))
                await sleep(EVERY_SECONDS)

    async def _order(self, client: httpx.AsyncClient, name: str, side: str) -> None:
        order = {"account": "paper", "symbol": "BTC/USDT", "side": side, "type": "market", "amount": "0.001"}
        await self.ask(client, "POST", "/api/trading/orders", {**order, "client_id": name})
        self.answered.append(monotonic())

    async def ask(self, client: httpx.AsyncClient, method: str, path: str, body: Any = None) -> Any:
        """Ask one API after another until one answers; RefusedError where the answer is a refusal for good."""
        headers = {"Authorization": f"Bearer {self.key}"}
        while True:
            urls = self.urls()
            self._turn += 1
            url = urls[self._turn % len(urls)]
            try:
                answer = await client.request(method, url + path, json=body, headers=headers, timeout=TRY_SECONDS)
                found = answer.json()
            except (httpx.HTTPError, json.JSONDecodeError):
                self.retries += 1
                await sleep(_AGAIN_SECONDS)
                continue
            if answer.is_success:
                return found
            if answer.status_code in _REFUSED and found.get("error") not in _NOT_YET:
                raise RefusedError(f"{method} {path}: {answer.status_code} {found}")
            self.retries += 1
            await sleep(_AGAIN_SECONDS)

    async def pages(self, client: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
        """Return every item of a list that comes in pages."""
        items: list[dict[str, Any]] = []
        page = 1
        while True:
            found = await self.ask(client, "GET", f"{path}?page={page}&page_size={_PAGE}")
            items += found["items"]
            if len(items) >= int(found["total"]) or not found["items"]:
                return items
            page += 1

    async def on_trade(self, _message: Msg) -> None:
        """Note when a trade came."""
        self.traded.append(monotonic())


async def stored_trades(bus: Bus, since: int) -> list[Trade]:
    """Return the exchange's trades that the stream took after a time (ns UTC)."""
    rows = await read_past(bus, streams.MARKET, (f"{subjects.TRADE}{VENUE}.>",), Start(time_ns=since))
    events: list[Any] = [codec.decode(subject_text(row.subject), row.payload) for row in rows]
    return [Trade(event.symbol, int(event.trade_id), event.ts_recv) for event in events]


async def announced_gaps(bus: Bus, since: int) -> list[int]:
    """Return when a gap of the exchange, or of the bus, was announced after a time (ns UTC)."""
    rows = await read_past(bus, streams.FEEDS, (subjects.ALL_FEEDS,), Start(time_ns=since))
    events: list[Any] = [codec.decode(subject_text(row.subject), row.payload) for row in rows]
    return [event.ts_recv for event in events if event.venue == VENUE and event.state in {"gap", "down"}]


async def whale_ids(bus: Bus, since: int) -> list[str]:
    """Return the ids of the whales that were published after a time (ns UTC)."""
    rows = await read_past(bus, streams.SIGNALS, (subjects.ALL_WHALES,), Start(time_ns=since))
    events: list[Any] = [codec.decode(subject_text(row.subject), row.payload) for row in rows]
    return [event.id for event in events]
