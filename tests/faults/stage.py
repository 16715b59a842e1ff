"""Every part as a real process under the real supervisor, and a look at what flows: for faults of parts and streams."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import time
from collections import defaultdict
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from consumers.registry import BY_ITSELF, CONSUMERS, NEED_TELEGRAM
from contracts import codec, streams, subjects
from deploy.ready import file_appears, http_answers
from deploy.supervisor import Part, Supervisor
from runtime.app.resume import Start
from runtime.nats.bus import Bus, BusOptions, NoAnswerError
from runtime.nats.streams.api import ApiRefusalError, call, parse_rfc3339
from runtime.nats.streams.past import read_past
from runtime.servers.answers import nats_answers
from runtime.servers.embedded import NatsConfig, document_server, free_port, nats_command, nats_url, save_nats_config

VENUES = ("binance", "bybit", "kraken")
TOGETHER = tuple(name for name in CONSUMERS if name not in BY_ITSELF | NEED_TELEGRAM)  # no bot has a token here
READ = tuple(  # no bot has a token here
    spec for spec in streams.DURABLES if spec.stream != streams.JOBS and not spec.name.startswith("bot_")
)
PARTS = ("bus", "healer", "producers", *TOGETHER, "api")
SECOND = 1_000_000_000
START_SECONDS = 150.0  # two dozen processes at once, beside other tests
KEY = "stage-key-0123456789"
LIMITS = {
    f"HYDROPHONE_{name}_{tier}": value
    for name, value in (("WHALE_USD", "2000"), ("STORM_USD", "1000"))
    for tier in ("MAJORS", "LARGE", "MID")
}


@dataclass
class Seen:
    """What a subscriber of the bus saw: the newest event by kind and venue, trade ids, and every state."""

    newest: dict[Any, int] = field(default_factory=dict)
    live: dict[str, int] = field(default_factory=dict)
    trades: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    traded: dict[str, int] = field(default_factory=dict)  # when the newest of them was received
    states: list[Any] = field(default_factory=list)

    async def on_message(self, message):
        event = codec.decode(message.subject, message.data)
        kind = event.kind
        self.newest[kind, event.venue] = max(event.ts_recv, self.newest.get((kind, event.venue), 0))
        if kind == "trade" and event.venue == "binance":
            self.trades[event.symbol].add(int(event.trade_id))
            self.traded[event.symbol] = max(event.ts_recv, self.traded.get(event.symbol, 0))
        if kind == "book" and event.quality == "sim":
            self.live[event.venue] = event.ts_recv
        if kind == "feed":
            self.states.append((time.time_ns(), event))


class Stage:
    """The parts, with a subscriber of the bus and a client of the API beside them."""

    def __init__(self, supervisor, bus, http):
        self.supervisor, self.bus, self.http = supervisor, bus, http
        self.seen = Seen()

    # ---- doing harm
    def signal(self, part, number):
        os.kill(self.supervisor.pids()[part], number)

    # ---- looking
    async def missing(self, since):
        """Name what does not flow yet: nothing of it happened after `since` (ns UTC)."""
        seen = self.seen
        found = [
            f"{kind} of {venue}"
            for venue in VENUES
            for kind in ("trade", "ticker")
            if seen.newest.get((kind, venue), 0) <= since
        ]
        # A hole in a symbol's numbers shows with its next trade: it belongs to this fault, not to the next one.
        found += [f"trade of {symbol}" for symbol in seen.trades if seen.traded[symbol] <= since]
        found += [f"live book of {venue}" for venue in VENUES if seen.live.get(venue, 0) <= since]
        found += [
            kind for kind in ("candle", "whale") if max(seen.newest.get((kind, venue), 0) for venue in VENUES) <= since
        ]
        with suppress(NoAnswerError):
            found += await self._streams(since)
            found += await self._answers(since)
            return found
        return [*found, "the bus"]

    async def _streams(self, since):
        found = []
        for spec in streams.STREAMS:
            if not spec.optional:
                info = await self._call(f"STREAM.INFO.{spec.name}")
                flows = any(item.startswith((subjects.TRADE, subjects.TICKER, subjects.BOOK)) for item in spec.subjects)
                if info is None or (flows and parse_rfc3339(info["state"]["last_ts"]) <= since):
                    found.append(f"stream {spec.name}")
        buckets = [(spec.name, await self._call(f"STREAM.INFO.KV_{spec.name}")) for spec in streams.BUCKETS]
        found += [f"bucket {name}" for name, info in buckets if info is None]
        for spec in READ:
            info = await self._call(f"CONSUMER.INFO.{spec.stream}.{spec.name}")
            active = 0 if info is None else parse_rfc3339(info["delivered"].get("last_active", "1970-01-01T00:00:00Z"))
            if info is None or not (info["num_waiting"] or active > since):
                found.append(f"durable {spec.name}")
        for bucket, keys in ((streams.INSTRUMENTS, VENUES), (streams.LEASES, [f"producers.{v}" for v in VENUES])):
            found += [f"{bucket} {key}" for key in keys if await self._value(bucket, key) is None]
        return found

    async def _answers(self, since):
        found = []
        for venue in VENUES:
            held = await self._value(streams.STATE, subjects.STATE_FEED + venue)
            feed = {} if held is None else json.loads(held)
            if feed.get("state") != "live" or feed["as_of"] <= since:
                found.append(f"health of {venue}: {feed.get('state')}")
        whales = await self._entry(streams.STATE, f"{subjects.STATE_WHALES}BTC")
        if whales is None or parse_rfc3339(whales["time"]) <= since:
            found.append("cached whale")
        try:
            ready = (await self.http.get("/health/ready")).json()
            if ready.get("degraded") != []:
                found.append(f"api: {ready.get('degraded', 'not ready')}")
            raw = (await self.http.get("/gpt/raw?symbol=BTC")).json()
            if not raw.get("success") or raw["data"]["age"] > 2:
                found.append("api: BTC")
        except httpx.HTTPError as error:
            found.append(f"api: {type(error).__name__}")
        return found

    async def _call(self, name):
        try:
            return await call(self.bus, name)
        except ApiRefusalError:
            return None

    async def _value(self, bucket, key):
        message = await self._entry(bucket, key)
        return None if message is None else base64.b64decode(message.get("data", ""))

    async def _entry(self, bucket, key):
        try:
            body = json.dumps({"last_by_subj": f"$KV.{bucket}.{key}"}).encode()
            return (await call(self.bus, f"STREAM.MSG.GET.KV_{bucket}", body))["message"]
        except ApiRefusalError:
            return None

    async def until_flowing(self, since, seconds=30.0):
        """Wait until everything flows; gives the seconds since `since` (ns UTC)."""
        deadline = time.monotonic() + seconds
        while True:
            missing = await self.missing(since)
            now = time.time_ns()
            if not missing:
                return (now - since) / SECOND
            assert time.monotonic() < deadline, f"does not flow after {seconds} s: {missing}"
            await asyncio.sleep(0.05)

    async def announced(self, since):
        """(seconds after `since`, venue, state, reason) of every gap and down, from the stream and as it was seen."""
        rows = []
        with suppress(ApiRefusalError):
            rows = await read_past(self.bus, streams.FEEDS, (subjects.ALL_FEEDS,), Start(time_ns=since))
        found = {(e.venue, e.state, e.reason): at for at, e in reversed(self.seen.states) if at >= since}
        for row in reversed(rows):
            event = codec.decode(row.subject.decode(), row.payload)
            key = (event.venue, event.state, event.reason)
            found[key] = min(row.position.time_ns, found.get(key, row.position.time_ns))
        return sorted(
            ((at - since) / SECOND, *key) for key, at in found.items() if key[1] in {"gap", "down"} and at >= since
        )

    def lost_trades(self):
        """How many of Binance's trades this subscriber never saw: the venue numbers them without holes."""
        return sum(max(ids) - min(ids) + 1 - len(ids) for ids in self.seen.trades.values() if ids)

    async def messages(self, stream):
        info = await self._call(f"STREAM.INFO.{stream}")
        return 0 if info is None else info["state"]["messages"]


def _environment(url, documents, data, *, api_port, sim_port):
    keep = {
        name: value for name, value in os.environ.items() if not name.startswith(("GPT_API_", "HYDROPHONE_", "NATS"))
    }
    addresses = {
        f"HYDROPHONE_{venue.upper()}_{kind}_URL": f"{scheme}://127.0.0.1:{sim_port}/{venue}"
        for venue in VENUES
        for kind, scheme in (("WS", "ws"), ("REST", "http"))
    }
    return {
        **keep,
        **addresses,
        **LIMITS,
        "PYTHONUNBUFFERED": "1",
        "NATS_URL": url,
        "MONGO_URL": documents,
        "HYDROPHONE_DATA": str(data),
        "HYDROPHONE_VENUES": ",".join(VENUES),
        "HYDROPHONE_SYMBOLS": "BTC,ETH",
        "HYDROPHONE_LOG_DIR": str(data / "facts"),
        "GPT_API_HOST": "127.0.0.1",
        "GPT_API_PORT": str(api_port),
        "GPT_API_API_KEYS": KEY,
        "GPT_API_RATE_LIMIT_REQUESTS": "100000",
    }


@asynccontextmanager
async def stage(tmp_path):
    """All parts, running and flowing; every process of it is gone afterwards."""
    port, monitor, api_port, sim_port = (free_port() for _ in range(4))
    config = NatsConfig(data_dir=tmp_path / "bus", port=port, monitor_port=monitor)
    url = nats_url(port, "admin", config.users.admin)
    ready_file = tmp_path / "simulator.json"
    python = (sys.executable, "-m")
    provision = (*python, "runtime.provision", "--monitor", f"http://127.0.0.1:{monitor}")
    simulator = (*python, "producers.simulator", "--port", str(sim_port), "--venues", ",".join(VENUES))
    simulator += ("--bases", "BTC,ETH", "--rate", "4", "--ready-file", str(ready_file))
    api_url = f"http://127.0.0.1:{api_port}"
    stack = AsyncExitStack()
    documents = await stack.enter_async_context(document_server(tmp_path / "store"))
    environ = _environment(url, documents.url, tmp_path, api_port=api_port, sim_port=sim_port)
    parts = (
        Part("bus", tuple(nats_command(save_nats_config(config))), environ, ready=lambda: nats_answers(port, monitor)),
        Part("provision", provision, environ, once=True),
        Part("healer", (*provision, "--keep"), environ),
        Part("simulator", simulator, environ, ready=lambda: file_appears(ready_file)),
        Part("producers", (*python, "producers"), environ),
        *(Part(name, (*python, "consumers", name), environ) for name in TOGETHER),
        Part(
            "api",
            (*python, "api"),
            environ,
            ready=lambda: http_answers(f"{api_url}/health/ready"),
            start_seconds=START_SECONDS,
        ),
    )
    supervisor = Supervisor(log_dir=tmp_path / "logs", directory=Path.cwd(), say=lambda _line: None)
    async with stack:
        stack.push_async_callback(supervisor.stop)
        for part in parts:
            await supervisor.start(part)
        bus = await Bus(BusOptions(servers=(url,), name="stage")).connect()
        stack.push_async_callback(bus.close, timeout=2)
        headers = {"Authorization": f"Bearer {KEY}"}
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=api_url, headers=headers, timeout=3))
        made = Stage(supervisor, bus, http)
        for subject in ("md.v1.*.*.>", subjects.ALL_WHALES, subjects.ALL_FEEDS):
            await bus.client.subscribe(subject, cb=made.seen.on_message)
        await made.until_flowing(time.time_ns(), 90)
        yield made
