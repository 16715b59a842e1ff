"""HTX: spot and linear swaps, each kind of data on its socket, every frame gzip, pings that are JSON messages.

https://www.htx.com/en-us/opend/newApiPages/
"""

from __future__ import annotations

import json
import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from producers.simulator.hub import Answer, Frame, MessagePing, Request, Session, Tick, encode, read_order
from producers.simulator.topics import Board, Topic
from producers.simulator.venue import Setup, crossing_bid
from producers.simulator.venues.htx.channels import Mbp, open_note, open_topic
from producers.simulator.venues.htx.rest import HtxRest, refusal

SPOT, BOOKS, LINEAR, NOTES = "/ws", "/feed", "/linear-swap-ws", "/linear-swap-notification"
MARKETS = {SPOT: "spot", BOOKS: "spot", LINEAR: "linear", NOTES: "linear"}
NOTE_PATIENCE = 3.0  # notification sockets wait for 30 s where the others wait for 10
WHOLE = "|whole"  # marks the topic of a book without `"data_type":"incremental"`: snapshots only
HIGH_FREQ = ".high_freq"
MBP = re.compile(r"\.mbp\.\d+$")
UNKNOWN, REPEATED, MISSING = 2011, 2014, 2040


@dataclass(slots=True)
class Pings:
    """The pings of one socket, each with a value that must come back as it was sent."""

    is_note: bool
    sent: deque[int | str] = field(default_factory=lambda: deque[int | str](maxlen=16))

    def text(self, now_us: int) -> str:
        """The next ping; notifications have the time as text."""
        value = str(now_us // 1000) if self.is_note else now_us // 1000
        self.sent.append(value)
        return encode({"op": "ping", "ts": value} if self.is_note else {"ping": value})


class Htx:
    """Spot and linear swaps of one exchange; swap sizes are contracts, books of swaps have a `version`."""

    def __init__(self, setup: Setup[None]) -> None:
        self._listings = {item.instrument.symbol: item for item in setup.listings}
        self._board = Board()
        self._pings: dict[Session, Pings] = {}
        self._rest = HtxRest(self._listings, setup.snapshots)

    def accepts(self, path: str) -> bool:
        return path in MARKETS

    def on_open(self, session: Session, now_us: int) -> list[str]:
        is_note = session.path == NOTES
        pings = self._pings[session] = Pings(is_note)
        session.gzipped = True
        if is_note:
            session.ping = MessagePing(pings.text, NOTE_PATIENCE, encode({"op": "close"}))
        else:
            session.ping = MessagePing(pings.text)
        return []

    def on_close(self, session: Session) -> None:
        self._board.hub.drop(session)
        self._pings.pop(session, None)

    def on_text(self, session: Session, text: str, now_us: int) -> list[str]:
        order = read_order(text) or {}
        pong = order.get("ts") if order.get("op") == "pong" else order.get("pong")
        if pong is not None:
            session.ponged = pong in self._pings[session].sent
            return []
        return [encode_now(answer, now_us) for answer in self._answers(session, order)]

    def list_frames(self, tick: Tick) -> list[Frame]:
        return self._board.list_frames(tick)

    def mutate(self, frame: Frame, kind: str) -> str:
        message = json.loads(frame.text)
        listing = self._listings[frame.symbol]
        if kind == "crossed":
            price = float(listing.instrument.price_text(crossing_bid(listing)))
            message["tick"]["bids"].insert(0, [price, 1])
        return encode(message)

    def notice(self, session: Session, now_us: int) -> str | None:
        return encode({"op": "close"}) if session.path == NOTES else None

    def refuse(self, strikes: int) -> Answer:
        return refusal("too-many-request", "Too many requests, please try again later", status=429)

    def fail(self, now_us: int) -> Answer:
        return refusal("gateway-internal-error", "Gateway internal error, please try again later")

    def answer(self, request: Request, now_us: int) -> Answer:
        return self._rest.answer(request, now_us)

    def _answers(self, session: Session, order: dict[str, Any]) -> list[dict[str, Any]]:
        if session.path == NOTES:
            return [self._answer_note(session, order)]
        verb = next((verb for verb in ("sub", "unsub", "req") if verb in order), None)
        if verb is None:
            return [_bad(order, "invalid command")]
        ch = str(order[verb])
        if verb == "unsub":
            self._board.hub.leave(session, ch)
            self._board.hub.leave(session, ch + WHOLE)
            return [{**_head(order), "status": "ok", "unsubbed": ch}]
        incremental = order.get("data_type") == "incremental"
        key = ch if incremental or not ch.endswith(HIGH_FREQ) else ch + WHOLE
        topic = self._find(key, ch) if self._is_served(session.path, ch) else None
        if topic is None or (verb == "req" and not isinstance(topic, Mbp)):
            return [_bad(order, f"invalid topic {ch}")]
        if verb == "req" and isinstance(topic, Mbp):
            return [{**_head(order), "rep": ch, "status": "ok", "data": json.loads(topic.answer())}]
        session.has_subscribed = True
        self._board.join(session, key, topic)
        return [{**_head(order), "status": "ok", "subbed": ch}]

    def _find(self, key: str, ch: str) -> Topic | None:
        held = self._board.topics.get(key)
        return held or open_topic(ch, self._listings, incremental=not key.endswith(WHOLE))

    def _is_served(self, path: str, ch: str) -> bool:
        """Whether a socket serves this topic: changes of spot books on `/feed`, all else of spot on `/ws`."""
        symbol = ch.split(".")[1] if ch.count(".") > 1 else ""
        listing = self._listings.get(symbol)
        if listing is None or listing.instrument.market != MARKETS[path]:
            return False
        return path == LINEAR or (MBP.search(ch) is not None) == (path == BOOKS)

    def _answer_note(self, session: Session, order: dict[str, Any]) -> dict[str, Any]:
        verb, name = order.get("op"), order.get("topic")
        head = {"op": verb, **({"cid": order["cid"]} if "cid" in order else {}), "topic": name}
        if verb not in ("sub", "unsub") or not isinstance(name, str):
            return {**head, "err-code": MISSING, "err-msg": "Missing required parameter."}
        if verb == "unsub":
            self._board.hub.leave(session, name)
            return {**head, "err-code": 0}
        if name in session.streams:
            return {**head, "err-code": REPEATED, "err-msg": "Repeated subscription."}
        swaps = {key: item for key, item in self._listings.items() if item.instrument.market == "linear"}
        topic = self._board.topics.get(name) or open_note(name, swaps)
        if topic is None:
            return {**head, "err-code": UNKNOWN, "err-msg": "Contract doesn't exist."}
        session.has_subscribed = True
        self._board.join(session, name, topic)
        return {**head, "err-code": 0}


def encode_now(answer: dict[str, Any], now_us: int) -> str:
    """An answer with its time."""
    return encode({**answer, "ts": now_us // 1000})


def _head(order: dict[str, Any]) -> dict[str, Any]:
    return {"id": order["id"]} if "id" in order else {}


def _bad(order: dict[str, Any], text: str) -> dict[str, Any]:
    return {**_head(order), "status": "error", "err-code": "bad-request", "err-msg": text}
