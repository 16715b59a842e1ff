"""Stops orders after errors in a row: from the last error on, also while documents are away; until resumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import structlog

from consumers.execution.account import Account
from consumers.execution.ports import NotAllowedError
from consumers.execution.publishing import BusPublisher
from consumers.execution.safety.core import LONGEST_REASON, Scope, Streaks, Trip
from consumers.execution.safety.store import TripStore
from runtime import clock
from runtime.trading.order import Order

_log = structlog.get_logger("execution")


class Breaker:
    """Counts the errors of all accounts; what trips is refused here at once, and in documents as soon as they take it.

    Errors of an owner's accounts at one venue are counted together.
    """

    def __init__(self, store: TripStore, now: Callable[[], int] = clock.now_ns) -> None:
        self._store, self._now = store, now
        self._streaks = Streaks()
        self._unsaved: dict[str, Trip] = {}

    def on_error(self, account: Account, strategy: str | None, reason: str, *, at_venue: bool = True) -> None:
        """Count an error of a request; one that the venue answered (`at_venue` false) is its strategy's only."""
        scopes = _scopes(account.owner, account.venue, strategy)
        for scope in scopes if at_venue else scopes[1:]:
            errors = self._streaks.on_error(scope)
            if errors is not None:
                self.trip(scope, account, errors=errors, reason=reason)

    def on_success(self, account: Account, strategy: str | None, *, placed: bool) -> None:
        """Count from nothing again: the venue's errors, and the strategy's where an order of it was accepted."""
        scopes = _scopes(account.owner, account.venue, strategy)
        for scope in scopes if placed else scopes[:1]:
            self._streaks.on_success(scope)

    def trip(self, scope: Scope, account: Account, *, errors: int, reason: str) -> None:
        """Stop a scope's orders from now on (of a heartbeat: only say so)."""
        trip = Trip(
            scope=scope,
            account=account.id,
            venue=account.venue,
            errors=errors,
            reason=reason[:LONGEST_REASON],
            ts=self._now(),
        )
        self._unsaved[trip.id] = trip
        _log.warning("execution.tripped", account=account.id, what=scope.what, errors=errors)

    async def check(self, order: Order) -> None:
        """Return where nothing stops the order; raises NotAllowedError, or StoreError where that cannot be read."""
        scopes = _scopes(order.owner, order.venue, order.strategy)
        here = (trip for trip in self._unsaved.values() if trip.scope in scopes and not trip.cleared)
        trip = next(here, None) or await self._store.find(scopes)
        if trip is not None:
            raise NotAllowedError(trip.refusal(), "STOPPED_AFTER_ERRORS", errors=trip.errors)

    async def clear(self, owner: str) -> None:
        """Let an owner's orders go on; StoreError where that cannot be written."""
        for trip in [trip for trip in self._unsaved.values() if trip.scope.owner == owner]:
            self._unsaved[trip.id] = replace(trip, cleared=True)
        await self._store.clear(owner)
        self._streaks.forget(owner)

    async def flush(self, publisher: BusPublisher) -> None:
        """Write what has tripped, and publish it; StoreError or nats.errors.Error where it has to be done again."""
        for trip in list(self._unsaved.values()):
            await self._store.save(trip)
            if self._unsaved[trip.id] is not trip:  # cleared meanwhile
                await self._store.clear(trip.scope.owner)
            del self._unsaved[trip.id]
        for trip in await self._store.list_unpublished():
            await publisher.publish_trip(trip.event())
            await self._store.published(trip)


def _scopes(owner: str, venue: str, strategy: str | None) -> list[Scope]:
    scopes = [Scope(owner, "venue", venue)]
    return scopes if strategy is None else [*scopes, Scope(owner, "strategy", strategy)]
