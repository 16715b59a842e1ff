"""KuCoin's classic sockets as spot and futures share them: tokens, welcome, client pings, topics, error bodies.

https://www.kucoin.com/docs-new/websocket-api/base-info/introduction
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from producers.simulator.families.kucoin.options import Options
from producers.simulator.hub import Answer, Frame, HangupError, Request, Session, Tick, encode, read_order
from producers.simulator.market.listing import Listing
from producers.simulator.topics import Board, Topic
from producers.simulator.venue import Setup, crossing_bid

Listings = dict[str, Listing]
TOKEN_US = 24 * 3600 * 10**6
KEPT_TOKENS = 1000
MESSAGES, WINDOW_US = 100, 10 * 10**6
MOST_TOPICS = 300
MOST_SYMBOLS = 100
PING_SHARE = 18 / 28  # the ping's period and its timeout add up to what a silent client may live
EXPIRED = "token is expired"


@dataclass(slots=True)
class Tokens:
    """The issued tokens and when they end (microseconds); the oldest are dropped."""

    ends: dict[str, int] = field(default_factory=dict[str, int])
    given: int = 0

    def issue(self, now_us: int) -> str:
        """A new token."""
        self.given += 1
        token = f"2neAiuYvAU61ZDXANAGAsiL4-{now_us:x}{self.given:08x}=="
        self.ends[token] = now_us + TOKEN_US
        if len(self.ends) > KEPT_TOKENS:
            del self.ends[next(iter(self.ends))]
        return token

    def is_good(self, token: str, now_us: int) -> bool:
        """Whether a session may be opened with it."""
        return self.ends.get(token, 0) > now_us

    def expire(self, token: str) -> None:
        """Ends it before its time."""
        self.ends.pop(token, None)


@dataclass(frozen=True, slots=True)
class Product:
    """One product: `open_topic(name, symbol, listings)` returns None where there is none.

    `answer` is its own REST, `cross(data, price)` adds a bid at a price to the data of a book's push.
    """

    open_topic: Callable[[str, str, Listings], Topic | None]
    answer: Callable[[Request, int], Answer]
    cross: Callable[[dict[str, Any], str], None]


class Classic:
    """One product's exchange. Its notice is the end of a token; its sequences never start again."""

    def __init__(self, setup: Setup[Options], listings: Listings, product: Product) -> None:
        self._setup, self._listings, self._product = setup, listings, product
        self._board = Board()
        self.tokens = Tokens()

    def accepts(self, path: str) -> bool:
        return path in ("/", "/endpoint")

    def on_open(self, session: Session, now_us: int) -> list[str]:
        """Return the welcome, with the client's own id; how the venue refuses a bad token is not documented."""
        if not self.tokens.is_good(session.query.get("token", ""), now_us):
            raise HangupError(1008, EXPIRED, (_error(None, 401, EXPIRED),))
        return [encode({"id": session.query.get("connectId", session.conn_id), "type": "welcome"})]

    def on_close(self, session: Session) -> None:
        self._board.hub.drop(session)

    def list_frames(self, tick: Tick) -> list[Frame]:
        return self._board.list_frames(tick)

    def mutate(self, frame: Frame, kind: str) -> str:
        message, listing = json.loads(frame.text), self._listings[frame.symbol]
        self._product.cross(message["data"], listing.instrument.price_text(crossing_bid(listing)))
        return encode(message)

    def refuse(self, strikes: int) -> Answer:
        """Return the answer to too many requests; the headers say when the window ends (ms)."""
        headers = (("gw-ratelimit-limit", "2000"), ("gw-ratelimit-remaining", "0"))
        text = encode({"code": "429000", "msg": "Too many requests in a short period of time, please retry later"})
        return Answer(429, text, (*headers, ("gw-ratelimit-reset", str(min(strikes, 10) * 1000))))

    def fail(self, now_us: int) -> Answer:
        return refusal(503, "503", "Service unavailable")

    def answer(self, request: Request, now_us: int) -> Answer:
        if request.path == "/api/v1/bullet-public":
            return self._bullet(request, now_us)
        return self._product.answer(request, now_us)

    def notice(self, session: Session, now_us: int) -> str:
        """Return what a session receives when its token ends."""
        self.tokens.expire(session.query.get("token", ""))
        return _error(None, 401, EXPIRED)

    def on_text(self, session: Session, text: str, now_us: int) -> list[str]:
        order = read_order(text)
        if order is None:
            return [_error(None, 400, "invalid json")]
        ref, kind = order.get("id"), order.get("type")
        if session.count_within(now_us, WINDOW_US) > MESSAGES and self._setup.enforce_limits:
            return [_error(ref, 509, "exceed max permits per second")]
        if kind == "ping":
            return [encode({"id": ref, "type": "pong", "timestamp": now_us})]
        if kind not in ("subscribe", "unsubscribe"):
            return [_error(ref, 415, "type is not supported")]
        refusal = self._carry_out(session, order, now_us)
        if refusal is not None:
            return [_error(ref, *refusal)]
        return [encode({"id": ref, "type": "ack"})] if order.get("response") else []

    def _bullet(self, request: Request, now_us: int) -> Answer:
        """A token for one connection; only POST is known."""
        if request.method != "POST":
            return refusal(404, "404", "Not Found")
        silent = self._setup.heartbeat.idle_inbound or 28.0
        server = {
            "endpoint": f"ws://{request.headers.get('host', '127.0.0.1')}/{self._setup.name}/",
            "encrypt": False,
            "protocol": "websocket",
            "pingInterval": round(silent * 1000 * PING_SHARE),
            "pingTimeout": round(silent * 1000 * (1 - PING_SHARE)),
        }
        return success({"token": self.tokens.issue(now_us), "instanceServers": [server]})

    def _carry_out(self, session: Session, order: dict[str, Any], now_us: int) -> tuple[int, str] | None:
        """Subscribes or unsubscribes all symbols of a topic; a refusal (code and text) leaves all as it was."""
        topic = str(order.get("topic", ""))
        name, _, rest = topic.partition(":")
        symbols = list(dict.fromkeys(rest.split(",")))
        if order["type"] == "unsubscribe":
            for symbol in symbols:
                self._board.hub.leave(session, f"{name}:{symbol}")
            return None
        if len(symbols) > MOST_SYMBOLS:
            return 400, f"topic {name} takes {MOST_SYMBOLS} symbols at most"
        if len(session.streams) + len(symbols) > MOST_TOPICS and self._setup.enforce_limits:
            return 509, f"exceed max subscription count limitation of {MOST_TOPICS} per session"
        found = {symbol: self._product.open_topic(name, symbol, self._listings) for symbol in symbols}
        unknown = [symbol for symbol, channel in found.items() if channel is None]
        if unknown and (len(unknown) == len(symbols) or self._setup.options.unknown_symbol_is_error):
            return 404, f"topic {name}:{unknown[0]} is not found"
        session.has_subscribed = True
        for symbol, channel in found.items():
            if channel is not None:
                self._board.join(session, f"{name}:{symbol}", channel)
        return None


def _error(ref: object, code: int, text: str) -> str:
    head = {} if ref is None else {"id": ref}
    return encode({**head, "type": "error", "code": code, "data": text})


def push(topic: str, subject: str, data: str) -> str:
    """One push around the JSON of its data."""
    return f'{{"topic":"{topic}","type":"message","subject":"{subject}","data":{data}}}'


# ---- REST
def success(data: object) -> Answer:
    """A successful answer."""
    return Answer(200, encode({"code": "200000", "data": data}))


def refusal(status: int, code: str, text: str) -> Answer:
    """An error in the venue's form."""
    return Answer(status, encode({"code": code, "msg": text}))


BARS = {
    "1min": 60, "3min": 180, "5min": 300, "15min": 900, "30min": 1800, "1hour": 3600, "2hour": 7200, "4hour": 14_400,
    "6hour": 21_600, "8hour": 28_800, "12hour": 43_200, "1day": 86_400, "1week": 604_800, "1month": 2_592_000,
}  # fmt: skip
