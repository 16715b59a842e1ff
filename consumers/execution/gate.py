"""Whether an order may be sent now: who acts for the account, what is stopped, the account's limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from consumers.execution import risk
from consumers.execution.account import Account
from consumers.execution.documents.journal import DocumentJournal
from consumers.execution.ports import NotAllowedError
from consumers.execution.safety.permits import Permits
from contracts.instrument import split_symbol
from runtime.store import StoreError
from runtime.trading.order import Order


@dataclass(frozen=True, slots=True)
class AccountGate:
    """The gate of one account. `price(symbol)` is the market's, None where it is not known; `now` gives ns UTC.

    `holding` says whether this process still acts for the account.
    """

    account: Account
    journal: DocumentJournal
    permits: Permits
    holding: Callable[[], bool]
    price: Callable[[str], Decimal | None]
    now: Callable[[], int]

    async def check(self, order: Order) -> None:
        """Return where it may be sent; raises NotAllowedError. What cannot be read forbids."""
        if not self.holds():
            raise NotAllowedError("it is not sure that nobody else acts for the account", "NOT_CHECKED")
        try:
            await self.permits.check(order)
            risk.check_limits(order, self.account.limits, await self._standing(order))
        except StoreError:
            raise NotAllowedError("it cannot be read whether trading is allowed now", "NOT_CHECKED") from None

    def holds(self) -> bool:
        """Return whether this process still is the one that acts for the account."""
        return self.holding()

    async def _standing(self, order: Order) -> risk.Standing:
        limits = self.account.limits
        _, quote, _, _ = split_symbol(order.symbol)
        lost = Decimal(0)
        if quote in limits.daily_loss:
            lost = risk.lost_since(await self.journal.list_executed(), quote, risk.day_of(self.now()))
        count = 0 if limits.open_orders is None else await self.journal.count_open(order.id)
        return risk.Standing(count, lost, self.price(order.symbol))
