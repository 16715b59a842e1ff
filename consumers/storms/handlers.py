"""Storms on the bus: liquidations from their durable, storms onto the stream of signals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import structlog
from faststream.nats import NatsRouter

from consumers.storms.core import StormDetector, StormRules
from consumers.storms.explained import storm_rule
from contracts import streams, subjects
from contracts.arithmetic.usd import CELL, HOUR_NS, DatedRates
from contracts.market import Liquidation
from contracts.streams import DURABLES, DurableSpec
from runtime import clock
from runtime.app.detector import Detecting, Detection
from runtime.app.explaining.commands import add_explaining
from runtime.app.explaining.pricing import DOLLAR_TICKERS, PriceTaker
from runtime.app.fold import Fault, fold_each
from runtime.app.service import Consumer, Service
from runtime.app.settling import durable
from runtime.nats.deadletter import DeadLetters
from runtime.nats.lanes.publisher import LaneReader
from runtime.nats.lanes.reader import Batch, Watchers, read_event
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import Start

_log = structlog.get_logger("storms")
_PRICES_BEFORE = 12 * CELL  # before the first liquidation that is folded
_MOST_PRICES = 1_000_000
DURABLE: DurableSpec = next(spec for spec in DURABLES if spec.name == "storms")


def plan_for(rules: StormRules) -> Detection:
    """Give the declared plan."""
    cooldown = max(rules.cooldown.values(), default=0)
    return Detection(durable=DURABLE, signals=subjects.ALL_STORMS, cooldown=cooldown, decode=read_event)


def make_consumer(rules: StormRules, plan: Detection | None = None) -> Consumer:
    """Return the consumer of liquidations that detects until it is stopped.

    Quotes other than dollars are valued by the bus's own spot prices.
    """
    plan = plan or plan_for(rules)
    prices = PriceTaker(DatedRates())
    detecting = Detecting(StormDetector(rules, prices.rates), plan)
    services: list[Service] = []
    router = NatsRouter()
    add_explaining(router, "storms", (storm_rule(rules, plan.durable.stream),), lambda: services[-1].bus)

    @router.subscriber(**durable(plan.durable))
    async def on_liquidation(liquidation: Liquidation) -> None:
        """Publishes the storm that a liquidation completes."""
        await detecting.fold(liquidation)

    async def run(service: Service) -> None:
        services.append(service)
        letters = DeadLetters(service.bus, service.name, stream=plan.dlq)
        service.keeps(lambda: {"rates": prices.rates.size()})
        following = _Prices(service, prices, letters)
        try:
            await detecting.run(service, router, letters, following.open)
        finally:
            await following.close()
            await letters.flush()

    return Consumer(run, router)


class _Prices:
    """The dollar tickers of the stream of the market, from before the first liquidation that is folded."""

    def __init__(self, service: Service, prices: PriceTaker, letters: DeadLetters) -> None:
        self._bus, self._prices, self._letters = service.bus, prices, letters
        self._reader = LaneReader(service.bus, Watchers(letters.keep, _on_gap))

    async def open(self, since: int) -> None:
        """Read the prices of `since` (ns UTC) and later, of the last hour at most, then go on as they come."""
        start = Start(time_ns=max(since - _PRICES_BEFORE, clock.now_ns() - HOUR_NS))
        rows = await read_past(self._bus, streams.MARKET, (DOLLAR_TICKERS,), start, limit=_MOST_PRICES)
        batch = Batch(rows, read_event, self._letters.keep)
        batch.refuse(_fold(self._prices, batch.events))
        if rows:
            start = Start(sequence=rows[-1].position.stream_seq + 1)
        take = partial(_on_tickers, self._prices)
        await self._reader.stream(streams.MARKET, (DOLLAR_TICKERS,), read_event, take, start=start)

    async def close(self) -> None:
        """Stop reading."""
        await self._reader.close()


def _on_tickers(prices: PriceTaker, batch: Sequence[tuple[str, Any]], _sequence: int) -> Sequence[Fault]:
    return _fold(prices, batch)


def _fold(prices: PriceTaker, batch: Sequence[tuple[str, Any]]) -> Sequence[Fault]:
    def take(subject: str, ticker: Any) -> None:
        prices.take(subject, ticker)

    return fold_each(batch, take)


def _on_gap(messages: int) -> None:
    _log.info("storms.prices_missed", messages=messages)  # the next price of each pair makes up for it
