"""Gate v4: spot sockets at `/ws/v4/`, USDT perpetuals at `/v4/ws/usdt`, one envelope both ways.

https://www.gate.com/docs/developers/apiv4/ws/en/, https://www.gate.com/docs/developers/futures/ws/en/
"""

from __future__ import annotations

import json
from typing import Any, cast

from producers.simulator.hub import Answer, Frame, Request, Session, Tick, encode, read_order
from producers.simulator.market.listing import Listing
from producers.simulator.topics import Board
from producers.simulator.venue import Setup, crossing_bid
from producers.simulator.venues.gate import rows
from producers.simulator.venues.gate.channels import Subscribed, UnknownError, open_channels
from producers.simulator.venues.gate.options import Options
from producers.simulator.venues.gate.rest import SIZE_HEADER, GateRest

MARKETS = {"/ws/v4/": "spot", "/ws/v4": "spot", "/v4/ws/usdt": "linear"}
PREFIXES = {"spot": "spot", "linear": "futures"}
SKEW_S = 60
WINDOW_S = 10


class Gate:
    """Spot and USDT perpetuals of one exchange.

    A batch fails as a whole, so that no part of it is acknowledged alone; update ids never begin again, and there is no
    checksum. The notice before a close is the one that clients report of futures.
    """

    def __init__(self, setup: Setup[Options]) -> None:
        self._listings: dict[str, dict[str, Listing]] = {"spot": {}, "linear": {}}
        for item in setup.listings:
            self._listings[item.instrument.market][item.instrument.symbol] = item
        self._options = setup.options
        self._board = Board()
        self._rest = GateRest(self._listings, setup.snapshots)

    def accepts(self, path: str) -> bool:
        return path in MARKETS

    def on_open(self, session: Session, now_us: int) -> list[str]:
        return []

    def on_close(self, session: Session) -> None:
        self._board.hub.drop(session)

    def on_text(self, session: Session, text: str, now_us: int) -> list[str]:
        order = read_order(text) or {}
        channel, event = order.get("channel"), order.get("event")
        prefix = PREFIXES[MARKETS[session.path]]
        if not isinstance(channel, str):
            return [_answer(order, now_us, (1, "Invalid request body format"))]
        if channel == f"{prefix}.ping":
            return [_head(now_us, channel=f"{prefix}.pong", event="", error=None, result=None)]
        sent = order.get("time")
        if self._options.refuses_old_requests and not (
            isinstance(sent, int) and abs(sent - now_us // 1_000_000) <= SKEW_S
        ):
            return [_answer(order, now_us, (2, "request time is too far from server time"))]
        payload = cast("list[Any]", order.get("payload")) if isinstance(order.get("payload"), list) else []
        if event not in ("subscribe", "unsubscribe") or not payload or not channel.startswith(f"{prefix}."):
            return [_answer(order, now_us, (2, f"unknown channel {channel} or event {event}"))]
        return [self._subscribe(session, order, [str(part) for part in payload], now_us)]

    def list_frames(self, tick: Tick) -> list[Frame]:
        return self._board.list_frames(tick)

    def mutate(self, frame: Frame, kind: str) -> str:
        message = json.loads(frame.text)
        is_spot = message["channel"].startswith("spot.")
        listing = self._listings["spot" if is_spot else "linear"][frame.symbol]
        price = listing.instrument.price_text(crossing_bid(listing))
        by_name = message["channel"] == "futures.order_book_update"
        message["result"].setdefault("b", []).insert(0, {"p": price, "s": "1"} if by_name else [price, "1"])
        return encode(message)

    def notice(self, session: Session, now_us: int) -> str | None:
        if MARKETS[session.path] == "spot":
            return None
        result = {"type": "upgrade", "msg": "The connection will be closed for an upgrade, please reconnect"}
        return _head(now_us, channel="futures.system", event="update", result=result)

    def refuse(self, strikes: int) -> Answer:
        text = "Request Rate limit Exceeded"
        return Answer(*rows.refusal(429, "TOO_MANY_REQUESTS", text, limit="200"))

    def fail(self, now_us: int) -> Answer:
        return Answer(*rows.refusal(500, "SERVER_ERROR", "Internal server error"))

    def answer(self, request: Request, now_us: int) -> Answer:
        try:
            return self._rest.answer(request, now_us)
        except ValueError as error:
            return Answer(*rows.refusal(400, "INVALID_PARAM_VALUE", str(error)))

    def _subscribe(self, session: Session, order: dict[str, Any], payload: list[str], now_us: int) -> str:
        asked = Subscribed(order["channel"], tuple(payload), session.headers.get(SIZE_HEADER) == "1")
        listings = self._listings[MARKETS[session.path]]
        try:
            opened = open_channels(asked, listings, self._options)
        except UnknownError as error:
            return _answer(order, now_us, (2, str(error)))
        for key, channel in opened:
            if order["event"] == "unsubscribe":
                self._board.hub.leave(session, key)
            else:
                session.has_subscribed = True
                self._board.join(session, key, channel)
        return _answer(order, now_us, None)


def _head(now_us: int, **fields: object) -> str:
    return encode({"time": now_us // 1_000_000, "time_ms": now_us // 1000, **fields})


def _answer(order: dict[str, Any], now_us: int, refused: tuple[int, str] | None) -> str:
    """The answer to a request, with its id where it had one."""
    fields = {"id": order["id"]} if "id" in order else {}
    fields |= {"channel": order.get("channel", ""), "event": order.get("event", ""), "payload": order.get("payload")}
    error = None if refused is None else {"code": refused[0], "message": refused[1]}
    return _head(now_us, **fields, error=error, result={"status": "fail" if refused else "success"})
