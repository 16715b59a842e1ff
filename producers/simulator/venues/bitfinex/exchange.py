"""Bitfinex: pairs and perpetuals over WebSocket v2 at `/ws/2`: channels with numbers, flags, heartbeats.

https://docs.bitfinex.com/docs/ws-general
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from producers.simulator.hub import Answer, Frame, HangupError, Request, Session, Tick, encode, read_order
from producers.simulator.topics import Board
from producers.simulator.venue import Setup, crossing_bid
from producers.simulator.venues.bitfinex.channels import CHECKSUM, open_topic
from producers.simulator.venues.bitfinex.options import Options
from producers.simulator.venues.bitfinex.rest import MAINTENANCE, RATE_LIMIT, BitfinexRest, failed

TIMESTAMPS, NUMBERS, CHECKSUMS = 32_768, 65_536, 131_072
KNOWN_FLAGS = TIMESTAMPS | NUMBERS | CHECKSUMS
CHANNELS = ("trades", "book", "ticker", "status", "candles")
MAX_CHANNELS = 25
CONNECTIONS, MINUTE_US = 20, 60_000_000
QUIET_US = 15_000_000
INVALID, REPEATED, UNKNOWN, FULL, NOT_SUBSCRIBED = 10_300, 10_301, 10_302, 10_305, 10_400
ROW = re.compile(r'^\[(\d+),(?:"cs",-?\d+|\[[^\]]*\])')


@dataclass(slots=True)
class Line:
    """One socket: its flags, the number of its last frame, and its channels by number, with when they last spoke."""

    flags: int = 0
    number: int = 0
    keys: dict[int, str] = field(default_factory=dict[int, str])
    spoke_us: dict[int, int] = field(default_factory=dict[int, int])

    def wrap(self, channel: int, body: str, now_us: int) -> str:
        """One data frame."""
        self.spoke_us[channel] = now_us
        tail = ""
        if self.flags & NUMBERS:
            self.number += 1
            tail = f",{self.number}"
        if self.flags & TIMESTAMPS:
            tail += f",{now_us // 1000}"
        return f"[{channel},{body}{tail}]"

    def find(self, key: str) -> int | None:
        """The number of a channel."""
        return next((number for number, held in self.keys.items() if held == key), None)


class Bitfinex:
    """One exchange; every socket numbers its channels, and with a flag its frames, for itself."""

    def __init__(self, setup: Setup[Options]) -> None:
        self._listings = {item.instrument.symbol: item for item in setup.listings}
        self._setup = setup
        self._board = Board()
        self._lines: dict[Session, Line] = {}
        self._opened: deque[int] = deque(maxlen=CONNECTIONS + 1)
        self._next_channel = 17_000
        self._rest = BitfinexRest(self._listings, setup.snapshots)

    def accepts(self, path: str) -> bool:
        return path == "/ws/2"

    def on_open(self, session: Session, now_us: int) -> list[str]:
        self._opened.append(now_us)
        recent = sum(now_us - at < MINUTE_US for at in self._opened)
        if recent > CONNECTIONS and self._setup.enforce_limits:
            raise HangupError(1008, "too many connections within a minute")
        self._lines[session] = Line()
        server = f"00000000-0000-4000-8000-{session.id:012d}"
        return [encode({"event": "info", "version": 2, "serverId": server, "platform": {"status": 1}})]

    def on_close(self, session: Session) -> None:
        self._board.hub.drop(session)
        self._lines.pop(session, None)

    def on_text(self, session: Session, text: str, now_us: int) -> list[str]:
        order = read_order(text) or {}
        event, line = order.get("event"), self._lines[session]
        if event == "ping":
            return [encode({"event": "pong", "ts": now_us // 1000, "cid": order.get("cid")})]
        if event == "conf":
            flags = order.get("flags")
            line.flags = flags & KNOWN_FLAGS if isinstance(flags, int) else line.flags
            return [encode({"event": "conf", "status": "OK", "flags": line.flags})]
        if event == "subscribe":
            return [encode(self._subscribe(session, line, order))]
        if event == "unsubscribe":
            return [encode(self._unsubscribe(session, line, order))]
        return [encode({"event": "error", "msg": "unknown event", "code": 10_000})]

    def list_frames(self, tick: Tick) -> list[Frame]:
        """Return what is published, written for each socket by itself, and heartbeats of quiet channels."""
        frames: list[Frame] = []
        for frame in self._board.list_frames(tick):
            for session in frame.sessions:
                written = self._write(session, frame, tick.now_us)
                if written is not None:
                    frames.append(written)
        return [*frames, *self._beats(tick)] if tick.due(1000) else frames

    def mutate(self, frame: Frame, kind: str) -> str:
        """Return the frame with a crossing bid in place of its own row, or with a wrong checksum."""
        if kind == "bad_checksum":
            return ROW.sub(r'[\1,"cs",12345', frame.text)
        listing = self._listings[frame.symbol]
        price = listing.instrument.price_text(crossing_bid(listing))
        return ROW.sub(rf"[\1,[{price},1,1]", frame.text)

    def notice(self, session: Session, now_us: int) -> str | None:
        return encode({"event": "info", "code": 20_051, "msg": "Stopping. Please try to reconnect"})

    def refuse(self, strikes: int) -> Answer:
        return failed(RATE_LIMIT, "ratelimit: error", 429)

    def fail(self, now_us: int) -> Answer:
        return failed(MAINTENANCE, "maintenance", 503)

    def answer(self, request: Request, now_us: int) -> Answer:
        return self._rest.answer(request, now_us)

    def _write(self, session: Session, frame: Frame, now_us: int) -> Frame | None:
        line = self._lines.get(session)
        number = line.find(frame.stream) if line is not None else None
        if line is None or number is None:
            return None
        if frame.text.startswith(CHECKSUM) and not line.flags & CHECKSUMS:
            return None
        text = line.wrap(number, frame.text, now_us)
        return Frame((session,), text, frame.channel, frame.symbol, frame.stream, frame.is_delta)

    def _beats(self, tick: Tick) -> list[Frame]:
        return [
            Frame((session,), line.wrap(number, '"hb"', tick.now_us), "heartbeat", "", f"hb|{number}")
            for session, line in self._lines.items()
            for number in line.keys
            if tick.now_us - line.spoke_us.setdefault(number, tick.now_us) >= QUIET_US
        ]

    def _subscribe(self, session: Session, line: Line, order: dict[str, Any]) -> dict[str, Any]:
        channel = order.get("channel")
        named = {name: order[name] for name in ("symbol", "key", "prec", "freq", "len", "subId") if name in order}
        opened = open_topic(order, self._listings)
        if opened is None:
            known = channel in CHANNELS
            what = "key" if "key" in order else "symbol"
            return self._refuse(order, *((INVALID, f"{what}: invalid") if known else (UNKNOWN, "channel: unknown")))
        key, topic = opened
        if key in session.streams:
            return self._refuse(order, REPEATED, "subscribe: dup")
        if len(line.keys) >= MAX_CHANNELS:
            return self._refuse(order, FULL, "subscribe: limit")
        session.has_subscribed = True
        self._next_channel += 1
        line.keys[self._next_channel] = key
        self._board.join(session, key, topic)
        pair = {"pair": str(order["symbol"]).removeprefix("t")} if "symbol" in order else {}
        return {"event": "subscribed", "channel": channel, "chanId": self._next_channel, **named, **pair}

    def _refuse(self, order: dict[str, Any], code: int, text: str) -> dict[str, Any]:
        """Return an error; whether it repeats the request is not documented."""
        error = {"event": "error", "msg": text, "code": code}
        if not self._setup.options.error_names_request:
            return error
        return {name: order[name] for name in ("channel", "symbol", "key") if name in order} | error

    def _unsubscribe(self, session: Session, line: Line, order: dict[str, Any]) -> dict[str, Any]:
        number = order.get("chanId")
        key = line.keys.pop(number, None) if isinstance(number, int) else None
        if key is None:
            return {"event": "error", "msg": "unsubscribe: invalid", "code": NOT_SUBSCRIBED, "chanId": number}
        self._board.hub.leave(session, key)
        return {"event": "unsubscribed", "status": "OK", "chanId": number}
