"""KuCoin's classic sockets, spot and futures: the token before each, and the topics that each carries.

Pages: https://www.kucoin.com/docs-new/websocket-api/base-info/introduction (handshake, ping, limits),
https://www.kucoin.com/docs-new/rate-limit
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec import Struct, field

from contracts.errors import FrameError, InvalidParameterError
from contracts.instrument import Instrument
from producers.venue import ConnectionPlan, ConnectionPolicy, RestCall, SubscribeRequest, Subscription, Ticket

# A token is good for 24 hours and its session ends with it; a session that renews in time gets 100 messages in 10 s
# through, and 300 topics a connection, each symbol counted (newer accounts may have more: the page does not say).
# The ping's period is the token's own; the answer to it is a frame, so that a live socket is never silent for longer.
POLICY: Final = ConnectionPolicy(
    ping='{"id":"ping","type":"ping"}', ping_every=18.0, quiet=28.0, max_age=23.5 * 3600, pace=0.12
)
WELCOME: Final = "welcome"
MAX_TOPICS: Final = 300
MAX_SYMBOLS: Final = 100  # in one topic
MAX_CONNECTIONS: Final = 500  # of one user; today's figure is not confirmed
_BULLET: Final = RestCall("/api/v1/bullet-public", weight=10, method="POST")


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


Topics = Mapping[str, tuple[tuple[str, float | None], ...]]  # our channel -> topics and their seconds of silence


def plan(
    market: str, url: str, subscriptions: Sequence[Subscription], alone: frozenset[str]
) -> tuple[ConnectionPlan, ...]:
    """Return sockets of 300 subscriptions (key `topic:symbol`); topics in `alone` take one symbol a request.

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
    """Return each instrument's subscriptions in the wanted channels."""
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
