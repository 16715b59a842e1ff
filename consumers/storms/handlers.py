"""Storms on the bus: liquidations from their durable, storms onto the stream of signals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import structlog
from faststream.nats import NatsRouter

from consumers.storms.core import StormDetector, StormRules
from contracts import subjects
from contracts.arithmetic.usd import UsdRates
from contracts.market import Liquidation
from contracts.streams import DURABLES, DurableSpec
from runtime.app.detector import Detecting, Detection
from runtime.app.fold import Fault, fold_each
from runtime.app.service import Consumer, Service
from runtime.app.settling import durable
from runtime.nats.deadletter import DeadLetters
from runtime.nats.lanes.publisher import LaneReader
from runtime.nats.lanes.reader import Watchers, read_event

_log = structlog.get_logger("storms")
DOLLAR_TICKERS: Final = subjects.TICKER + "*.*.USD.spot"
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
    rates = UsdRates()
    detecting = Detecting(StormDetector(rules, rates), plan)
    router = NatsRouter()

    @router.subscriber(**durable(plan.durable))
    async def on_liquidation(liquidation: Liquidation) -> None:
        """Publishes the storm that a liquidation completes."""
        await detecting.fold(liquidation)

    async def run(service: Service) -> None:
        letters = DeadLetters(service.bus, service.name, stream=plan.dlq)
        prices = LaneReader(service.bus, Watchers(letters.keep, _on_gap))
        try:
            await prices.subscribe(DOLLAR_TICKERS, read_event, partial(_on_tickers, rates))
            await detecting.run(service, router, letters)
        finally:
            await prices.close()
            await letters.flush()

    return Consumer(run, router)


def _on_tickers(rates: UsdRates, batch: Sequence[tuple[str, Any]]) -> Sequence[Fault]:
    def on_ticker(_subject: str, ticker: Any) -> None:
        if ticker.last is not None:
            base, _, quote = ticker.symbol.partition("/")
            rates.on_price(base, quote, ticker.last, ticker.ts_recv)

    return fold_each(batch, on_ticker)


def _on_gap(messages: int) -> None:
    _log.info("storms.prices_missed", messages=messages)  # the next price of each pair makes up for it
