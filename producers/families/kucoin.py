"""What KuCoin's classic spot and futures sockets have in common: token, answers, topics, decoding, REST envelope.

Pages: https://www.kucoin.com/docs-new/websocket-api/base-info/introduction (handshake, ping, limits),
https://www.kucoin.com/docs-new/rate-limit, https://www.kucoin.com/docs-new/error-code
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

from contracts.errors import FrameError, InvalidParameterError
from contracts.instrument import Instrument
from producers.normalize import numbers
from producers.venue import (
    Ack,
    Closing,
    ConnectionPlan,
    ConnectionPolicy,
    Decoded,
    FindInstrument,
    Pong,
    Refused,
    RestBudget,
    RestCall,
    RestFailure,
    SubscribeRequest,
    Subscription,
    Ticket,
)

Handler = Callable[[bytes, int], tuple[Decoded, ...]]
MakeHandler = Callable[[Instrument, str, bool], Handler]  # (instrument, what follows its symbol in the topic, sim)

# A token is good for 24 hours and its session ends with it; a session that asks in time gets 100 messages in 10 s
# through, and 300 topics a connection, each symbol counted (newer accounts may have more: the page does not say).
# The ping's period is the token's own; the answer to it is a frame, so that a live socket is never silent for longer.
POLICY: Final = ConnectionPolicy(
    ping='{"id":"ping","type":"ping"}', ping_every=18.0, quiet=28.0, max_age=23.5 * 3600, pace=0.12
)
BUDGET: Final = RestBudget(weight=2000, seconds=30.0)  # of an address; the pages give more to known accounts only
WELCOME: Final = "welcome"
MAX_TOPICS: Final = 300
MAX_SYMBOLS: Final = 100  # in one topic
MAX_CONNECTIONS: Final = 500  # of one user; today's figure is not confirmed
MS: Final = 1_000_000  # nanoseconds
RENAMED: Final[Mapping[str, str]] = {"XBT": "BTC", "BCHSV": "BSV"}  # the venue's codes of coins with other names

_TOPIC: Final = b'"topic":"'
_TOPIC_AT: Final = len(_TOPIC)
_EXPIRED: Final = "token is expired"
_IGNORED: Final = frozenset({"notice", "command"})  # which the vendor's own Go client knows and lets pass
_DISCONNECT: Final = "disconnect"  # on no page, but met: the server is about to close
_BULLET: Final = RestCall("/api/v1/bullet-public", weight=10, method="POST")
_OK: Final = 200
_TOO_MANY: Final = 429
_SUCCESS: Final = "200000"
_LIMITED: Final = "429000"
_WINDOW_SECONDS: Final = 30.0
_MOST_PAUSE: Final = 600.0


# ---- numbers
def text(raw: Raw) -> str | None:
    """Return a JSON number, or a text of one, as it stands; absent, null and empty are None."""
    found = str(raw, "ascii", "replace").strip('"')
    return None if found in {"", "null"} else found


def price(raw: Raw, field: str) -> str | None:
    """Return a price; absent and zero are None."""
    return numbers.optional_price_text(text(raw), field)


def amount(raw: Raw, field: str) -> str | None:
    """Return an unsigned number; absent is None."""
    found = text(raw)
    return None if found is None else numbers.unsigned(found, field)


def signed(raw: Raw, field: str) -> str | None:
    """Return a number of either sign; absent is None."""
    found = text(raw)
    return None if found is None else numbers.plain(found, field)


def percent(raw: Raw, field: str) -> str | None:
    """Return a fraction of either sign in percent, exactly; absent is None."""
    found = signed(raw, field)
    return None if found is None else numbers.percent(found)


def coin(code: str) -> str:
    """Give the usual name of a coin."""
    return RENAMED.get(code, code)


# ---- the handshake
class _Server(Struct):
    endpoint: str
    ping_interval: int = field(name="pingInterval")  # ms, as the timeout
    ping_timeout: int = field(name="pingTimeout")


class _Bullet(Struct):
    token: str
    servers: list[_Server] = field(name="instanceServers")


class _BulletAnswer(Struct):
    """`{"code":"200000","data":{"token":"2neAi","instanceServers":[{"endpoint":"wss://…","pingInterval":18000,…}]}}`."""

    data: _Bullet


_read_bullet: Final = msgspec.json.Decoder(_BulletAnswer).decode


def ticket(ws_url: str) -> Ticket:
    """Fetch a token before each connection; the answer also names the address, unless another than `ws_url` was set."""

    def admit(plan: ConnectionPlan, policy: ConnectionPolicy, body: bytes) -> tuple[str, ConnectionPolicy]:
        bullet = _read_bullet(body).data
        if not bullet.servers:
            raise FrameError("the token comes with no server", field="data.instanceServers")
        server = bullet.servers[0]
        endpoint = server.endpoint if plan.url == ws_url else plan.url
        url = f"{endpoint}?token={quote(bullet.token, safe='=')}&connectId={quote(plan.name)}"
        every, timeout = server.ping_interval / 1000, server.ping_timeout / 1000
        return url, replace(policy, ping_every=every, quiet=every + timeout)

    return Ticket(lambda _plan: _BULLET, admit)


# ---- topics
Topics = Mapping[str, tuple[tuple[str, float | None], ...]]  # our channel -> topics and their seconds of silence


def plan(
    market: str, url: str, subscriptions: Sequence[Subscription], alone: frozenset[str]
) -> tuple[ConnectionPlan, ...]:
    """Lay subscriptions (key `topic:symbol`) on sockets of 300; topics in `alone` take one symbol a request.

    Raises InvalidParameterError (`symbols`) where they need more connections than the venue lets a user hold.
    """
    if len(subscriptions) > MAX_TOPICS * MAX_CONNECTIONS:
        raise InvalidParameterError(
            f"{len(subscriptions)} topics of KuCoin need more than {MAX_CONNECTIONS} connections of {MAX_TOPICS}",
            parameter="symbols",
        )
    parts = (subscriptions[start : start + MAX_TOPICS] for start in range(0, len(subscriptions), MAX_TOPICS))
    return tuple(
        ConnectionPlan(f"{market}.{number}", market, url, tuple(part), _requests(part, alone))
        for number, part in enumerate(parts)
    )


def subscriptions(topics: Topics, instruments: Iterable[Instrument], channels: Iterable[str]) -> list[Subscription]:
    """Give each instrument's subscriptions in the wanted channels."""
    wanted = tuple(channels)
    return [
        Subscription(f"{topic}:{item.venue_symbol}", channel, item, silence)
        for item in instruments
        for channel in wanted
        for topic, silence in topics.get(channel, ())
    ]


def _requests(part: Sequence[Subscription], alone: frozenset[str]) -> tuple[SubscribeRequest, ...]:
    """Write the requests; the first sends nothing, it waits for the welcome."""
    by_topic: dict[str, list[str]] = {}
    for item in part:
        topic, _, symbol = item.key.partition(":")
        by_topic.setdefault(topic, []).append(symbol)
    batches = (batch for topic, symbols in by_topic.items() for batch in _batches(topic, symbols, topic in alone))
    return (
        SubscribeRequest(WELCOME, "", frozenset(), gate=True),
        *(_request(str(number), topic, symbols) for number, (topic, symbols) in enumerate(batches, start=1)),
    )


def _batches(topic: str, symbols: list[str], alone: bool) -> Iterator[tuple[str, list[str]]]:  # noqa: FBT001
    size = 1 if alone else MAX_SYMBOLS
    for start in range(0, len(symbols), size):
        yield topic, symbols[start : start + size]


def _request(ref: str, topic: str, symbols: list[str]) -> SubscribeRequest:
    frame = {
        "id": ref,
        "type": "subscribe",
        "topic": f"{topic}:{','.join(symbols)}",
        "privateChannel": False,
        "response": True,
    }
    return SubscribeRequest(ref, msgspec.json.encode(frame).decode(), frozenset(f"{topic}:{name}" for name in symbols))


# ---- frames
class Head(Struct, gc=False):
    """What tells frames apart: `{"id":"1","type":"ack"}`, or `{"type":"message","topic":…,"subject":…,"data":{…}}`.

    Control messages may be of types that are on no page: `{"type":"notice","topic":null}`, `{"type":"disconnect"}`.
    """

    type: str = ""
    topic: str | None = None
    subject: str | None = None
    id: str | int | None = None
    code: int | str | None = None
    reason: str | None = None
    data: Raw | UnsetType = UNSET


_read_head: Final = msgspec.json.Decoder(Head).decode


class TopicDecoder:
    """Decodes one connection's frames: answers here, pushes by the handler of their topic.

    `routes` makes a handler for a topic; `symbol_of(head, name)` tells whose a push is, where that differs from the
    topic's own name (`/market/ticker:all`); topics that begin with one of `skipped` are known and not carried.
    """

    def __init__(
        self,
        find: FindInstrument,
        routes: Mapping[str, MakeHandler],
        skipped: tuple[str, ...],
        symbol_of: Callable[[Head, str], str],
        *,
        sim: bool,
    ) -> None:
        self._find = find
        self._routes = routes
        self._skipped = skipped
        self._symbol_of = symbol_of
        self._sim = sim
        self._by_topic: dict[bytes, Handler] = {}
        self._handlers: dict[tuple[str, str], Handler] = {}

    def decode(self, frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        """Decode one frame; raises FrameError or msgspec.DecodeError that names the topic or field at fault."""
        at = frame.find(_TOPIC) + _TOPIC_AT
        handle = self._by_topic.get(frame[at : frame.find(b'"', at)])
        return self._decode_first(frame, ts_recv) if handle is None else handle(frame, ts_recv)

    def _decode_first(self, frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        """Decode an answer, or a push of a topic that was not met before or is about many symbols."""
        head = _read_head(frame)
        if head.topic is None or head.type in _IGNORED:
            return _decode_answer(head)
        channel, _, name = head.topic.partition(":")
        make = self._routes.get(channel)
        if make is None:
            if channel.startswith(self._skipped):
                return ()
            raise FrameError(f"unknown topic {head.topic!r}", channel=channel)
        symbol = self._symbol_of(head, name)
        handle = self._handlers.get((channel, symbol))
        if handle is None:
            venue_symbol, _, interval = symbol.partition("_")
            handle = make(self._find(venue_symbol), interval, self._sim)
            self._handlers[channel, symbol] = handle
        events = handle(frame, ts_recv)
        if symbol == name:
            self._by_topic[head.topic.encode()] = handle
        return events


def _decode_answer(head: Head) -> tuple[Decoded, ...]:
    ref = None if head.id is None else str(head.id)
    if head.type == "ack":
        if ref is None:
            raise FrameError("an ack names no request: field `id` is missing", field="id")
        return (Ack(ref),)
    if head.type == "pong":
        return (Pong(),)
    if head.type == WELCOME:
        return (Ack(WELCOME),)
    if head.type == _DISCONNECT:
        return (Closing(head.reason or "the venue closes the connection", 0.0),)
    if head.type != "error":
        return _pass_over(head)
    said = "" if head.data is UNSET else bytes(head.data).decode().strip('"')
    if _EXPIRED in said:
        return (Closing(said, 0.0),)
    return (Refused(ref, f"{head.code}: {said}"),)


def _pass_over(head: Head) -> tuple[Decoded, ...]:
    """Return nothing for a control message; raises FrameError for what carries data and says not of what."""
    if head.type in _IGNORED or (head.type and head.data is UNSET):
        return ()
    raise FrameError(f"unknown type {head.type!r} without topic", field="type")


# ---- REST
class _Envelope(Struct):
    """`{"code":"400100","msg":"symbol is required"}`; `200000` is success, whatever HTTP says."""

    code: str
    msg: str = ""


_read_envelope: Final = msgspec.json.Decoder(_Envelope).decode


def failure(status: int, headers: Mapping[str, str], body: bytes) -> RestFailure | None:
    """Judge an answer; one that came too fast pauses until the venue's window is over (`gw-ratelimit-reset`, ms)."""
    try:
        envelope = _read_envelope(body)
    except msgspec.DecodeError as error:
        envelope = _Envelope(str(status), f"HTTP {status}, and no answer of the venue: {error}")
    if status == _OK and envelope.code == _SUCCESS:
        return None
    pause: float | None = None
    if status in {_TOO_MANY, 403} or envelope.code == _LIMITED:
        after, reset = headers.get("retry-after", ""), headers.get("gw-ratelimit-reset", "")
        pause = float(after) if after.isdecimal() else float(reset) / 1000 if reset.isdecimal() else _WINDOW_SECONDS
        pause = min(pause, _MOST_PAUSE)
    return RestFailure(envelope.msg or f"HTTP {status}", envelope.code, pause)
