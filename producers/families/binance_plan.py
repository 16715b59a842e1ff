"""Binance's combined sockets, spot and USD-M: which streams each carries and the requests that subscribe to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from producers.venue import ConnectionPlan, SubscribeRequest, Subscription

_PARAMS_PER_REQUEST: Final = 100
_Item = TypeVar("_Item")


def connections(
    name: str, market: str, url: str, subscriptions: Sequence[Subscription], *, most: int
) -> tuple[ConnectionPlan, ...]:
    """Return the sockets `<name>.<number>` of at most `most` streams each, subscribed by frames."""
    return tuple(
        ConnectionPlan(
            name=f"{name}.{number}",
            market=market,
            url=url,
            subscriptions=tuple(part),
            requests=_requests([subscription.key for subscription in part]),
        )
        for number, part in enumerate(_parts(subscriptions, most))
    )


def _requests(keys: Sequence[str]) -> tuple[SubscribeRequest, ...]:
    """Write `{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}`; the ack names the id."""
    return tuple(
        SubscribeRequest(
            ref=str(number),
            frame=msgspec.json.encode({"method": "SUBSCRIBE", "params": part, "id": number}).decode(),
            keys=frozenset(part),
        )
        for number, part in enumerate(_parts(keys, _PARAMS_PER_REQUEST), start=1)
    )


def _parts(items: Sequence[_Item], size: int) -> list[Sequence[_Item]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
