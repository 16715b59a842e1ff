"""OKX v5: sockets `/ws/v5/public` and `/ws/v5/business`, one acknowledgement per argument, text ping and pong.

https://www.okx.com/docs-v5/en/#overview-websocket
"""

from __future__ import annotations

import json
from typing import Any, cast

from producers.simulator.hub import Answer, Frame, Request, Session, Tick, encode, read_order
from producers.simulator.market.listing import Listing
from producers.simulator.topics import Board
from producers.simulator.venue import Setup, crossing_bid
from producers.simulator.venues.okx.channels import Sequences, is_business, open_channel
from producers.simulator.venues.okx.options import Options
from producers.simulator.venues.okx.rest import OkxRest

PATHS = ("/ws/v5/public", "/ws/v5/business")
OPERATIONS_PER_HOUR = 480
MAX_REQUEST = 64 * 1024
HOUR_US = 3600 * 10**6


class Okx:
    """Spot and perpetual swaps of one exchange; swap sizes are contracts."""

    def __init__(self, setup: Setup[Options]) -> None:
        self._listings = {item.instrument.symbol: item for item in setup.listings}
        self._setup = setup
        self._board = Board()
        self._sequences = Sequences()
        self._rest = OkxRest(self._listings, setup.snapshots, self._sequences)

    def accepts(self, path: str) -> bool:
        return path in PATHS

    def on_open(self, session: Session, now_us: int) -> list[str]:
        return []

    def on_close(self, session: Session) -> None:
        self._board.hub.drop(session)

    def on_text(self, session: Session, text: str, now_us: int) -> list[str]:
        if text == "ping":
            return ["pong"]
        order = read_order(text)
        if order is None:
            return [_error(session, {}, "60012", f"Invalid request: {text[:200]}")]
        operation, args = order.get("op"), order.get("args")
        if operation not in ("subscribe", "unsubscribe") or not isinstance(args, list) or len(text) > MAX_REQUEST:
            return [_error(session, order, "60012", f"Invalid request: {text[:200]}")]
        rate = session.count_within(now_us, HOUR_US)
        if rate > OPERATIONS_PER_HOUR and self._setup.enforce_limits:
            return [_error(session, order, "60014", "Requests too frequent")]
        rows = [cast("dict[str, Any]", arg) if isinstance(arg, dict) else {} for arg in cast("list[Any]", args)]
        return [self._answer_arg(session, order, arg) for arg in rows]

    def list_frames(self, tick: Tick) -> list[Frame]:
        return self._board.list_frames(tick)

    def find_seq(self, listing: Listing) -> int:
        return self._sequences.of(listing)

    def mutate(self, frame: Frame, kind: str) -> str:
        message = json.loads(frame.text)
        listing = self._listings[frame.symbol]
        for row in message["data"]:
            if kind == "bad_checksum":
                row["checksum"] = -1_855_196_175
            elif kind == "crossed":
                row["bids"].insert(0, [listing.instrument.price_text(crossing_bid(listing)), "1", "0", "1"])
        return encode(message)

    def on_reset(self, symbol: str | None) -> None:
        """The next push of a book has a `seqId` smaller than its `prevSeqId`, as after maintenance."""
        for listing in self._listings.values():
            if symbol in (None, listing.instrument.symbol):
                self._sequences.restart(listing)

    def notice(self, session: Session, now_us: int) -> str | None:
        text = "The connection will soon be closed for a service upgrade. Please reconnect."
        return encode({"event": "notice", "code": "64008", "msg": text, "connId": session.conn_id})

    def refuse(self, strikes: int) -> Answer:
        return Answer(429, encode({"code": "50011", "msg": "Too Many Requests", "data": []}))

    def fail(self, now_us: int) -> Answer:
        return Answer(200, encode({"code": "50026", "msg": "System error. Try again later", "data": []}))

    def answer(self, request: Request, now_us: int) -> Answer:
        return self._rest.answer(request, now_us)

    def _answer_arg(self, session: Session, order: dict[str, Any], arg: dict[str, Any]) -> str:
        key = encode(arg)
        head = {"id": order["id"]} if "id" in order else {}
        if order["op"] == "unsubscribe":
            self._board.hub.leave(session, key)
            return encode({**head, "event": "unsubscribe", "arg": arg, "connId": session.conn_id})
        channel = open_channel(arg, self._listings, self._sequences, self._setup.options)
        if channel is None or is_business(str(arg["channel"])) != session.path.endswith("/business"):
            what = ",".join(f"{name}:{value}" for name, value in arg.items())
            text = f"Wrong URL or {what} doesn't exist. Please use the correct URL, channel and parameters."
            return _error(session, order, "60018", text)
        session.has_subscribed = True
        self._board.join(session, key, channel)
        return encode({**head, "event": "subscribe", "arg": arg, "connId": session.conn_id})


def _error(session: Session, order: dict[str, Any], code: str, text: str) -> str:
    head = {"id": order["id"]} if "id" in order else {}
    return encode({**head, "event": "error", "code": code, "msg": text, "connId": session.conn_id})
