"""Storms on the bus: liquidations from their durable, storms onto the stream of signals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import structlog

from consumers.storms.core import StormDetector, StormRules
from contracts import subjects
from contracts.streams import DURABLES, DurableSpec
from contracts.usd import UsdRates
from runtime.app.detector import Detection, detect
from runtime.app.fold import Fault, fold_each
from runtime.app.service import Service
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


async def run(service: Service, rules: StormRules, plan: Detection | None = None) -> None:
    """Detect until the service is stopped; quotes other than dollars are valued by the bus's own spot prices."""
    rates = UsdRates()
    plan = plan or plan_for(rules)

    def on_ticker(_subject: str, ticker: Any) -> None:
        if ticker.last is not None:
            base, _, quote = ticker.symbol.partition("/")
            rates.on_price(base, quote, ticker.last, ticker.ts_recv)

    def on_tickers(batch: Sequence[tuple[str, Any]]) -> Sequence[Fault]:
        return fold_each(batch, on_ticker)

    def on_gap(messages: int) -> None:
        _log.info("storms.prices_missed", messages=messages)  # the next price of each pair makes up for it

    letters = DeadLetters(service.bus, service.name, stream=plan.dlq)
    prices = LaneReader(service.bus, Watchers(letters.keep, on_gap))
    try:
        await prices.subscribe(DOLLAR_TICKERS, read_event, on_tickers)
        await detect(service, StormDetector(rules, rates), plan, letters)
    finally:
        await prices.close()
        await letters.flush()
