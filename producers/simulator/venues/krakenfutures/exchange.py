"""Kraken Futures: the socket at `/ws/v1`, its subscriptions, and the refusals of socket and REST.

https://docs.kraken.com/exchange/api-reference/futures-websocket
"""

from __future__ import annotations

import json
from typing import Any, cast

from producers.simulator.hub import Answer, Frame, HangupError, Request, Session, Tick, encode, read_order
from producers.simulator.topics import Board
from producers.simulator.venue import Setup, crossing_bid
from producers.simulator.venues.krakenfutures.channels import FEEDS, open_feed
from producers.simulator.venues.krakenfutures.options import Options
from producers.simulator.venues.krakenfutures.rest import KrakenFuturesRest, failed

SECOND_US = 1_000_000
REQUESTS_PER_S = 100
HEARTBEAT = "heartbeat"


class KrakenFutures:
    """The linear perpetuals (`PF_XBTUSD`), counted in coins. The client keeps its socket by ping frames."""

    def __init__(self, setup: Setup[Options]) -> None:
        self._listings = {item.instrument.symbol: item for item in setup.listings}
        self._setup = setup
        self._board = Board()
        self._beaten_us = 0
        self._rest = KrakenFuturesRest(self._listings, setup.snapshots)

    def accepts(self, path: str) -> bool:
        return path == "/ws/v1"

    def on_open(self, session: Session, now_us: int) -> list[str]:
        return ['{"event":"info","version":1}']

    def on_close(self, session: Session) -> None:
        self._board.hub.drop(session)

    def on_text(self, session: Session, text: str, now_us: int) -> list[str]:
        if session.count_within(now_us, SECOND_US) > REQUESTS_PER_S and self._setup.enforce_limits:
            raise HangupError(1008, "Too many requests", (_error("Too many requests"),))
        order = read_order(text)
        if order is None:
            return [_alert("Bad websocket message")]
        event, feed = order.get("event"), str(order.get("feed"))
        if event not in ("subscribe", "unsubscribe"):
            return [_alert("Bad websocket message")]
        if feed == HEARTBEAT:
            session.has_subscribed = True
            hub = self._board.hub
            (hub.join if event == "subscribe" else hub.leave)(session, HEARTBEAT)
            return [encode({"event": f"{event}d", "feed": feed})]
        if feed not in FEEDS:
            return [_error("Invalid feed")]
        rows = order.get("product_ids")
        products = [str(name).upper() for name in cast("list[Any]", rows)] if isinstance(rows, list) else []
        return self._follow(session, str(event), feed, products)

    def list_frames(self, tick: Tick) -> list[Frame]:
        frames = self._board.list_frames(tick)
        beating = self._board.hub.subscribers_of(HEARTBEAT)
        if beating and tick.now_us - self._beaten_us >= SECOND_US:
            self._beaten_us = tick.now_us
            text = f'{{"feed":"heartbeat","time":{tick.now_ms}}}'
            frames.append(Frame(beating, text, HEARTBEAT, "", HEARTBEAT))
        return frames

    def mutate(self, frame: Frame, kind: str) -> str:
        message = json.loads(frame.text)
        listing = self._listings[frame.symbol]
        beyond = listing.instrument.price_text(crossing_bid(listing))
        return encode({**message, "side": "buy", "price": float(beyond), "qty": 1.0})

    def refuse(self, strikes: int) -> Answer:
        return failed("apiLimitExceeded", 0, 429)

    def fail(self, now_us: int) -> Answer:
        return failed("marketUnavailable", now_us)

    def answer(self, request: Request, now_us: int) -> Answer:
        return self._rest.answer(request, now_us)

    def _follow(self, session: Session, event: str, feed: str, products: list[str]) -> list[str]:
        """Subscribes or unsubscribes; what is not known is refused without being named."""
        known = [name for name in products if name in self._listings]
        answers: list[str] = []
        if len(known) < len(products) or not products:
            answers.append(_error("Invalid product id"))
            if self._setup.options.all_or_nothing:
                return answers
        session.has_subscribed = True
        for name in known:
            key = f"{feed}|{name}"
            if event == "unsubscribe":
                self._board.hub.leave(session, key)
                continue
            if key in session.streams:
                answers.append(_alert("Already subscribed to feed, re-requesting"))
                self._board.hub.leave(session, key)
            topic = self._board.topics.get(key) or open_feed(feed, self._listings[name])
            self._board.join(session, key, topic)
        batches = [[name] for name in known] if self._setup.options.ack_each else [known]
        done = [encode({"event": f"{event}d", "feed": feed, "product_ids": batch}) for batch in batches if batch]
        return [*answers, *done]


def _error(message: str) -> str:
    return encode({"event": "error", "message": message})


def _alert(message: str) -> str:
    return encode({"event": "alert", "message": message})
