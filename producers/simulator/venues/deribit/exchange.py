"""Deribit: spot, linear and inverse perpetuals over JSON-RPC sockets at `/ws/api/v2`.

https://docs.deribit.com/articles/json-rpc-overview
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from producers.simulator.hub import Answer, Frame, HangupError, MessagePing, Request, Session, Tick, encode, read_order
from producers.simulator.topics import Board
from producers.simulator.venue import Setup, crossing_bid
from producers.simulator.venues.deribit.channels import RAW, open_channel
from producers.simulator.venues.deribit.rest import (
    INVALID_PARAMS,
    MAINTENANCE,
    NO_METHOD,
    TOO_MANY,
    DeribitRest,
    failed,
)

SECOND_US = 1_000_000
REQUESTS_PER_S = 100  # what the credits of a new connection last for
LEAST_INTERVAL = 10
TEST_REQUEST = '{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}'
HEARTBEAT = '{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"heartbeat"}}'
UNAUTHORIZED_RAW = 13_778  # a raw channel without a login


@dataclass(slots=True)
class Beat:
    """When one socket has its next plain heartbeat."""

    every_us: int
    next_us: int


class Refusal(Exception):  # noqa: N818 - what the venue answers, no fault of ours
    """A JSON-RPC error."""

    def __init__(self, code: int, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.error: dict[str, Any] = {"code": code, "message": message}
        if param is not None:
            self.error["data"] = {"param": param, "reason": "wrong or missing"}


class Deribit:
    """One exchange: what is not known is left out of a subscription's answer without a word."""

    def __init__(self, setup: Setup[None]) -> None:
        self._listings = {item.instrument.symbol: item for item in setup.listings}
        self._setup = setup
        self._board = Board()
        self._beats: dict[Session, Beat] = {}
        self._rest = DeribitRest(self._listings, setup.snapshots)
        self._methods: dict[str, Callable[[Session, dict[str, Any], int], Any]] = {
            "public/test": self._test,
            "public/hello": self._test,
            "public/get_time": lambda _session, _params, now_us: now_us // 1000,
            "public/set_heartbeat": self._set_heartbeat,
            "public/disable_heartbeat": self._disable_heartbeat,
            "public/subscribe": self._subscribe,
            "public/unsubscribe": self._unsubscribe,
            "public/unsubscribe_all": self._unsubscribe_all,
        }

    def accepts(self, path: str) -> bool:
        return path == "/ws/api/v2"

    def on_open(self, session: Session, now_us: int) -> list[str]:
        return []

    def on_close(self, session: Session) -> None:
        self._board.hub.drop(session)
        self._beats.pop(session, None)

    def on_text(self, session: Session, text: str, now_us: int) -> list[str]:
        order = read_order(text)
        if order is None:
            return [_answer({}, now_us, {"error": {"code": -32700, "message": "Parse error"}})]
        if session.count_within(now_us, SECOND_US) > REQUESTS_PER_S and self._setup.enforce_limits:
            error = {"error": {"code": TOO_MANY, "message": "too_many_requests"}}
            raise HangupError(1008, "too_many_requests", (_answer(order, now_us, error),))
        method = self._methods.get(str(order.get("method")))
        if method is None:
            return [_answer(order, now_us, {"error": {"code": NO_METHOD, "message": "Method not found"}})]
        params = order.get("params")
        try:
            found = method(session, cast("dict[str, Any]", params) if isinstance(params, dict) else {}, now_us)
        except Refusal as refusal:
            return [_answer(order, now_us, {"error": refusal.error})]
        return [_answer(order, now_us, {"result": found})]

    def list_frames(self, tick: Tick) -> list[Frame]:
        frames = self._board.list_frames(tick)
        due = tuple(session for session, beat in self._beats.items() if tick.now_us >= beat.next_us)
        for session in due:
            self._beats[session].next_us = tick.now_us + self._beats[session].every_us
        return [*frames, Frame(due, HEARTBEAT, "heartbeat", "", "heartbeat")] if due else frames

    def mutate(self, frame: Frame, kind: str) -> str:
        listing = self._listings[frame.symbol]
        row = f'["new",{listing.instrument.price_text(crossing_bid(listing))},{listing.instrument.amount_text(1)}]'
        return frame.text.replace('"bids":[', f'"bids":[{row},', 1).replace(",]", "]", 1)

    def refuse(self, strikes: int) -> Answer:
        return failed(TOO_MANY, "too_many_requests", 429)

    def fail(self, now_us: int) -> Answer:
        return failed(MAINTENANCE, "system_maintenance", 503)

    def answer(self, request: Request, now_us: int) -> Answer:
        return self._rest.answer(request, now_us)

    # ---- methods
    def _test(self, session: Session, params: dict[str, Any], now_us: int) -> dict[str, str]:
        """Answers, and counts as the answer to a test request."""
        session.ponged = True
        return {"version": "1.2.26"}

    def _set_heartbeat(self, session: Session, params: dict[str, Any], now_us: int) -> str:
        """Send heartbeats from now on, and test whether the client answers; the longest silence is the interval."""
        interval = params.get("interval")
        if not isinstance(interval, int) or interval < LEAST_INTERVAL:
            raise Refusal(INVALID_PARAMS, "Invalid params", "interval")
        session.ping = MessagePing(lambda _now_us: TEST_REQUEST, interval / LEAST_INTERVAL)
        self._beats[session] = Beat(interval * SECOND_US, now_us + interval * SECOND_US)
        return "ok"

    def _disable_heartbeat(self, session: Session, params: dict[str, Any], now_us: int) -> str:
        session.ping = None
        self._beats.pop(session, None)
        return "ok"

    def _subscribe(self, session: Session, params: dict[str, Any], now_us: int) -> list[str]:
        """Return what was subscribed; the rest is left out. Raw channels are for logged in users."""
        names = _names(params)
        if any(name.endswith(f".{RAW}") for name in names):
            raise Refusal(UNAUTHORIZED_RAW, "raw_subscriptions_not_available_for_unauthorized")
        opened = {name: open_channel(name, self._listings) for name in names}
        for name, topic in opened.items():
            if topic is not None:
                session.has_subscribed = True
                self._board.join(session, name, topic)
        return [name for name, topic in opened.items() if topic is not None]

    def _unsubscribe(self, session: Session, params: dict[str, Any], now_us: int) -> list[str]:
        names = [name for name in _names(params) if name in session.streams]
        for name in names:
            self._board.hub.leave(session, name)
        return names

    def _unsubscribe_all(self, session: Session, params: dict[str, Any], now_us: int) -> str:
        self._board.hub.drop(session)
        return "ok"


def _names(params: dict[str, Any]) -> list[str]:
    channels = params.get("channels")
    if not isinstance(channels, list):
        raise Refusal(INVALID_PARAMS, "Invalid params", "channels")
    return list(dict.fromkeys(str(name) for name in cast("list[Any]", channels)))


def _answer(order: dict[str, Any], now_us: int, said: dict[str, Any]) -> str:
    head = {"id": order["id"]} if "id" in order else {}
    return encode({"jsonrpc": "2.0", **head, **said, "usIn": now_us, "usOut": now_us, "usDiff": 0, "testnet": False})
