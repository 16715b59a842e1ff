"""Hyperliquid: the socket at `/ws`, its subscriptions one by one, and `POST /info`.

https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket
"""

from __future__ import annotations

import json
from typing import Any, cast

from producers.simulator.hub import Answer, Frame, Request, Session, Tick, encode, read_order
from producers.simulator.market.listing import Listing
from producers.simulator.topics import Board, Topic
from producers.simulator.venue import Setup, crossing_bid
from producers.simulator.venues.hyperliquid.channels import AllMids, open_topic, real
from producers.simulator.venues.hyperliquid.rest import HyperliquidRest

MOST_SUBSCRIPTIONS = 1000


class Hyperliquid:
    """Perpetuals by their coin, spot pairs by a number, on one socket. Texts of refusals are not documented."""

    def __init__(self, setup: Setup[None]) -> None:
        self._listings = {item.instrument.symbol: item for item in setup.listings}
        self._setup = setup
        self._board = Board()
        self._rest = HyperliquidRest(self._listings, setup.snapshots)

    def accepts(self, path: str) -> bool:
        return path == "/ws"

    def on_open(self, session: Session, now_us: int) -> list[str]:
        return []

    def on_close(self, session: Session) -> None:
        self._board.hub.drop(session)

    def on_text(self, session: Session, text: str, now_us: int) -> list[str]:
        order = read_order(text)
        if order is None:
            return [_error(f"Error parsing JSON into valid websocket request: {text}")]
        method, wanted = order.get("method"), order.get("subscription")
        if method == "ping":
            return ['{"channel":"pong"}']
        if method not in ("subscribe", "unsubscribe") or not isinstance(wanted, dict):
            return [_error(f"Error parsing JSON into valid websocket request: {text}")]
        subscription = cast("dict[str, Any]", wanted)
        if method == "unsubscribe":
            return [self._unsubscribe(session, subscription)]
        return [self._subscribe(session, subscription)]

    def list_frames(self, tick: Tick) -> list[Frame]:
        return self._board.list_frames(tick)

    def mutate(self, frame: Frame, kind: str) -> str:
        message = json.loads(frame.text)
        listing = self._listings[frame.symbol]
        price = real(crossing_bid(listing), listing.instrument.price_scale)
        message["data"]["levels"][0].insert(0, {"px": price, "sz": "1.0", "n": 1})
        return encode(message)

    def refuse(self, strikes: int) -> Answer:
        return Answer(429, "null")

    def fail(self, now_us: int) -> Answer:
        return Answer(500, "null")

    def answer(self, request: Request, now_us: int) -> Answer:
        return self._rest.answer(request, now_us)

    def _subscribe(self, session: Session, wanted: dict[str, Any]) -> str:
        listing = self._listings.get(str(wanted.get("coin")))
        key = _key(wanted)
        found = self._board.topics.get(key) or self._open(wanted, listing)
        if found is None:
            return _error(f"Invalid subscription {encode(wanted)}")
        if key in session.streams:
            return _error(f"Already subscribed: {encode(wanted)}")
        if len(session.streams) >= MOST_SUBSCRIPTIONS and self._setup.enforce_limits:
            return _error(f"Cannot track more than {MOST_SUBSCRIPTIONS} subscriptions: {encode(wanted)}")
        self._board.join(session, key, found)
        session.has_subscribed = True
        return _answer("subscribe", wanted)

    def _open(self, wanted: dict[str, Any], listing: Listing | None) -> Topic | None:
        if wanted.get("type") == "allMids":
            return AllMids(list(self._listings.values()))
        return None if listing is None else open_topic(wanted, listing)

    def _unsubscribe(self, session: Session, wanted: dict[str, Any]) -> str:
        key = _key(wanted)
        if key not in session.streams:
            return _error(f"Already unsubscribed: {encode(wanted)}")
        self._board.hub.leave(session, key)
        return _answer("unsubscribe", wanted)


def _key(wanted: dict[str, Any]) -> str:
    return "|".join(str(wanted.get(name, "")) for name in ("type", "coin", "interval"))


def _answer(method: str, wanted: dict[str, Any]) -> str:
    """The confirmation, with what a subscription to a book leaves out."""
    shown = {**wanted, "nSigFigs": None, "mantissa": None} if wanted.get("type") == "l2Book" else wanted
    return encode({"channel": "subscriptionResponse", "data": {"method": method, "subscription": shown}})


def _error(reason: str) -> str:
    return encode({"channel": "error", "data": reason})
