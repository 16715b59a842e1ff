"""Answers `cmd.v1.alerts.why|why_not|dry_run|fired`: whose rule it is, who explains it, and what was done with it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Final

from consumers.alerts.changes import AlertChanges, Symbols, reachable
from consumers.alerts.everybody import alert_subject
from consumers.alerts.explaining.asking import Asking, NoServiceError
from consumers.alerts.explaining.everybody import EverybodyExplainer
from consumers.alerts.explaining.prices import PriceExplainer
from consumers.alerts.explaining.resting import find_rests
from consumers.alerts.rules import moment
from consumers.alerts.store import AlertStore, Fired
from contracts.alerts import ALERT_KINDS, PRICE_ALERT, Alert
from contracts.errors import HydrophoneError, InvalidParameterError, NotFoundError
from contracts.services.alerts import (
    AlertDryRun,
    AlertDryRunQuery,
    AlertWhyNotQuery,
    AlertWhyQuery,
    FiredAlert,
    FiredPage,
    FiredQuery,
)
from contracts.services.explaining import Deliveries, Delivery, Explanation, FindDeliveries, WhyNotQuery
from contracts.services.responses import pages_of
from runtime.nats.bus import Bus

RULE_ID: Final = re.compile(r"[0-9a-f]{16}")
_SIGNAL_KIND: Final = 4  # which token of a signal's id, behind the four of its tail
_SERVICES: Final = {"telegram": "telegram", "webhooks": "webhook"}


class Answers:
    """Everything that is answered without a change."""

    def __init__(
        self, bus: Bus, store: AlertStore, changes: AlertChanges, explainers: tuple[PriceExplainer, EverybodyExplainer]
    ) -> None:
        self._store, self._changes = store, changes
        self._prices, self._everybody = explainers
        self._symbols, self._ask = Symbols(bus), Asking(bus)

    async def why(self, query: AlertWhyQuery) -> Explanation:
        """Return why an alert came, and what was done with it; NotFoundError where there is none for who asks."""
        async with reachable():
            fired = await self._find(query)
            if fired is None:
                return await self._why_signal(query)
            if fired.alert.owner is not None:
                found = await self._prices.why(fired)
            else:
                found = await self._everybody.why(fired)
            deliveries, missing = await self._deliveries(fired, query.owner)
            return found.model_copy(update={"deliveries": deliveries, "missing": [*found.missing, *missing]})

    async def why_not(self, query: AlertWhyNotQuery) -> Explanation:
        """Return what a rule decided at a moment."""
        async with reachable():
            if RULE_ID.fullmatch(query.rule):
                return await self._prices.why_not(query)
            kind = _checked_kind(query.rule)
            if query.symbol is None:
                raise InvalidParameterError(f"A symbol is needed for {kind}", parameter="symbol")
            resolved = await self._symbols.resolve(query.symbol, query.exchange)
            asked = WhyNotQuery(rule=kind, symbol=resolved.symbol, venue=resolved.exchange, at=query.at)
            return await self._everybody.why_not(asked)

    async def dry_run(self, query: AlertDryRunQuery) -> AlertDryRun:
        """Return how often a price alert, or a detector's rule, would have fired, and what that rests on."""
        found, rests = await asyncio.gather(self._dry_run(query), find_rests(self._ask, query))
        return found.model_copy(update={"coverage": rests})

    async def _dry_run(self, query: AlertDryRunQuery) -> AlertDryRun:
        if (query.price is None) == (query.rule is None):
            raise InvalidParameterError("Either a price alert or a rule is needed", parameter="rule")
        async with reachable():
            if query.price is not None:
                resolved = await self._symbols.resolve(query.price.symbol, query.price.exchange)
                return await self._prices.dry_run(query, resolved)
            _checked_kind(query.rule or "")
            symbol, exchange = None, query.exchange
            if query.symbol is not None:
                resolved = await self._symbols.resolve(query.symbol, query.exchange)
                symbol, exchange = resolved.symbol, resolved.exchange
            try:
                return await self._everybody.dry_run(query.model_copy(update={"exchange": exchange}), symbol)
            except NoServiceError as error:
                raise NotFoundError(str(error), rule=query.rule) from None

    async def fired(self, query: FiredQuery) -> FiredPage:
        """Return a page of what fired."""
        bases = None
        if query.symbol is not None:
            bases = sorted({entry.base for entry in await self._symbols.entries(query.symbol, None)})
        async with reachable():
            found, total = await self._store.list_fired(query, bases)
        return FiredPage(
            items=[FiredAlert(alert=_model(one), published_at=moment(one.published)) for one in found],
            total=total,
            page=query.page,
            page_size=query.page_size,
            pages=pages_of(total, query.page_size),
        )

    async def _find(self, query: AlertWhyQuery) -> Fired | None:
        """Return the alert that an id means; None for what may be a signal's."""
        wanted = query.id
        if RULE_ID.fullmatch(wanted):
            watch = self._changes.find(wanted)
            if watch is None or watch.rule.owner != query.owner:
                raise NotFoundError(f"There is no price alert {wanted}", id=wanted)
            if watch.state.fired_id is None:
                raise NotFoundError(f"Price alert {wanted} has not fired: see why-not", id=wanted)
            wanted = watch.state.fired_id
        fired = await self._store.find_fired(wanted)
        if fired is None and ".alert." not in wanted:
            return None
        if fired is None or fired.alert.owner not in {None, query.owner}:
            raise NotFoundError(f"There is no alert {query.id}", id=query.id)
        return fired

    async def _why_signal(self, query: AlertWhyQuery) -> Explanation:
        tokens = query.id.split(".")
        kind = tokens[_SIGNAL_KIND] if len(tokens) > _SIGNAL_KIND else ""
        if kind not in ALERT_KINDS:
            raise NotFoundError(f"There is no alert or signal {query.id}", id=query.id)
        found = await self._everybody.why_signal(query.id, kind)
        if query.owner is None or not found.at:
            return found
        asked = FindDeliveries(id=query.id, since=found.at, owner=query.owner)
        deliveries, missing = await self._deliveries_by(("webhooks",), asked)
        return found.model_copy(update={"deliveries": deliveries, "missing": [*found.missing, *missing]})

    async def _deliveries(self, fired: Fired, owner: str | None) -> tuple[list[Delivery], list[str]]:
        """Return what was done with an alert, and who could not say it."""
        alert, published = fired.alert, fired.published
        state = "waiting" if published is None else "done"
        found = [Delivery(to="bus", target=alert_subject(alert), state=state, at=published)]
        wants = {"telegram": alert.telegram is not None, "webhooks": alert.webhooks}
        services = [service for service in _SERVICES if alert.owner is None or wants[service]]
        query = FindDeliveries(
            id=alert.id,
            signal=None if alert.owner is not None else alert.causes[-1],
            since=alert.ts_recv,
            owner=owner,
            chat=alert.telegram,
        )
        others, silent = await self._deliveries_by(services, query)
        return found + others, silent

    async def _deliveries_by(self, services: Sequence[str], query: FindDeliveries) -> tuple[list[Delivery], list[str]]:
        """Return what services did, and who of them could not say it."""

        async def ask(service: str) -> list[Delivery] | str:
            try:
                return (await self._ask(f"{service}.deliveries", query, Deliveries)).deliveries
            except (NoServiceError, HydrophoneError) as error:
                return f"deliveries by {_SERVICES[service]}: {error}"

        answers = await asyncio.gather(*(ask(service) for service in services))
        found = [one for answer in answers if not isinstance(answer, str) for one in answer]
        return found, [answer for answer in answers if isinstance(answer, str)]


def _checked_kind(kind: str) -> str:
    if kind not in ALERT_KINDS or kind == PRICE_ALERT:
        supported = [name for name in ALERT_KINDS if name != PRICE_ALERT]
        raise InvalidParameterError(f"{kind} is no rule", parameter="rule", supported_values=supported)
    return kind


def _model(fired: Fired) -> Alert:
    return Alert.model_validate({name: getattr(fired.alert, name) for name in Alert.model_fields})
