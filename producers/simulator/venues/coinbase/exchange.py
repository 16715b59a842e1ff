"""Coinbase Exchange: the feed at `/`, its subscriptions, and the refusals of feed and REST and Advanced Trade.

https://docs.cdp.coinbase.com/exchange/websocket-feed/overview
"""

from __future__ import annotations

import json
from typing import Any, cast

from producers.simulator.hub import Answer, Frame, HangupError, Request, Session, Tick, encode, read_order
from producers.simulator.topics import Board
from producers.simulator.venue import Setup, crossing_bid
from producers.simulator.venues.coinbase.advanced.exchange import PATH, Advanced
from producers.simulator.venues.coinbase.advanced.rest import PREFIX, AdvancedRest
from producers.simulator.venues.coinbase.channels import AUTHENTICATED, CHANNELS, open_channel
from producers.simulator.venues.coinbase.options import Options
from producers.simulator.venues.coinbase.rest import CoinbaseRest

REQUESTS_PER_S = 20
CREDENTIALS = ("signature", "key", "passphrase", "timestamp")


class Coinbase:
    """The USD spot exchange; a match's side is the maker's."""

    def __init__(self, setup: Setup[Options]) -> None:
        self._listings = {item.instrument.symbol: item for item in setup.listings}
        self._setup = setup
        self._board = Board()
        self._rest = CoinbaseRest(self._listings, setup.snapshots)
        self._advanced = Advanced(self._listings, setup)
        self._advanced_rest = AdvancedRest(
            self._listings, setup.snapshots, side_is_taker=setup.options.advanced_side_is_taker
        )

    def accepts(self, path: str) -> bool:
        return path in ("/", PATH)

    def on_open(self, session: Session, now_us: int) -> list[str]:
        if session.path == PATH:
            self._advanced.on_open(session)
        return []

    def on_close(self, session: Session) -> None:
        if session.path == PATH:
            self._advanced.on_close(session)
        self._board.hub.drop(session)

    def on_text(self, session: Session, text: str, now_us: int) -> list[str]:
        if session.path == PATH:
            return self._advanced.on_text(session, text, now_us)
        if session.count_within(now_us, 1_000_000) > REQUESTS_PER_S and self._setup.enforce_limits:
            raise HangupError(1008, "Rate limit exceeded", (_error("Rate limit exceeded", ""),))
        order = read_order(text)
        if order is None:
            return [_error("Malformed JSON", "")]
        kind = order.get("type")
        if kind not in ("subscribe", "unsubscribe"):
            return [_error("Failed to subscribe", f"{kind} is not a valid type")]
        wanted = _read_channels(order)
        if kind == "unsubscribe":
            self._unsubscribe(session, wanted)
            return [_subscriptions(session)]
        reason = self._refusal(order, wanted)
        if reason:
            return [_error("Failed to subscribe", reason)]
        for channel, products in wanted.items():
            for product in products:
                key = f"{channel}|{product}"
                found = self._board.topics.get(key) or open_channel(channel, self._listings[product])
                self._board.join(session, key, found)
        session.has_subscribed = True
        return [_subscriptions(session)]

    def list_frames(self, tick: Tick) -> list[Frame]:
        return [*self._board.list_frames(tick), *self._advanced.list_frames(tick)]

    def mutate(self, frame: Frame, kind: str) -> str:
        message = json.loads(frame.text)
        listing = self._listings[frame.symbol]
        if "events" in message:
            price = listing.instrument.price_text(crossing_bid(listing))
            message["events"][0]["updates"].insert(0, {"side": "bid", "price_level": price, "new_quantity": "1"})
            return encode(message)
        message["changes"].insert(0, ["buy", listing.instrument.price_text(crossing_bid(listing)), "1.00000000"])
        return encode(message)

    def refuse(self, strikes: int) -> Answer:
        return Answer(429, encode({"message": "Public rate limit exceeded"}), (("Retry-After", "1"),))

    def fail(self, now_us: int) -> Answer:
        return Answer(503, encode({"message": "Exchange is currently under maintenance. Please try again later"}))

    def answer(self, request: Request, now_us: int) -> Answer:
        return (self._advanced_rest if request.path.startswith(PREFIX) else self._rest).answer(request, now_us)

    def _refusal(self, order: dict[str, Any], wanted: dict[str, list[str]]) -> str:
        """Why a subscription is not accepted; empty when it is."""
        if not wanted:
            return "channels must be a non-empty list"
        needs_auth = self._setup.options.level2_needs_auth and not all(name in order for name in CREDENTIALS)
        for channel, products in wanted.items():
            if channel not in CHANNELS:
                return f"{channel} is not a valid channel"
            if needs_auth and channel in AUTHENTICATED:
                return "level2, level3, and full channels now require authentication"
            if not products:
                return "product_ids must be a non-empty list"
            for product in products:
                if product not in self._listings:
                    return f"{product} is not a valid product"
        return ""

    def _unsubscribe(self, session: Session, wanted: dict[str, list[str]]) -> None:
        for channel, products in wanted.items():
            for key in list(session.streams):
                held, _, product = key.partition("|")
                if held == channel and (not products or product in products):
                    self._board.hub.leave(session, key)


def _read_channels(order: dict[str, Any]) -> dict[str, list[str]]:
    """Channel to products: a channel may bring products of its own."""
    shared = _names(order)
    wanted: dict[str, list[str]] = {}
    entries = order.get("channels")
    for entry in cast("list[Any]", entries) if isinstance(entries, list) else []:
        if isinstance(entry, dict):
            row = cast("dict[str, Any]", entry)
            wanted[str(row.get("name"))] = [*shared, *_names(row)]
        else:
            wanted[str(entry)] = shared
    return wanted


def _names(row: dict[str, Any]) -> list[str]:
    names = row.get("product_ids")
    return [str(name) for name in cast("list[Any]", names)] if isinstance(names, list) else []


def _subscriptions(session: Session) -> str:
    channels: dict[str, list[str]] = {}
    for key in session.streams:
        name, _, product = key.partition("|")
        channels.setdefault(name, []).append(product)
    rows = [{"name": name, "product_ids": products, "account_ids": None} for name, products in channels.items()]
    return encode({"type": "subscriptions", "channels": rows})


def _error(message: str, reason: str) -> str:
    return encode({"type": "error", "message": message, "reason": reason})
