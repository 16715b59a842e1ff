"""The simulator's listener: HTTP requests and sockets of every venue, their faults and their keep-alive rules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as HttpRequest
from websockets.http11 import Response

from producers.simulator.config import SimulatorConfig
from producers.simulator.faults import Fault, Faults
from producers.simulator.hub import Answer, HangupError, Request, Session
from producers.simulator.transport.bodies import BodyConnection
from producers.simulator.transport.control import Controls, answer_control, shorten_batch
from producers.simulator.transport.keepalive import Action, Pulse, decide
from producers.simulator.transport.sockets import Client, PingedConnection, Sockets
from producers.simulator.transport.web import read_headers, read_target, respond, split_venue
from producers.simulator.venue import Announcing, Venue

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
CLOSES: dict[Action, tuple[int, str]] = {
    "no_pong": (1008, "Pong timeout"),
    "idle": (4004, "No data within the allowed time"),
    "not_subscribed": (1008, "Failed to subscribe in time"),
    "lifetime": (1001, "Connection lifetime reached"),
}


@dataclass(slots=True)
class Endpoint:
    """Passes requests and messages to the venues by the first part of a path; `now_us` is the server's clock."""

    config: SimulatorConfig
    venues: Mapping[str, Venue]
    faults: Faults
    sockets: Sockets
    now_us: Callable[[], int]
    strikes: dict[str, int] = field(default_factory=dict[str, int])
    session_id: int = 0

    def on_request(self, controls: Controls, socket: ServerConnection, request: HttpRequest) -> Response | None:
        """Return the answer to a request; None where a socket is to be opened."""
        path, query = read_target(request.path)
        if path.startswith("/_control/"):
            return respond(answer_control(controls, path, query))
        name, rest = split_venue(path)
        if name not in self.venues:
            return respond(Answer(404, f'{{"error":"no venue at {path}"}}'))
        wants_socket = request.headers.get("Upgrade", "").lower() == "websocket"
        refusal = self._refusal(name)
        if refusal is not None:
            return respond(refusal)
        if wants_socket:
            return None if self.venues[name].accepts(rest) else respond(Answer(404, "Not Found"))
        answer = self._answer(name, self._read(socket, request, rest, query))
        if answer.lost:
            socket.transport.abort()
            return respond(Answer(503, ""))  # to nobody
        return respond(answer)

    def _read(self, socket: ServerConnection, request: HttpRequest, path: str, query: dict[str, str]) -> Request:
        target, body = socket.sent if isinstance(socket, BodyConnection) else (request.path, "")
        return Request(
            path,
            query,
            headers=read_headers(request),
            method=request.method,
            body=body,
            query_text=target.partition("?")[2],
        )

    async def serve_socket(self, socket: ServerConnection) -> None:
        """Serve one socket until it ends."""
        if socket.request is None:
            return
        target, query = read_target(socket.request.path)
        name, path = split_venue(target)
        now = self.now_us()
        self.session_id += 1
        session = Session(self.session_id, path, query, now, headers=read_headers(socket.request))
        client = Client(name, session, socket, Pulse(now, now, now, now))
        self.sockets.clients[session] = client
        if isinstance(socket, PingedConnection):
            socket.on_ping = lambda: self._on_ping(client)
        try:
            for text in self.venues[name].on_open(session, now):
                self.sockets.send(client, text)
            async for message in socket:
                self._on_message(client, message if isinstance(message, str) else message.decode("utf-8", "replace"))
        except HangupError as hangup:
            for text in hangup.texts:
                self.sockets.send(client, text)
            self.sockets.close(client, hangup.code, hangup.reason)
            await socket.wait_closed()
        except ConnectionClosed:
            return
        finally:
            self._forget(client)

    def enforce_heartbeats(self, now_us: int) -> None:
        """Ping and close sockets by their venues' keep-alive rules."""
        for client in self.sockets.list_clients():
            ping = client.session.ping
            rules = self.config.heartbeat(client.venue).patient(ping)
            action = decide(rules, client.pulse, now_us, has_subscribed=client.session.has_subscribed)
            if action == "ping":
                self.sockets.ping(client)
            elif action is not None:
                if action == "no_pong" and ping is not None and ping.farewell is not None:
                    self.sockets.send(client, ping.farewell)
                self.sockets.close(client, *CLOSES[action])
                self._forget(client)

    def end(self, client: Client, fault: Fault) -> None:
        """End one socket by the kind of fault: `cut`, `close`, or `notice` and a close after its lead time."""
        if fault.kind == "cut":
            self.sockets.abort(client)
            return
        if fault.kind == "close":
            self.sockets.close(client, 1001, "Going away")
            return
        venue = self.venues[client.venue]
        text = venue.notice(client.session, self.now_us()) if isinstance(venue, Announcing) else None
        lead = self.config.options.notice_lead_s if fault.seconds is None else fault.seconds
        if text is not None:
            self.sockets.send(client, text)
        asyncio.get_running_loop().call_later(lead, self.sockets.close, client, 1001, "Service upgrade")

    def _forget(self, client: Client) -> None:
        self.venues[client.venue].on_close(client.session)
        self.sockets.clients.pop(client.session, None)

    def _refusal(self, name: str) -> Answer | None:
        if self.faults.find_fault(name, "ban", self.now_us()) is None:
            return None
        self.strikes[name] = self.strikes.get(name, 0) + 1
        return self.venues[name].refuse(self.strikes[name])

    def _answer(self, name: str, request: Request) -> Answer:
        now = self.now_us()
        venue = self.venues[name]
        if self.faults.find_fault(name, "rest_error", now):
            return venue.fail(now)
        asked = f"{request.path} {request.query.get('type', '')}".lower()
        reads_book = any(word in asked for word in ("depth", "book", "level2")) and "ticker" not in asked
        symbol = next((request.query[name] for name in SYMBOLS if name in request.query), None)
        stale = reads_book and self.faults.find_fault(name, "stale_snapshot", now, symbol) is not None
        try:
            return venue.answer(replace(request, stale=stale), now)
        except ValueError as error:
            return Answer(400, f'{{"code":-1100,"msg":"Illegal characters found in a parameter: {error}"}}')

    def _on_ping(self, client: Client) -> None:
        client.pulse.inbound_us = self.now_us()

    def _on_message(self, client: Client, text: str) -> None:
        if client.session not in self.sockets.clients:
            return  # it is being closed: its venue has forgotten it
        now = self.now_us()
        client.pulse.inbound_us = now
        venue = self.venues[client.venue]
        if "ubscribe" in text.lower() and self.faults.find_fault(client.venue, "partial_ack", now):
            text = shorten_batch(text)
        for answer in venue.on_text(client.session, text, now):
            self.sockets.send(client, answer)
        if client.session.ponged:
            client.session.ponged = False
            client.pulse.unanswered.clear()
