"""The simulator itself: one loopback port that serves every venue's sockets and REST from one market."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import replace
from types import TracebackType
from typing import Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as HttpRequest
from websockets.http11 import Response

from producers.simulator import control
from producers.simulator.config import SimulatorConfig
from producers.simulator.delivery import Delivery
from producers.simulator.faults import IMMEDIATE, Fault, Faults
from producers.simulator.hub import Answer, HangupError, Request, Session, Tick
from producers.simulator.keepalive import Action, Pulse, decide
from producers.simulator.listing import Listing
from producers.simulator.market import Market, MarketConfig
from producers.simulator.registry import VENUE_TYPES
from producers.simulator.sockets import Client, HeardConnection, Sockets
from producers.simulator.venue import Shelf, Truth, Venue, level_texts
from producers.simulator.web import mark_response, read_headers, read_target, respond, split_venue

WARM_UP_STEPS = 60
# what venues call a symbol in a query
SYMBOLS = (
    "symbol",
    "instId",
    "currency_pair",
    "contract",
    "coin",
    "instrument_name",
    "product_id",
    "pair",
    "contract_code",
)
MARKETS = {"swap": "linear", "perp": "linear", "SWAP": "linear", "SPOT": "spot"}
CLOSES: dict[Action, tuple[int, str]] = {
    "no_pong": (1008, "Pong timeout"),
    "idle": (4004, "No data within the allowed time"),
    "not_subscribed": (1008, "Failed to subscribe in time"),
    "lifetime": (1001, "Connection lifetime reached"),
}


class Simulator:
    """Serves the exchanges' side of their protocols on loopback; use as an async context manager."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.config = config
        self._clock_offset_us = time.time_ns() // 1000 - time.monotonic_ns() // 1000
        self._step_us = config.step_ms * 1000
        begin = self._now_us() - WARM_UP_STEPS * self._step_us
        terms = (config.whale_every_s, config.cascade_every_s)
        self.market = Market(MarketConfig(config.seed, config.venues, config.bases, config.rate, *terms), begin)
        self._shelf = Shelf()
        self._venues: dict[str, Venue] = {
            name: VENUE_TYPES[name](self.market.list_of(name), config, self._shelf) for name in config.venues
        }
        self._faults = Faults(random.Random(config.seed + 1))
        self._sockets = Sockets(self._now_us, config.send_buffer)
        self._delivery = Delivery(self._faults, self._sockets)
        self._random = random.Random(config.seed + 2)
        self._strikes: dict[str, int] = {}
        self._elapsed_ms = 0
        self._paused = False
        self._session_id = 0
        self._server: Server | None = None
        self._runner: asyncio.Task[None] | None = None
        for index in range(WARM_UP_STEPS):
            self.market.step(begin + (index + 1) * self._step_us, self._step_us)
        self._shelf.keep(list(self.market.listings.values()), self._now_us())

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._serve_socket,
            self.config.host,
            self.config.port,
            process_request=self._on_request,
            process_response=mark_response,
            create_connection=HeardConnection,
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
        return f"ws://{self.config.host}:{self.port}/{self._find_venue(venue).name}"

    def rest_url(self, venue: str) -> str:
        """The base of a venue's REST URLs."""
        return f"http://{self.config.host}:{self.port}/{self._find_venue(venue).name}"

    def inject(self, fault: Fault) -> None:
        """Orders a fault; ValueError when its venue is not simulated here or cannot show such a fault."""
        venue = self._find_venue(fault.venue)
        if fault.kind in venue.lacks:
            raise ValueError(f"kind: {fault.venue} has nothing that {fault.kind!r} could spoil")
        if fault.kind not in IMMEDIATE:
            self._strikes.pop(fault.venue, None)
            self._faults.save_fault(fault, self._now_us())
            return
        if fault.kind == "reset" and fault.channel in (None, "depth"):
            venue.on_reset(fault.symbol)
            return
        clients = self._sockets.list_clients(fault.venue)
        self._random.shuffle(clients)
        for client in clients[: fault.count]:
            self._end(client, fault)

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
            "seq": served.find_seq(listing),
        }

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
        if name not in self._venues:
            raise ValueError(f"venue: {name!r} is not simulated here, {', '.join(self._venues)} are")
        return self._venues[name]

    async def _run(self) -> None:
        due = time.monotonic()
        length = self._step_us / 1e6
        while True:
            due = max(due + length, time.monotonic() - length)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            now = self._now_us()
            if not self._paused:
                self.market.step(now, self._step_us)
                self._shelf.keep(list(self.market.listings.values()), now)
            else:
                self.market.freeze()
            self._elapsed_ms += self.config.step_ms
            self._publish(Tick(now, self._elapsed_ms, self.config.step_ms))
            self._watch(now)

    def _publish(self, tick: Tick) -> None:
        for venue in self._venues.values():
            self._delivery.deliver(venue, venue.list_frames(tick), tick.now_us)

    def _watch(self, now_us: int) -> None:
        for client in self._sockets.list_clients():
            ping = client.session.ping
            rules = self.config.heartbeat(client.venue).patient(ping)
            action = decide(rules, client.pulse, now_us, has_subscribed=client.session.has_subscribed)
            if action == "ping":
                self._sockets.ping(client)
            elif action is not None:
                if action == "no_pong" and ping is not None and ping.farewell is not None:
                    self._sockets.send(client, ping.farewell)
                self._sockets.close(client, *CLOSES[action])
                self._forget(client)

    def _end(self, client: Client, fault: Fault) -> None:
        if fault.kind == "cut":
            self._sockets.abort(client)
            return
        if fault.kind == "close":
            self._sockets.close(client, 1001, "Going away")
            return
        text = self._venues[client.venue].notice(client.session, self._now_us())
        lead = self.config.options.notice_lead_s if fault.seconds is None else fault.seconds
        if text is not None:
            self._sockets.send(client, text)
        asyncio.get_running_loop().call_later(lead, self._sockets.close, client, 1001, "Service upgrade")

    def _forget(self, client: Client) -> None:
        self._venues[client.venue].on_close(client.session)
        self._sockets.clients.pop(client.session, None)

    def _on_request(self, _socket: ServerConnection, request: HttpRequest) -> Response | None:
        path, query = read_target(request.path)
        if path.startswith("/_control/"):
            return respond(control.answer_control(self, path, query))
        name, rest = split_venue(path)
        if name not in self._venues:
            return respond(Answer(404, f'{{"error":"no venue at {path}"}}'))
        wants_socket = request.headers.get("Upgrade", "").lower() == "websocket"
        refusal = self._refusal(name)
        if refusal is not None:
            return respond(refusal)
        if wants_socket:
            return None if self._venues[name].accepts(rest) else respond(Answer(404, "Not Found"))
        return respond(self._answer(name, Request(rest, query, headers=read_headers(request), method=request.method)))

    def _refusal(self, name: str) -> Answer | None:
        if self._faults.find_fault(name, "ban", self._now_us()) is None:
            return None
        self._strikes[name] = self._strikes.get(name, 0) + 1
        return self._venues[name].refuse(self._strikes[name])

    def _answer(self, name: str, request: Request) -> Answer:
        now = self._now_us()
        venue = self._venues[name]
        if self._faults.find_fault(name, "rest_error", now):
            return venue.fail(now)
        asked = f"{request.path} {request.query.get('type', '')}".lower()
        reads_book = any(word in asked for word in ("depth", "book", "level2")) and "ticker" not in asked
        symbol = next((request.query[name] for name in SYMBOLS if name in request.query), None)
        stale = reads_book and self._faults.find_fault(name, "stale_snapshot", now, symbol) is not None
        try:
            return venue.answer(replace(request, stale=stale), now)
        except ValueError as error:
            return Answer(400, f'{{"code":-1100,"msg":"Illegal characters found in a parameter: {error}"}}')

    async def _serve_socket(self, socket: ServerConnection) -> None:
        if socket.request is None:
            return
        target, query = read_target(socket.request.path)
        name, path = split_venue(target)
        now = self._now_us()
        self._session_id += 1
        session = Session(self._session_id, path, query, now, headers=read_headers(socket.request))
        client = Client(name, session, socket, Pulse(now, now, now, now))
        self._sockets.clients[session] = client
        if isinstance(socket, HeardConnection):
            socket.on_ping = lambda: self._on_ping(client)
        try:
            for text in self._venues[name].on_open(session, now):
                self._sockets.send(client, text)
            async for message in socket:
                self._on_message(client, message if isinstance(message, str) else message.decode("utf-8", "replace"))
        except HangupError as hangup:
            for text in hangup.texts:
                self._sockets.send(client, text)
            self._sockets.close(client, hangup.code, hangup.reason)
            await socket.wait_closed()
        except ConnectionClosed:
            return
        finally:
            self._forget(client)

    def _on_ping(self, client: Client) -> None:
        client.pulse.inbound_us = self._now_us()

    def _on_message(self, client: Client, text: str) -> None:
        now = self._now_us()
        client.pulse.inbound_us = now
        venue = self._venues[client.venue]
        if "ubscribe" in text.lower() and self._faults.find_fault(client.venue, "partial_ack", now):
            text = control.shorten_batch(text)
        for answer in venue.on_text(client.session, text, now):
            self._sockets.send(client, answer)
        if client.session.ponged:
            client.session.ponged = False
            client.pulse.unanswered.clear()
