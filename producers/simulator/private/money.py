"""Accounts and their balances: what is free, what open orders hold, what the whole exchange has. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

from producers.simulator.private.figures import EXACT

Permission = Literal["view", "trade", "withdraw"]
_ZERO: Final = Decimal(0)


@dataclass(slots=True, eq=False)
class Account:
    """One customer by API key. `nonce` is the last accepted one; `memory` is the front end's own."""

    id: int
    key: str
    secret: str = field(repr=False)
    permissions: frozenset[Permission]
    passphrase: str = field(default="", repr=False)
    free: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    held: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    nonce: int = 0
    memory: dict[str, int] = field(default_factory=dict[str, int])

    def has(self, currency: str) -> Decimal:
        """Return what there is of a currency, free and held."""
        return EXACT.add(self.free[currency], self.held[currency])

    def hold(self, currency: str, amount: Decimal) -> None:
        """Take from what is free into what is held; a negative amount gives back."""
        self.free[currency] = EXACT.subtract(self.free[currency], amount)
        self.held[currency] = EXACT.add(self.held[currency], amount)

    def pay(self, currency: str, amount: Decimal) -> None:
        """Spend of what is held."""
        self.held[currency] = EXACT.subtract(self.held[currency], amount)

    def receive(self, currency: str, amount: Decimal) -> None:
        """Add to what is free."""
        self.free[currency] = EXACT.add(self.free[currency], amount)


@dataclass(slots=True)
class Treasury:
    """The exchange's own book-keeping: deposits, what it earned, and what everybody else's orders have given or got."""

    deposited: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    fees: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    others: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def deposit(self, account: Account, currency: str, amount: Decimal) -> None:
        """Give an account money from outside."""
        account.receive(currency, amount)
        self.deposited[currency] = EXACT.add(self.deposited[currency], amount)

    def imbalance(self, accounts: list[Account]) -> dict[str, Decimal]:
        """Return by how much each currency differs from what was deposited; nothing where all is right."""
        found: dict[str, Decimal] = {}
        names = {*self.deposited, *self.fees, *self.others, *(n for one in accounts for n in (*one.free, *one.held))}
        for name in sorted(names):
            total = EXACT.add(self.fees[name], self.others[name])
            for account in accounts:
                total = EXACT.add(total, account.has(name))
            if total != self.deposited[name]:
                found[name] = EXACT.subtract(total, self.deposited[name])
        return found
