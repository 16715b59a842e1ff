"""Events of the bus as webhooks send them: what they are matched by, and their `data` as the bytes of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

import msgspec

from contracts.arithmetic.exact import FigureError, as_dollars, in_dollars, value_of
from contracts.arithmetic.usd import UsdRates
from contracts.instrument import split_symbol
from contracts.numbers import time_of
from contracts.schema.literals import decimal_number, iso, number
from contracts.services.market import past_url
from contracts.services.trading.events import OrderChanged
from contracts.services.webhooks.events import SentType


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One event that endpoints may want; `data` is a JSON object. `ts_ns` is when it happened, ns UTC.

    `owner` names who alone may have it; None for everybody. `exchanges` are those that it is about.
    """

    event_type: SentType
    source_id: str
    ts_ns: int
    sim: bool
    data: bytes
    symbol: str | None = None  # unified; None where it spans instruments
    base: str | None = None
    exchanges: tuple[str, ...] = ()
    usd_value: Decimal | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """What facts are made with beside their events: rates for quotes other than dollars, and our own address."""

    rates: UsdRates = field(default_factory=UsdRates)
    public_url: str = ""


NO_SOURCES: Final = Sources()
_SECOND_NS: Final = 1_000_000_000
encode: Final = msgspec.json.Encoder().encode


def fact_of(event: Any, sources: Sources = NO_SOURCES) -> Fact | None:
    """Return what webhooks make of an event (a struct of `contracts.codec.fast`); None for kinds that they do not send.

    A liquidation's quote other than dollars is valued by `sources.rates` where they have a price of it.
    """
    make = _MAKERS.get(event.kind)
    return None if make is None else make(event, sources)


def _whale(event: Any, _sources: Sources) -> Fact:
    data = {
        "transaction_id": event.id,
        "amount": number(event.amount),
        "price": number(event.price),
        "usd_value": number(event.usd_value),
        "side": event.side,
        "exchange": event.venue,
        "instrument": event.symbol,
        "tier": event.tier,
        "late": bool(event.late),
    }
    return _single(event, "whale", data, Decimal(event.usd_value))


def _liquidation(event: Any, sources: Sources) -> Fact:
    usd = _usd_value(event, sources.rates)
    data = {
        "liquidation_id": event.id,
        "amount": number(event.amount),
        "price": number(event.price),
        "usd_value": number(usd),
        "position_side": event.position_side,
        "order_side": event.order_side,
        "exchange": event.venue,
        "instrument": event.symbol,
        "sampled": event.sampled,
    }
    return _single(event, "liquidation", data, None if usd is None else Decimal(usd))


def _price_alert(event: Any, sources: Sources) -> Fact | None:
    if event.alert != "price_alert" or not event.webhooks or event.owner is None or event.rule_id is None:
        return None
    fired = iso(event.fired_at)
    data = {
        "alert_id": event.rule_id,
        "condition": event.condition,
        "threshold": number(event.threshold),
        "price": number(event.price),
        "previous_price": number(event.previous_price),
        "exchange": event.venue,
        "fired_at": fired,
        "why_url": f"{sources.public_url}/api/alerts/{quote(event.rule_id, safe='')}/why?at={fired}",
        "past_url": past_url(sources.public_url, _base(event.symbol), event.fired_at),
    }
    return Fact(
        event_type="price_alert",
        source_id=event.id,
        ts_ns=event.fired_at,
        sim=event.sim,
        data=encode(data),
        symbol=event.symbol,
        base=_base(event.symbol),
        exchanges=(event.venue,),
        owner=event.owner,
    )


def order_fact(event: OrderChanged, _sources: Sources = NO_SOURCES) -> Fact:
    """Return what webhooks make of an order that changed; `symbol` is the venue's own where no instrument has it."""
    data = {
        "order_id": event.order_id,
        "client_id": event.client_id,
        "account": event.account,
        "instrument": event.symbol,
        "side": event.side,
        "type": event.type,
        "status": event.status,
        "amount": decimal_number(event.amount),
        "filled": decimal_number(event.filled),
        "price": decimal_number(event.price),
        "average_price": decimal_number(event.average_price),
        "fee": None,  # of its executions, in the account's ledger
    }
    try:
        base = _base(event.symbol)
    except ValueError:  # as a venue writes it where nothing of it is known
        base = None
    return Fact(
        event_type="order",
        source_id=event.id,
        ts_ns=event.ts,
        sim=event.venue == "paper",
        data=encode(data),
        symbol=event.symbol,
        base=base,
        exchanges=(event.venue,),
        owner=event.owner,
    )


def _storm(event: Any, _sources: Sources) -> Fact:
    data = {
        "usd_value": number(event.usd_value),
        "events": event.count,
        "long_usd": number(event.long_usd),
        "short_usd": number(event.short_usd),
        "window_seconds": _seconds(event.window_ns),
        "exchanges": event.venues,
    }
    return _spanning(event, "storm", data)


def _cluster(event: Any, _sources: Sources) -> Fact:
    data = {
        "side": event.side,
        "usd_value": number(event.usd_value),
        "trades": event.count,
        "window_seconds": _seconds(event.window_ns),
        "exchanges": event.venues,
    }
    return _spanning(event, "cluster", data)


def _feed_status(event: Any, _sources: Sources) -> Fact | None:
    if event.audited or event.filled is not None or event.missing is not None:  # its state has not changed
        return None
    data = {
        "exchange": event.venue,
        "channel": event.channel,
        "state": event.state,
        "reason": event.reason,
        "connection": event.connection,
    }
    return _single(event, "feed_status", data, None)


def _single(event: Any, event_type: SentType, data: dict[str, Any], usd: Decimal | None) -> Fact:
    return Fact(
        event_type=event_type,
        source_id=event.id,
        ts_ns=time_of(event.ts_event, event.ts_recv),
        sim=event.sim,
        data=encode(data),
        symbol=event.symbol,
        base=None if event.symbol is None else _base(event.symbol),
        exchanges=(event.venue,),
        usd_value=usd,
    )


def _spanning(event: Any, event_type: SentType, data: dict[str, Any]) -> Fact:
    return Fact(
        event_type=event_type,
        source_id=event.id,
        ts_ns=time_of(event.ts_event, event.ts_recv),
        sim=event.sim,
        data=encode(data),
        base=event.base,
        exchanges=tuple(event.venues),
        usd_value=Decimal(event.usd_value),
    )


def _seconds(span_ns: int) -> Any:
    """Return a span of ns as a number of seconds, whole where it is."""
    whole, rest = divmod(span_ns, _SECOND_NS)
    return whole if rest == 0 else decimal_number(Decimal(span_ns).scaleb(-9).normalize())


def _base(symbol: str) -> str:
    return split_symbol(symbol)[0]


def _usd_value(event: Any, rates: UsdRates) -> str | None:
    """Return what a liquidation is worth, to the cent; None where that cannot be said."""
    if event.amount is None:
        return None
    quote_coin = split_symbol(event.symbol)[1]
    rate = rates.find(quote_coin, time_of(event.ts_event, event.ts_recv))
    if rate is None:
        return None
    try:
        value = value_of(Decimal(event.price), Decimal(event.amount))
        return as_dollars(in_dollars(value, rate.rate))
    except FigureError:
        return None


_MAKERS: Final[Mapping[str, Callable[[Any, Sources], Fact | None]]] = {
    "whale": _whale,
    "liquidation": _liquidation,
    "alert": _price_alert,
    "storm": _storm,
    "cluster": _cluster,
    "feed": _feed_status,
}
