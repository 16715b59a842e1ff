"""What Binance's spot and futures sockets share: control messages, streams by name, wrapping, REST refusals.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from producers.simulator.families.binance.options import Options
from producers.simulator.families.binance.rows import UNIT_US, interval_us, quote
from producers.simulator.hub import Frame, HangupError, Hub, Session, Tick, encode
from producers.simulator.market.listing import Listing
from producers.simulator.venue import Setup

MAX_STREAMS = 1024
LONGEST_ID = 36


@dataclass(frozen=True, slots=True)
class Stream:
    """One named stream: its payloads after a step."""

    channel: str
    symbol: str
    emit: Callable[[Tick], list[str]]
    is_delta: bool = False


@dataclass(slots=True)
class Wire:
    """The sockets of one Binance product: subscribers by stream; `find_stream` builds a stream from its name."""

    find_stream: Callable[[str], Stream | None]
    per_second: int
    setup: Setup[Options]
    hub: Hub = field(default_factory=Hub)
    streams: dict[str, Stream] = field(default_factory=dict)

    def subscribe(
        self, session: Session, names: list[str], *, is_served: Callable[[str], bool] | None = None
    ) -> str | None:
        """Joins the streams; unknown names and names on a wrong path are accepted and stay silent."""
        if len(session.streams) + len(names) > MAX_STREAMS:
            return "Invalid request: too many streams"
        found = {name: self.find_stream(name) for name in names}
        if self.setup.options.unknown_symbol_is_error and None in found.values():
            return "Invalid request: unknown stream"
        for name, stream in found.items():
            session.streams[name] = None
            if stream is None or (is_served is not None and not is_served(name)):
                continue
            if name not in self.streams:
                self.streams[name] = stream
            self.hub.join(session, name)
        return None

    def on_text(
        self, session: Session, text: str, now_us: int, is_served: Callable[[str], bool] | None = None
    ) -> list[str]:
        """Answers one control message; raises HangupError above the inbound limit."""
        if session.count_within(now_us, 1_000_000) > self.per_second and self.setup.enforce_limits:
            raise HangupError(1008, "Too many requests")
        try:
            message = json.loads(text)
        except json.JSONDecodeError as error:
            return [_refusal(3, f"Invalid JSON: {error.msg} at line {error.lineno} column {error.colno}", None)]
        if not isinstance(message, dict):
            return [_refusal(2, "Invalid request: request must be an object", None)]
        return [self._control(session, cast("dict[str, Any]", message), is_served)]

    def list_frames(self, tick: Tick) -> list[Frame]:
        frames: list[Frame] = []
        for name in list(self.streams):
            sessions = self.hub.subscribers_of(name)
            if not sessions:
                del self.streams[name]
                continue
            stream = self.streams[name]
            for payload in stream.emit(tick):
                frames.extend(_frames(stream, name, payload, sessions))
        return frames

    def _control(self, session: Session, message: dict[str, Any], is_served: Callable[[str], bool] | None) -> str:
        method, params, ref = message.get("method"), message.get("params"), message.get("id")
        if ref is not None and not isinstance(ref, int) and not (isinstance(ref, str) and len(ref) <= LONGEST_ID):
            return _refusal(2, "Invalid request: request ID must be an unsigned integer or a short string", None)
        if method == "LIST_SUBSCRIPTIONS":
            return encode({"result": list(session.streams), "id": ref})
        if method in ("SET_PROPERTY", "GET_PROPERTY"):
            return _property(session, message)
        if method not in ("SUBSCRIBE", "UNSUBSCRIBE"):
            allowed = "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"
            return _refusal(2, f"Invalid request: unknown variant `{method}`, expected one of {allowed}", ref)
        rows = cast("list[Any]", params) if isinstance(params, list) else None
        if rows is None or not all(isinstance(name, str) for name in rows):
            return _refusal(2, "Invalid request: missing field `params`", ref)
        names = [str(name) for name in rows]
        if method == "UNSUBSCRIBE":
            for name in names:
                self.hub.leave(session, name)
        else:
            session.has_subscribed = True
            refusal = self.subscribe(session, names, is_served=is_served)
            if refusal:
                return _refusal(2, refusal, ref)
        return encode({"result": None, "id": ref})


def url_streams(path: str, query: dict[str, str], prefix: str = "") -> list[str]:
    """The streams that the URL itself names: `<prefix>/ws/<a>/<b>` or `<prefix>/stream?streams=<a>/<b>`."""
    rest = path.removeprefix(prefix)
    text = query.get("streams", "") if rest.startswith("/stream") else rest.removeprefix("/ws").strip("/")
    return [name for name in text.split("/") if name]


def kline_stream(
    listing: Listing, interval: str, period_ms: int, *, tail: str = "", decimals: int = 8
) -> Callable[[Tick], list[str]]:
    """Payloads of `<symbol>@kline_<interval>`: the open candle every period, the closed one when it ends."""
    length = interval_us(interval) or UNIT_US["m"]
    opened: list[int] = []

    def emit(tick: Tick) -> list[str]:
        start = tick.now_us - tick.now_us % length
        payloads: list[str] = []
        if opened and opened[0] < start:
            payloads.append(_kline(listing, interval, (opened[0], length, True), (tick, tail, decimals)))
        opened[:] = [start]
        if tick.due(period_ms) and listing.trade_count:
            payloads.append(_kline(listing, interval, (start, length, False), (tick, tail, decimals)))
        return payloads

    return emit


def _kline(listing: Listing, interval: str, when: tuple[int, int, bool], how: tuple[Tick, str, int]) -> str:
    start, length, closed = when
    tick, tail, decimals = how
    c = listing.candles.find(start, length)
    t = listing.instrument
    first = listing.next_trade_id - max(c.trades, 1) + 1
    return (
        f'{{"e":"kline","E":{tick.now_ms},"s":"{t.symbol}","k":{{"t":{start // 1000},'
        f'"T":{(start + length) // 1000 - 1},"s":"{t.symbol}","i":"{interval}",'
        f'"f":{first},"L":{listing.next_trade_id},"o":"{t.price_text(c.open)}",'
        f'"c":"{t.price_text(c.close)}","h":"{t.price_text(c.high)}","l":"{t.price_text(c.low)}",'
        f'"v":"{t.amount_text(c.volume)}","n":{c.trades},"x":{str(closed).lower()},'
        f'"q":"{quote(listing, c.quote, decimals)}","V":"{t.amount_text(c.buy_volume)}",'
        f'"Q":"{quote(listing, c.buy_quote, decimals)}","B":"0"}}{tail}}}'
    )


def crossed(frame: Frame, price: str) -> str:
    """Return the frame with a bid at this price."""
    message = json.loads(frame.text)
    body = message.get("data", message)
    body["b"].insert(0, [price, "1"])
    return encode(message)


def _frames(stream: Stream, name: str, payload: str, sessions: tuple[Session, ...]) -> list[Frame]:
    raw = tuple(s for s in sessions if not s.combined)
    combined = tuple(s for s in sessions if s.combined)
    frames: list[Frame] = []
    if raw:
        frames.append(Frame(raw, payload, stream.channel, stream.symbol, name, stream.is_delta))
    if combined:
        text = f'{{"stream":"{name}","data":{payload}}}'
        frames.append(Frame(combined, text, stream.channel, stream.symbol, name, stream.is_delta))
    return frames


def _property(session: Session, message: dict[str, Any]) -> str:
    ref, params = message.get("id"), message.get("params")
    rows = cast("list[Any]", params) if isinstance(params, list) else []
    if not rows or rows[0] != "combined":
        return _refusal(0, "Unknown property", ref)
    if message["method"] == "GET_PROPERTY":
        return encode({"result": session.combined, "id": ref})
    value = rows[-1]
    if not isinstance(value, bool):
        return _refusal(1, "Invalid value type: expected Boolean", ref)
    session.combined = value
    return encode({"result": None, "id": ref})


def _refusal(code: int, text: str, ref: object) -> str:
    return encode({"code": code, "msg": text, "id": ref})
