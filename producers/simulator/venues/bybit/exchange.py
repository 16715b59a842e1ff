"""Bybit v5 spot and linear: sockets `/v5/public/{spot,linear}`, subscriptions, and their acknowledgements.

https://bybit-exchange.github.io/docs/v5/ws/connect
https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook
"""

from __future__ import annotations

import json
from typing import Any, cast

from producers.simulator.hub import Answer, Frame, HangupError, Request, Session, Tick, encode
from producers.simulator.topics import Board, Topic
from producers.simulator.venue import Setup, crossing_bid
from producers.simulator.venues.bybit.books import OrderBook
from producers.simulator.venues.bybit.channels import open_topic
from producers.simulator.venues.bybit.options import Options
from producers.simulator.venues.bybit.private import BybitPrivate
from producers.simulator.venues.bybit.rest import BybitRest

PATHS = {"/v5/public/spot": "spot", "/v5/public/linear": "linear"}
SPOT_ARGS = 10
ARG_CHARS = 21_000


class Bybit:
    """The spot and linear sockets of one exchange; the same symbol means another book on each."""

    def __init__(self, setup: Setup[Options]) -> None:
        self._listings = {(item.instrument.market, item.instrument.symbol): item for item in setup.listings}
        self._setup = setup
        self._board = Board()
        self._counters: dict[str, int] = {}
        self._rest = BybitRest(self._listings, setup.snapshots, self._counters)
        pairs = {symbol: item for (market, symbol), item in self._listings.items() if market == "spot"}
        self._signed = BybitPrivate(pairs)
        self.private = self._signed.side

    def accepts(self, path: str) -> bool:
        return path in PATHS

    def on_open(self, session: Session, now_us: int) -> list[str]:
        return []

    def on_close(self, session: Session) -> None:
        self._board.hub.drop(session)

    def on_text(self, session: Session, text: str, now_us: int) -> list[str]:
        try:
            message = json.loads(text)
        except json.JSONDecodeError:
            return [_ack(session, {}, "Request not JSON", success=False)]
        if not isinstance(message, dict):
            return [_ack(session, {}, "Request not an object", success=False)]
        order = cast("dict[str, Any]", message)
        operation = order.get("op")
        if operation == "ping":
            pong = {"success": True, "ret_msg": "pong", "conn_id": session.conn_id}
            return [encode({**pong, "req_id": order.get("req_id", ""), "op": "ping"})]
        if operation not in ("subscribe", "unsubscribe"):
            return [_ack(session, order, f"Invalid op: {operation}", success=False)]
        args = order.get("args")
        rows = cast("list[Any]", args) if isinstance(args, list) else []
        topics = [str(topic) for topic in rows]
        if operation == "unsubscribe":
            for topic in topics:
                self._board.hub.leave(session, f"{PATHS[session.path]}|{topic}")
            return [_ack(session, order, _done(session, operation))]
        return [self._subscribe(session, order, topics)]

    def list_frames(self, tick: Tick) -> list[Frame]:
        self._signed.tick(tick.now_us)
        return self._board.list_frames(tick)

    def mutate(self, frame: Frame, kind: str) -> str:
        message = json.loads(frame.text)
        listing = self._listings[frame.stream.partition("|")[0], frame.symbol]
        message["data"]["b"].insert(0, [listing.instrument.price_text(crossing_bid(listing)), "1"])
        return encode(message)

    def on_reset(self, symbol: str | None) -> None:
        """The next push of every subscribed book is a snapshot with `u` 1."""
        for topic in self._board.topics.values():
            if isinstance(topic, OrderBook) and symbol in (None, topic.symbol):
                topic.reset()

    def refuse(self, strikes: int) -> Answer:
        return Answer(403, encode({"retCode": 403, "retMsg": "access too frequent"}))

    def fail(self, now_us: int) -> Answer:
        body: dict[str, Any] = {
            "retCode": 10016,
            "retMsg": "Server error.",
            "result": {},
            "retExtInfo": {},
            "time": now_us // 1000,
        }
        return Answer(200, encode(body))

    def answer(self, request: Request, now_us: int) -> Answer:
        answer = self._signed.answer if self._signed.answers(request) else self._rest.answer
        return answer(request, now_us)

    def _subscribe(self, session: Session, order: dict[str, Any], topics: list[str]) -> str:
        market = PATHS[session.path]
        if self._setup.enforce_limits:
            if market == "spot" and len(topics) > SPOT_ARGS:
                return _ack(session, order, f"args size >{SPOT_ARGS}", success=False)
            session.arg_chars += sum(len(topic) for topic in topics)
            if session.arg_chars > ARG_CHARS:
                raise HangupError(1008, f"args longer than {ARG_CHARS} characters")
        opened = {topic: self._open(market, topic) for topic in topics}
        bad = [topic for topic, found in opened.items() if isinstance(found, str)]
        for topic, found in opened.items():
            if isinstance(found, str) or (bad and self._setup.options.all_or_nothing):
                continue
            self._board.join(session, f"{market}|{topic}", found)
        session.has_subscribed = True
        if bad:
            return _ack(session, order, f"{opened[bad[0]]} :[{','.join(bad)}]", success=False)
        return _ack(session, order, _done(session, "subscribe"))

    def _open(self, market: str, topic: str) -> Topic | str:
        kind, _, symbol = topic.rpartition(".")
        listing = self._listings.get((market, symbol))
        if listing is None:
            return "Invalid symbol"
        key = f"{market}|{topic}"
        return self._board.topics.get(key) or open_topic(kind, listing, self._counters) or "Invalid topic"


def _done(session: Session, operation: str) -> str:
    return operation if PATHS[session.path] == "spot" else ""


def _ack(session: Session, order: dict[str, Any], text: str, *, success: bool = True) -> str:
    row: dict[str, Any] = {"success": success, "ret_msg": text, "conn_id": session.conn_id}
    if "req_id" in order:
        row["req_id"] = order["req_id"]
    return encode({**row, "op": order.get("op", "")})
