"""Faults of a cluster under load, judged: a server killed, parts killed each second, all restarted, scaled."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, cast

import httpx
from rich.console import Console

from contracts import streams, subjects
from deploy.cluster.load import VENUE, Load, announced_gaps, stored_trades, whale_ids
from deploy.cluster.parts import COPIES, roles
from deploy.cluster.promises import (
    FILLED,
    Order,
    Verdict,
    judge_orders,
    judge_trades,
    judge_webhooks,
    longest_pause,
)
from deploy.cluster.receiver import Received, receiving
from deploy.cluster.running import Cluster
from deploy.cluster.tables import WIDE, Pauses, draw
from runtime.clock import monotonic, now_ns, sleep
from runtime.nats.bus import Bus, NoAnswerError
from runtime.nats.streams.api import ApiRefusalError, call
from runtime.nats.streams.remade import find_term
from runtime.servers.answers import HOST
from runtime.servers.bus_users import ADMIN
from runtime.servers.embedded import free_port

FAULT_VENUES: Final = (VENUE, "bybit", "kraken")
RECEIVER_PORT: Final = free_port()  # the parts' environment names it before they start
FAULT_SETTINGS: Final = {
    "HYDROPHONE_VENUES": ",".join(FAULT_VENUES),
    "HYDROPHONE_SYMBOLS": "BTC,ETH",
    "HYDROPHONE_SIMULATOR_RATE": "0.5",
    "HYDROPHONE_WHALE_USD_MAJORS": "20000",
    "HYDROPHONE_WEBHOOK_ALLOW": f"{HOST}:{RECEIVER_PORT}",
    "GPT_API_WEBHOOK_RATE_LIMIT_SECONDS": "0",
    "GPT_API_RATE_LIMIT_REQUESTS": "1000000",
    "GPT_API_RATE_LIMIT_IP": "1000000",
    "GPT_API_RATE_LIMIT_GLOBAL": "1000000",
}
SERIES: Final = ("orders", "market data", "webhooks")
DOWN_SECONDS: Final = 4.0
CALM_SECONDS: Final = 10.0
SETTLE_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 0.2


@dataclass
class Row:
    """One fault: when it was (monotonic seconds), and what was noted of it."""

    name: str
    since: float
    until: float = 0.0
    notes: list[str] = field(default_factory=list[str])


@dataclass
class Run:
    """One run of faults: the cluster, its load, what was received, and the rows of the table."""

    cluster: Cluster
    say: Callable[[str], None]
    load: Load
    received: Received
    bus: Bus
    rows: list[Row] = field(default_factory=list[Row])

    @asynccontextmanager
    async def fault(self, name: str) -> AsyncGenerator[Row]:
        """Note when a fault began and when all was well again."""
        row = Row(name, monotonic())
        self.rows.append(row)
        self.say(f"{name} …")
        yield row
        ready = await self.cluster.until_all_ready()
        row.notes.append(f"all ready {ready:.1f} s after the last")
        await sleep(CALM_SECONDS)
        row.until = monotonic()
        pauses = ", ".join(f"{what} {pause:.1f} s" for what, pause in zip(SERIES, self._pauses(row), strict=True))
        self.say(f"{name}: longest pause of {pauses} ({'; '.join(row.notes)})")

    def _pauses(self, row: Row) -> list[float]:
        series = (self.load.answered, self.load.traded, self.received.times)
        return [longest_pause(times, row.since, row.until) for times in series]

    async def kill_server(self) -> None:
        """Kill the server that leads MARKET; it comes back after seconds, and has all of it again."""
        async with self.fault(f"a server of the bus killed, {DOWN_SECONDS:.0f} s away") as row:
            led = await self._leader()
            part = self.cluster.nodes[led]
            await self.cluster.supervisor.remove(led, kill=True)
            await sleep(DOWN_SECONDS)
            await self.cluster.supervisor.start(part)
            began = monotonic()
            await self._settled()
            row.notes.append(f"{led} has all again {monotonic() - began:.1f} s after its start")

    async def kill_parts(self, seconds: int, chance: random.Random) -> None:
        """Kill one part each second; servers and what is simulated are left alone."""
        async with self.fault(f"a part killed each second for {seconds} s") as row:
            for _ in range(seconds):
                name = chance.choice(sorted(self.cluster.copies))
                if self.cluster.supervisor.kill(name):
                    row.notes.append(name)
                await sleep(1.0)
            row.notes[:] = [f"{len(row.notes)} killed"]

    async def restart_all(self) -> None:
        """Restart everything, one after another, each when the one before it is ready."""
        async with self.fault("rolling restart of everything") as row:
            for name in [*self.cluster.nodes, *self.cluster.copies]:
                await self.cluster.supervisor.restart(name)
                await self.cluster.until_ready(name)
                if name in self.cluster.nodes:
                    await self._settled()
            row.notes.append(f"{len(self.cluster.nodes) + len(self.cluster.copies)} restarted")

    async def scale(self) -> None:
        """Scale every role out to one more copy, then in to what there was, by the copies that were first."""
        async with self.fault("scaled out to three copies and in again") as row:
            found = [role for role in roles(self.cluster.layout) if role.name in {"producers", "fold", "shared", "api"}]
            for role in found:
                await self.cluster.add(role, COPIES + 1)
            await sleep(CALM_SECONDS)
            for role in found:
                await self.cluster.remove(f"{role.name}-1")
            row.notes.append(", ".join(role.name for role in found))

    async def _leader(self) -> str:
        """Return which of our servers leads MARKET."""
        term = find_term(await call(self.bus, f"STREAM.INFO.{streams.MARKET}"))
        return "bus-1" if term is None else f"bus-{term[0].rsplit('-', 1)[1]}"

    async def _settled(self) -> None:
        """Wait until every server has all of MARKET and TRADING."""
        deadline = monotonic() + SETTLE_SECONDS
        for name in (streams.MARKET, streams.TRADING):
            while monotonic() < deadline and not await self._has_all(name):
                await sleep(_LOOK_SECONDS)

    async def _has_all(self, stream: str) -> bool:
        try:
            info = await call(self.bus, f"STREAM.INFO.{stream}", timeout=2.0)
        except (NoAnswerError, ApiRefusalError):
            return False
        others = cast("list[dict[str, object]]", info.get("cluster", {}).get("replicas", []))
        return find_term(info) is not None and all(one.get("current") and not one.get("offline") for one in others)

    async def judge(self, client: httpx.AsyncClient, since: int) -> list[Verdict]:
        """Return what became of each promise, from `since` (ns UTC) on."""
        found = await self.load.pages(client, "/api/trading/orders")
        fills = await self.load.pages(client, "/api/trading/fills")
        names = {str(one["id"]): str(one["client_id"]) for one in found}
        orders = [Order(str(one["client_id"]), str(one["status"]), Decimal(str(one["amount"]))) for one in found]
        executed = [(names.get(str(one["order_id"]), ""), Decimal(str(one["amount"]))) for one in fills]
        filled = [one.client_id for one in orders if one.status == FILLED]
        whales = await whale_ids(self.bus, since)
        waited = await self._posted(filled, whales)
        self.say(f"{len(filled)} filled orders and {len(whales)} whales: posted, or given up, after {waited:.1f} s")
        return [
            judge_orders(self.load.sent, orders, executed),
            judge_webhooks("filled order", filled, self.received.filled(), self.received.repeated),
            judge_webhooks("whale", whales, self.received.whales(), self.received.repeated),
            *judge_trades(await stored_trades(self.bus, since), await announced_gaps(self.bus, since)),
        ]

    async def _posted(self, filled: list[str], whales: list[str]) -> float:
        """Wait until all of this was posted, and a while for what comes twice; return the seconds of the first."""
        began = monotonic()
        while monotonic() - began < SETTLE_SECONDS and not (
            {*filled} <= {*self.received.filled()} and {*whales} <= {*self.received.whales()}
        ):
            await sleep(_LOOK_SECONDS)
        waited = monotonic() - began
        await sleep(CALM_SECONDS)
        return waited

    def table(self, verdicts: list[Verdict]) -> str:
        """Return the rows and the verdicts as text, as wide as the terminal where there is one."""
        rows = [Pauses(row.name, self._pauses(row), "; ".join(row.notes)) for row in self.rows]
        terminal = Console()
        return draw(SERIES, rows, verdicts, terminal.width if terminal.is_terminal else WIDE)


async def run_faults(cluster: Cluster, say: Callable[[str], None], *, seconds: int, seed: int) -> int:
    """Load the cluster, do every fault, judge, print the table; 1 where a promise was broken."""
    received, load = Received(), Load(lambda: cluster.urls("api"), cluster.layout.admin_key)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(receiving(RECEIVER_PORT, received))
        bus = await Bus(cluster.layout.bus_options("faults", ADMIN)).connect()
        stack.push_async_callback(bus.close, timeout=2.0)
        await bus.client.subscribe(f"{subjects.TRADE}{VENUE}.>", cb=load.on_trade)
        client = await stack.enter_async_context(httpx.AsyncClient())
        run = Run(cluster, say, load, received, bus)
        made = await load.ask(client, "POST", "/webhooks/register", {"url": url, "events": ["whale", "order"]})
        say(f"webhook {made['data']['id']} posts to {url}")
        since, stop = now_ns(), asyncio.Event()
        trading = asyncio.create_task(load.trade(client, stop))
        stack.callback(trading.cancel)
        async with run.fault("no fault"):
            await sleep(CALM_SECONDS)
        await run.kill_server()
        await run.kill_parts(seconds, random.Random(seed))
        await run.restart_all()
        await run.scale()
        stop.set()
        await trading
        verdicts = await run.judge(client, since)
        say("\n" + run.table(verdicts) + f"orders were tried again {load.retries} times")
        return 0 if all(one.kept for one in verdicts) else 1
