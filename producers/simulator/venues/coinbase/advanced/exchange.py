"""Coinbase Advanced Trade: its sockets at `/advanced-trade-ws` (at the venue a host), one number a message and socket.

https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-overview
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

from producers.simulator.hub import Frame, HangupError, Session, Tick, encode
from producers.simulator.market.listing import Listing
from producers.simulator.topics import Board
from producers.simulator.venue import Setup
from producers.simulator.venues.coinbase.advanced.channels import CHANNELS, NUMBER, message, open_channel
from producers.simulator.venues.coinbase.options import Options

PATH = "/advanced-trade-ws"
MESSAGES_PER_S = 8
HEARTBEATS, BEAT_MS = "heartbeats", 1000


class Advanced:
    """Its sockets: a subscription names one channel; every message of a socket counts, answers and heartbeats too."""

    def __init__(self, listings: dict[str, Listing], setup: Setup[Options]) -> None:
        self._listings = listings
        self._setup = setup
        self._board = Board()
        self._numbers: dict[Session, int] = {}
        self._beats: dict[Session, int] = {}

    def on_open(self, session: Session) -> None:
        """Begins to count."""
        self._numbers[session] = 0

    def on_close(self, session: Session) -> None:
        """Drop a socket."""
        self._board.hub.drop(session)
        self._numbers.pop(session, None)
        self._beats.pop(session, None)

    def on_text(self, session: Session, text: str, now_us: int) -> list[str]:
        """Answers one request."""
        if session.count_within(now_us, 1_000_000) > MESSAGES_PER_S and self._setup.enforce_limits:
            raise HangupError(1008, "Rate limit exceeded", (_error("rate limit exceeded"),))
        try:
            found = json.loads(text)
        except json.JSONDecodeError:
            found = None
        order = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
        kind, channel = order.get("type"), str(order.get("channel"))
        rows = order.get("product_ids")
        products = [str(name) for name in cast("list[Any]", rows)] if isinstance(rows, list) else []
        reason = self._refusal(kind, channel, products)
        if reason:
            return [_error(reason)]
        if kind == "unsubscribe":
            self._leave(session, channel, products)
        else:
            self._join(session, channel, products)
        return [self._count(session, message("subscriptions", now_us, [{"subscriptions": self._held(session)}]))]

    def list_frames(self, tick: Tick) -> list[Frame]:
        """What is published, numbered for each socket by itself."""
        frames = [
            replace(frame, sessions=(session,), text=self._count(session, frame.text))
            for frame in self._board.list_frames(tick)
            for session in frame.sessions
        ]
        return [*frames, *self._list_beats(tick)] if tick.due(BEAT_MS) else frames

    def _list_beats(self, tick: Tick) -> list[Frame]:
        frames: list[Frame] = []
        for session in self._beats:
            self._beats[session] += 1
            now = f"{tick.now_us // 1_000_000}"
            event = {"current_time": now, "heartbeat_counter": self._beats[session]}
            text = self._count(session, message(HEARTBEATS, tick.now_us, [event]))
            frames.append(Frame((session,), text, "heartbeat", "", HEARTBEATS))
        return frames

    def _count(self, session: Session, text: str) -> str:
        number = self._numbers.get(session, 0)
        self._numbers[session] = number + 1
        return text.replace(NUMBER, f'"sequence_num":{number}', 1)

    def _refusal(self, kind: object, channel: str, products: list[str]) -> str:
        if kind not in ("subscribe", "unsubscribe"):
            return f"type {kind} is not supported"
        if channel not in (*CHANNELS, HEARTBEATS):
            return f"channel {channel} is not supported"
        return next((f"{name} is not a valid product" for name in products if name not in self._listings), "")

    def _join(self, session: Session, channel: str, products: list[str]) -> None:
        session.has_subscribed = True
        if channel == HEARTBEATS:
            self._beats.setdefault(session, 0)
        for product in products if channel != HEARTBEATS else ():
            key = f"{channel}|{product}"
            found = self._board.topics.get(key) or open_channel(channel, self._listings[product], self._setup.options)
            self._board.join(session, key, found)

    def _leave(self, session: Session, channel: str, products: list[str]) -> None:
        if channel == HEARTBEATS:
            self._beats.pop(session, None)
        for key in list(session.streams):
            held, _, product = key.partition("|")
            if held == channel and (not products or product in products):
                self._board.hub.leave(session, key)

    def _held(self, session: Session) -> dict[str, list[str]]:
        held: dict[str, list[str]] = {HEARTBEATS: [HEARTBEATS]} if session in self._beats else {}
        for key in session.streams:
            channel, _, product = key.partition("|")
            held.setdefault(channel, []).append(product)
        return held


def _error(text: str) -> str:
    return encode({"type": "error", "message": text})
