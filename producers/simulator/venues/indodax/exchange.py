"""Indodax: the public socket at `/ws/`, in Centrifugo 2 with numbers for methods, and REST, public and private.

https://github.com/btcid/indodax-official-api-docs/blob/master/Marketdata-websocket.md
Refusals that the page does not show are Centrifugo's own.
"""

from __future__ import annotations

import base64
import json
from typing import Any, cast

from producers.simulator.hub import Answer, Frame, HangupError, Hub, Request, Session, Tick, encode
from producers.simulator.market.listing import Listing
from producers.simulator.venue import Setup, crossing_bid
from producers.simulator.venues.indodax.accounts import Accounts
from producers.simulator.venues.indodax.channels import BOOK, SUMMARY, TICK, TRADES, Channel, open_channel
from producers.simulator.venues.indodax.options import Options
from producers.simulator.venues.indodax.rest import IndodaxRest

CONNECT, SUBSCRIBE, UNSUBSCRIBE, PING, REFRESH = 0, 1, 2, 7, 10
PREFIXES = (TRADES, BOOK, TICK)
VERSION = "2.8.6"
UNKNOWN_CHANNEL, UNKNOWN_METHOD, ALREADY_SUBSCRIBED, TOKEN_EXPIRED = 102, 104, 105, 109


class Indodax:
    """The rupiah spot exchange. Every text that it sends ends in a newline and may hold several messages.

    A channel publishes from its first subscription on, with or without subscribers, so that a client that returns can
    recover what it missed.
    """

    def __init__(self, setup: Setup[Options]) -> None:
        self._listings = {item.instrument.symbol: item for item in setup.listings}
        self._setup = setup
        self._hub = Hub()
        self._channels: dict[str, Channel] = {}
        self._connected: dict[Session, int] = {}  # the end of its token's time, seconds
        self._epoch = 1_700_000_000 + setup.seed
        self._started_us: int | None = None
        self._rest = IndodaxRest(self._listings, setup.snapshots, enforce_limits=setup.enforce_limits)
        self._accounts = Accounts(self._listings, enforce_limits=setup.enforce_limits)
        self.private = self._accounts.side

    def accepts(self, path: str) -> bool:
        return path in ("/ws/", "/ws")

    def on_open(self, session: Session, now_us: int) -> list[str]:
        self._started_us = self._started_us or now_us
        return []

    def on_close(self, session: Session) -> None:
        self._connected.pop(session, None)
        self._hub.drop(session)

    def on_text(self, session: Session, text: str, now_us: int) -> list[str]:
        lines = (line for line in text.split("\n") if line.strip())
        answers = [self._on_command(session, _read(line), now_us) for line in lines]
        return ["\n".join(answers) + "\n"] if answers else []

    def list_frames(self, tick: Tick) -> list[Frame]:
        self._accounts.move(tick.now_us)
        frames: list[Frame] = []
        for key, channel in self._channels.items():
            texts = channel.publish(tick)
            subscribers = self._hub.subscribers_of(key)
            if texts and subscribers:
                text = "\n".join(texts) + "\n"
                frames.append(Frame(subscribers, text, channel.kind, channel.symbol, key, channel.kind == "depth"))
        return frames

    def find_seq(self, listing: Listing) -> int:
        channel = self._channels.get(BOOK + listing.instrument.symbol)
        return 0 if channel is None else channel.offset

    def mutate(self, frame: Frame, kind: str) -> str:
        message = json.loads(frame.text)
        listing = self._listings[frame.symbol]
        bids = message["result"]["data"]["data"]["bid"]
        bids.insert(0, {**bids[0], "price": listing.instrument.price_text(crossing_bid(listing))})
        return encode(message) + "\n"

    def on_reset(self, symbol: str | None) -> None:
        """The streams of a pair start again: another epoch, offsets from 1, nothing to recover."""
        self._epoch += 1
        for channel in self._channels.values():
            if symbol is None or symbol == channel.symbol:
                channel.begin(str(self._epoch))

    def refuse(self, strikes: int) -> Answer:
        """What an excess looks like is not documented: 429 in the form of the venue's other errors."""
        return Answer(429, encode({"error": "too_many_requests", "error_description": "Too Many Requests"}))

    def fail(self, now_us: int) -> Answer:
        return Answer(503, "<html><body>Service Temporarily Unavailable</body></html>")

    def answer(self, request: Request, now_us: int) -> Answer:
        serve = self._accounts if self._accounts.accepts(request.path) else self._rest
        return serve.answer(request, now_us)

    def _on_command(self, session: Session, order: dict[str, Any], now_us: int) -> str:
        number, method = order.get("id"), order.get("method", CONNECT)
        given = order.get("params")
        params = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
        if not isinstance(number, int) or number < 1:
            raise _disconnect(3003, "bad request", reconnect=False)
        if method == CONNECT:
            return self._connect(session, number, params, now_us)
        if session not in self._connected:
            raise _disconnect(3003, "bad request", reconnect=False)
        if self._left(self._connected[session], now_us) <= 0:
            raise _disconnect(3005, "expired", reconnect=True)
        if method == PING:
            return encode({"id": number})
        if method == REFRESH:
            return self._connect(session, number, params, now_us)
        if method in (SUBSCRIBE, UNSUBSCRIBE):
            return self._on_channel(session, number, params, subscribes=method == SUBSCRIBE)
        return _error(number, UNKNOWN_METHOD, "method not found")

    def _connect(self, session: Session, number: int, params: dict[str, Any], now_us: int) -> str:
        expires = read_expiry(params.get("token"))
        if expires is None:
            raise _disconnect(3002, "invalid token", reconnect=False)
        left = self._left(expires, now_us)
        if left <= 0:
            return _error(number, TOKEN_EXPIRED, "token expired")
        self._connected[session] = expires
        session.has_subscribed = True
        result = {"client": f"{session.id:08x}-0000-4000-8000-000000000000", "version": VERSION}
        return encode({"id": number, "result": {**result, "expires": True, "ttl": max(1, int(left))}})

    def _left(self, expires: int, now_us: int) -> float:
        """Seconds that a token still has, or that the option leaves to it."""
        ttl, now = self._setup.options.token_ttl_s, now_us / 1e6
        if ttl is None or self._started_us is None:
            return expires - now
        return min(expires, self._started_us / 1e6 + ttl) - now

    def _on_channel(self, session: Session, number: int, params: dict[str, Any], *, subscribes: bool) -> str:
        name = str(params.get("channel", ""))
        if not subscribes:
            self._hub.leave(session, name)
            return encode({"id": number, "result": {}})
        if name in session.streams:
            return _error(number, ALREADY_SUBSCRIBED, "already subscribed")
        prefix = next((prefix for prefix in PREFIXES if name.startswith(prefix)), None)
        if prefix is None and name != SUMMARY:
            return _error(number, UNKNOWN_CHANNEL, "unknown channel")
        channel = self._channels.get(name)
        if channel is None:
            listing = self._listings.get(name.removeprefix(prefix or ""))
            channel = open_channel(name, prefix or SUMMARY, listing, list(self._listings.values()))
            channel.begin(str(self._epoch), 0 if listing is None else listing.book.update_id)
            if listing is not None or prefix is None:  # an unknown pair publishes nothing
                self._channels[name] = channel
        self._hub.join(session, name)
        return f'{{"id":{number},"result":{channel.position(params)}}}'


def read_expiry(token: object) -> int | None:
    """The end of a token's time, seconds; None where it is no token. Its signature is not looked at."""
    parts = token.split(".") if isinstance(token, str) else []
    if len(parts) != 3:  # noqa: PLR2004 - head, payload, signature
        return None
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return int(payload["exp"])
    except (ValueError, KeyError, TypeError):
        return None


def _read(line: str) -> dict[str, Any]:
    try:
        order = json.loads(line)
    except json.JSONDecodeError:
        raise _disconnect(3003, "bad request", reconnect=False) from None
    return cast("dict[str, Any]", order) if isinstance(order, dict) else {}


def _error(number: int, code: int, message: str) -> str:
    return encode({"id": number, "error": {"code": code, "message": message}})


def _disconnect(code: int, reason: str, *, reconnect: bool) -> HangupError:
    return HangupError(code, encode({"reason": reason, "reconnect": reconnect}))
