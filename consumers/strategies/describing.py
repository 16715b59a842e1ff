"""Strategies and their decisions in the words of their contract. Pure."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Final

from consumers.strategies.kept import Kept
from contracts.arithmetic.moments import as_datetime
from contracts.market import BookSnapshot, Candle, Ticker, Trade
from contracts.services.trading.events import OrderChanged, OrderFilled
from contracts.services.trading.strategies import SeenEvent, StrategyInfo
from contracts.services.trading.strategy_events import StrategyChanged, StrategyRefused, StrategySignalled, WantedOrder
from runtime.strategies.protocol import Event, MarketEvent, kind_of
from runtime.strategies.running import Running

_MOST: Final = 500  # characters of a signal, or of a reason, that are said


def describe(kept: Kept, running: Running) -> StrategyInfo:
    """Return a strategy as its owner sees it."""
    return StrategyInfo(
        id=kept.id,
        account=kept.account,
        kind=kept.kind,
        symbol=kept.symbol,
        params=kept.params,
        accept_fallback=kept.accept_fallback,
        status=running.control.status,
        reason=running.control.reason,
        profit=running.profit(kept.symbol),
        open_orders=sum(order.status == "open" for order in running.state.orders.live),
        created_at=as_datetime(kept.created_ns),
    )


def changed(kept: Kept, running: Running, ts_ns: int) -> StrategyChanged:
    """Return the event of how a strategy stands."""
    control = running.control
    return StrategyChanged(
        id=f"{kept.id}.changed.{control.version}",
        ts=ts_ns,
        strategy=kept.id,
        owner=kept.owner,
        account=kept.account,
        symbol=kept.symbol,
        kind=kept.kind,
        number=control.version,
        status=control.status,
        reason=None if control.reason is None else control.reason[:_MOST],
        by=control.by,
    )


def say_wanted(wanted: WantedOrder) -> str:
    """Return what is wanted in words."""
    if wanted.what == "cancel":
        return f"cancel {wanted.client_id}"
    at = "at once" if wanted.price is None else f"at {wanted.price:f}"
    return f"{wanted.side} {wanted.amount or 0:f} {at} ({wanted.client_id})"


def describe_event(event: Event) -> SeenEvent:
    """Return an event that a strategy saw, with its figures in short."""
    return SeenEvent(id=event.id, kind=kind_of(event), says=_say(event), event=json.loads(event.model_dump_json()))


def _say(event: Event) -> str:
    if isinstance(event, MarketEvent):
        return _say_market(event)
    match event:
        case OrderChanged():
            return f"{event.client_id} is {event.status}, {event.filled:f} of {event.amount:f} executed"
        case OrderFilled():
            return f"{event.client_id}: {event.side} {event.amount:f} at {event.price:f}"
        case StrategyRefused():
            return f"{event.client_id} was refused: {event.reason}"
        case StrategySignalled():
            return event.body[:_MOST]
        case _:
            return "time has passed"


def _say_market(event: MarketEvent) -> str:
    match event:
        case Ticker():
            return f"bid {_plain(event.bid)}, ask {_plain(event.ask)}, last {_plain(event.last)}"
        case Trade():
            return f"{event.side or 'trade'} {_plain(event.amount)} at {_plain(event.price)}"
        case BookSnapshot():
            return f"book, {event.quality}"
        case Candle():
            return f"{event.timeframe} close {_plain(event.close)}"


def _plain(value: Decimal | None) -> str:
    return "?" if value is None else f"{value:f}"
