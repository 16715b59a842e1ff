"""The simulator itself: one loopback port that serves every venue's sockets and REST from one market."""

from __future__ import annotations

import asyncio
import random
import time
from types import TracebackType
from typing import Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request as HttpRequest
from websockets.http11 import Response

from producers.simulator.config import SimulatorConfig
from producers.simulator.faults import IMMEDIATE, Fault, Faults
from producers.simulator.hub import Tick
from producers.simulator.market.listing import Listing
from producers.simulator.market.market import Market, MarketConfig
from producers.simulator.private.side import PrivateSide
from producers.simulator.registry import VENUES
from producers.simulator.transport.delivery import Delivery
from producers.simulator.transport.endpoint import Endpoint
from producers.simulator.transport.sockets import PingedConnection, Sockets
from producers.simulator.transport.web import mark_response
from producers.simulator.venue import Resetting, Snapshots, Trading, Truth, Venue, find_seq, level_texts

WARM_UP_STEPS = 60
MARKETS = {"swap": "linear", "perp": "linear", "SWAP": "linear", "SPOT": "spot"}


class Simulator:
    """Serves the exchanges' side of their protocols on loopback; use as an async context manager."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.config = config
        self._clock_offset_us = time.time_ns() // 1000 - time.monotonic_ns() // 1000
        self._step_us = config.step_ms * 1000
        begin = self._now_us() - WARM_UP_STEPS * self._step_us
        terms = (config.whale_every_s, config.cascade_every_s)
        self.market = Market(MarketConfig(config.seed, config.venues, config.bases, config.rate, *terms), begin)
        self._snapshots = Snapshots()
        self._venues: dict[str, Venue] = {
            name: config.open_venue(name, self.market.list_of(name), self._snapshots) for name in config.venues
        }
        self._faults = Faults(random.Random(config.seed + 1))
        self._sockets = Sockets(self._now_us, config.send_buffer)
        self._delivery = Delivery(self._faults, self._sockets)
        self._endpoint = Endpoint(config, self._venues, self._faults, self._sockets, self._now_us)
        self._random = random.Random(config.seed + 2)
        self._elapsed_ms = 0
        self._paused = False
        self._server: Server | None = None
        self._runner: asyncio.Task[None] | None = None
        for index in range(WARM_UP_STEPS):
            self.market.step(begin + (index + 1) * self._step_us, self._step_us)
        self._snapshots.keep(list(self.market.listings.values()), self._now_us())

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._endpoint.serve_socket,
            self.config.host,
            self.config.port,
            process_request=self._on_request,
            process_response=mark_response,
            create_connection=PingedConnection,
            ping_interval=None,
            compression=None,
            max_size=1 << 20,
            close_timeout=1,
        )
        self._runner = asyncio.create_task(self._run(), name="simulator")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)
        await self._sockets.drain()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    @property
    def port(self) -> int:
        """The port that is being listened on."""
        if self._server is None:
            raise RuntimeError("the simulator is not started")
        return int(next(iter(self._server.sockets)).getsockname()[1])

    @property
    def runner(self) -> asyncio.Task[None]:
        """The task that moves the market; ends only with an error or a cancel."""
        if self._runner is None:
            raise RuntimeError("the simulator is not started")
        return self._runner

    def ws_url(self, venue: str) -> str:
        """The base of a venue's WebSocket URLs."""
        return f"ws://{self.config.host}:{self.port}/{self._check_name(venue)}"

    def rest_url(self, venue: str) -> str:
        """The base of a venue's REST URLs."""
        return f"http://{self.config.host}:{self.port}/{self._check_name(venue)}"

    def inject(self, fault: Fault) -> None:
        """Orders a fault; ValueError when its venue is not simulated here or cannot show such a fault."""
        venue = self._find_venue(fault.venue)
        if fault.kind in VENUES[fault.venue].lacks:
            raise ValueError(f"kind: {fault.venue} has nothing that {fault.kind!r} could spoil")
        if fault.kind not in IMMEDIATE:
            self._endpoint.strikes.pop(fault.venue, None)
            self._faults.save_fault(fault, self._now_us())
            return
        if fault.kind == "reset" and fault.channel in (None, "depth"):
            if isinstance(venue, Resetting):
                venue.on_reset(fault.symbol)
            return
        clients = self._sockets.list_clients(fault.venue)
        self._random.shuffle(clients)
        for client in clients[: fault.count]:
            self._endpoint.end(client, fault)

    def clear_faults(self) -> None:
        """Ends every active fault."""
        self._faults.clear()

    def pause(self) -> None:
        """Freezes the market after publishing all that was pending; keep-alive and answers go on."""
        if not self._paused:
            self._paused = True
            self.market.freeze()
            self._publish(Tick(self._now_us(), self._elapsed_ms, self.config.step_ms, flush=True))

    def resume(self) -> None:
        """Lets the market move again."""
        self._paused = False

    def book(self, venue: str, market: str, venue_symbol: str) -> Truth:
        """The true book as the venue would serve it now: price and amount texts, best first, and its sequence."""
        served = self._find_venue(venue)
        listing = self.market.listings.get((venue, MARKETS.get(market, market), venue_symbol))
        if listing is None:
            raise ValueError(f"symbol: {venue_symbol!r} is not listed on {venue} {market}")
        return {
            "bids": level_texts(listing, listing.book.list_bids()),
            "asks": level_texts(listing, listing.book.list_asks()),
            "seq": find_seq(served, listing),
        }

    def private(self, venue: str) -> PrivateSide:
        """A venue's private side; ValueError where none is simulated."""
        found = self._find_venue(venue)
        if isinstance(found, Trading):
            return found.private
        raise ValueError(f"venue: no accounts of {venue!r} are simulated")

    @property
    def now_us(self) -> int:
        """The venues' clock, microseconds UTC."""
        return self._now_us()

    @property
    def trades(self) -> dict[tuple[str, str, str], int]:
        """How many fills each instrument had, by (venue, market, venue symbol)."""
        return {key: listing.trade_count for key, listing in self.market.listings.items()}

    def find_listing(self, venue: str, market: str, venue_symbol: str) -> Listing:
        """One instrument's running state; KeyError when it is not listed."""
        return self.market.listings[venue, MARKETS.get(market, market), venue_symbol]

    def connections(self, venue: str | None = None) -> int:
        """How many sockets are open."""
        return len(self._sockets.list_clients(venue))

    def cut(self, venue: str | None = None) -> bool:
        """Aborts one random socket; False when there is none."""
        clients = self._sockets.list_clients(venue)
        if clients:
            self._sockets.abort(self._random.choice(clients))
        return bool(clients)

    def stats(self) -> dict[str, object]:
        """Counters for people and tests of other processes."""
        return {
            "paused": self._paused,
            "sent": dict(self._sockets.sent),
            "connections": {name: self.connections(name) for name in self._venues},
            "cut_slow": self._sockets.cut_slow,
            "trades": {"/".join(key): count for key, count in self.trades.items()},
            "whales": self.market.whale_count,
            "cascades": self.market.cascade_count,
            "liquidations": self.market.liquidation_count,
            "faults": sum(len(found) for found in self._faults.active.values()),
        }

    def _now_us(self) -> int:
        return time.monotonic_ns() // 1000 + self._clock_offset_us

    def _find_venue(self, name: str) -> Venue:
        return self._venues[self._check_name(name)]

    def _check_name(self, name: str) -> str:
        if name not in self._venues:
            raise ValueError(f"venue: {name!r} is not simulated here, {', '.join(self._venues)} are")
        return name

    def _on_request(self, socket: ServerConnection, request: HttpRequest) -> Response | None:
        return self._endpoint.on_request(self, socket, request)

    async def _run(self) -> None:
        due = time.monotonic()
        length = self._step_us / 1e6
        while True:
            due = max(due + length, time.monotonic() - length)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            now = self._now_us()
            if not self._paused:
                self.market.step(now, self._step_us)
                self._snapshots.keep(list(self.market.listings.values()), now)
            else:
                self.market.freeze()
            self._elapsed_ms += self.config.step_ms
            self._publish(Tick(now, self._elapsed_ms, self.config.step_ms))
            self._endpoint.enforce_heartbeats(now)

    def _publish(self, tick: Tick) -> None:
        for name, venue in self._venues.items():
            self._delivery.deliver(name, venue, tick)
