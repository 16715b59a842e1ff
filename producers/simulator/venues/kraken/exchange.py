"""Kraken spot: WebSocket v2 at `/v2`, its subscriptions, and the refusals of sockets and REST.

https://docs.kraken.com/exchange/api-reference/spot-websocket
"""

from __future__ import annotations

import re
from typing import Any, cast

from producers.simulator.hub import Answer, Frame, Request, Session, Tick, encode, read_order, time_text
from producers.simulator.topics import Board
from producers.simulator.venue import Setup, crossing_bid
from producers.simulator.venues.kraken.channels import DEPTHS, INTERVALS, TRIGGERS, open_channel
from producers.simulator.venues.kraken.options import Options
from producers.simulator.venues.kraken.rest import KrakenRest

SECOND_US = 1_000_000
HEARTBEAT = '{"channel":"heartbeat"}'
TOO_FAST = '{"Error":"Exceeded msg rate"}'
# channel -> (the parameter that makes another stream of it, its values, the default)
DETAILS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "trade": ("", ("",), ""),
    "ticker": ("event_trigger", TRIGGERS, "trades"),
    "book": ("depth", tuple(map(str, DEPTHS)), "10"),
    "ohlc": ("interval", tuple(map(str, INTERVALS)), "1"),
}
CHECKSUM = re.compile(r'"checksum":(\d+)')


class Kraken:
    """The USD spot exchange. Books carry checksums and no sequence; every pair of a request is answered by itself."""

    def __init__(self, setup: Setup[Options]) -> None:
        self._listings = {item.instrument.symbol: item for item in setup.listings}
        self._setup = setup
        self._board = Board()
        self._sent_us: dict[Session, int] = {}
        self._rest = KrakenRest(self._listings, setup.snapshots)

    def accepts(self, path: str) -> bool:
        return path == "/v2"

    def on_open(self, session: Session, now_us: int) -> list[str]:
        row = {"version": "2.0.10", "system": "online", "api_version": "v2", "connection_id": 10**18 + session.id}
        return [encode({"channel": "status", "type": "update", "data": [row]})]

    def on_close(self, session: Session) -> None:
        self._board.hub.drop(session)
        self._sent_us.pop(session, None)

    def on_text(self, session: Session, text: str, now_us: int) -> list[str]:
        if self._setup.enforce_limits:
            most = self._setup.options.messages_per_s
            if session.count_within(now_us, SECOND_US) > most:
                return [TOO_FAST]
        order = read_order(text) or {}
        method = order.get("method")
        if method == "ping":
            return [_answer(order, now_us, {"method": "pong"})]
        params = order.get("params")
        if method not in ("subscribe", "unsubscribe") or not isinstance(params, dict):
            return [_answer(order, now_us, {"method": method, "error": "Malformed request", "success": False})]
        session.has_subscribed = True
        self._sent_us.setdefault(session, now_us)
        return self._follow(session, order, cast("dict[str, Any]", params), now_us)

    def list_frames(self, tick: Tick) -> list[Frame]:
        """Return what is published, and a heartbeat for each subscriber that received nothing for a second."""
        frames = self._board.list_frames(tick)
        for frame in frames:
            for session in frame.sessions:
                if session in self._sent_us:
                    self._sent_us[session] = tick.now_us
        quiet = tuple(at for at, sent_us in self._sent_us.items() if tick.now_us - sent_us >= SECOND_US)
        for session in quiet:
            self._sent_us[session] = tick.now_us
        return [*frames, Frame(quiet, HEARTBEAT, "heartbeat", "", "heartbeat")] if quiet else frames

    def mutate(self, frame: Frame, kind: str) -> str:
        """Changes the text itself: its numbers would lose their zeros otherwise."""
        if kind == "bad_checksum":
            return CHECKSUM.sub(lambda found: f'"checksum":{int(found[1]) ^ 1}', frame.text)
        if kind != "crossed":
            return frame.text
        listing = self._listings[frame.symbol]
        beyond = listing.instrument.price_text(crossing_bid(listing))
        return frame.text.replace('"bids":[', f'"bids":[{{"price":{beyond},"qty":1.00000000}},', 1).replace("},]", "}]")

    def refuse(self, strikes: int) -> Answer:
        """Return what the gateway answers to an address that connects or requests too often."""
        return Answer(429, "error code: 1015", (("Retry-After", str(min(600, 15 * strikes))),))

    def fail(self, now_us: int) -> Answer:
        return Answer(200, encode({"error": ["EService:Unavailable"]}))

    def answer(self, request: Request, now_us: int) -> Answer:
        return self._rest.answer(request, now_us)

    def _follow(self, session: Session, order: dict[str, Any], params: dict[str, Any], now_us: int) -> list[str]:
        """Subscribes or unsubscribes each pair; each gets its own answer."""
        method, channel = str(order["method"]), str(params.get("channel"))
        if channel not in DETAILS:
            return [_answer(order, now_us, {"method": method, "error": "Channel not supported", "success": False})]
        name, allowed, default = DETAILS[channel]
        detail = str(params.get(name, default)) if name else ""
        rows = params.get("symbol")
        symbols = [str(symbol) for symbol in cast("list[Any]", rows)] if isinstance(rows, list) else []
        answers: list[str] = []
        for symbol in symbols:
            reason = self._refusal(symbol, detail, allowed)
            if reason:
                said = {"method": method, "error": reason, "success": False, "symbol": symbol}
                answers.append(_answer(order, now_us, said))
                continue
            self._leave(session, channel, symbol)
            shows = bool(params.get("snapshot", channel != "trade"))
            if method == "subscribe":
                self._join(session, (channel, symbol, detail), shows=shows)
            result: dict[str, Any] = {"channel": channel, "symbol": symbol, "snapshot": shows}
            if name:
                result[name] = int(detail) if detail.isdigit() else detail
            answers.append(_answer(order, now_us, {"method": method, "result": result, "success": True}))
        return answers

    def _refusal(self, symbol: str, detail: str, allowed: tuple[str, ...]) -> str:
        if symbol not in self._listings:
            return f"Currency pair not supported {symbol}"
        return "" if detail in allowed else f"Subscription parameter not supported {detail}"

    def _join(self, session: Session, what: tuple[str, str, str], *, shows: bool) -> None:
        channel, symbol, detail = what
        key = "|".join(what)
        topic = self._board.topics.get(key) or open_channel(channel, self._listings[symbol], detail)
        if shows:
            self._board.join(session, key, topic)
            return
        self._board.topics.setdefault(key, topic)
        self._board.hub.join(session, key)

    def _leave(self, session: Session, channel: str, symbol: str) -> None:
        for key in list(session.streams):
            if key.startswith(f"{channel}|{symbol}|"):
                self._board.hub.leave(session, key)


def _answer(order: dict[str, Any], now_us: int, row: dict[str, Any]) -> str:
    times = {"time_in": time_text(now_us), "time_out": time_text(now_us + 40)}
    beside = {"req_id": order["req_id"]} if "req_id" in order else {}
    return encode({**row, **times, **beside})
