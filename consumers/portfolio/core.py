"""What accounts hold and have earned, in one currency, from balances, executions and the rates of now. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from typing import Final

from contracts.arithmetic.exact import EXACT, FINE
from contracts.arithmetic.moments import as_datetime
from contracts.services.trading.accounts import AccountInfo, Balance
from contracts.services.trading.portfolio import Holding, LedgerRow, Method, PortfolioTotals, StrategyProfit
from runtime.trading.ledger import Execution, Ledger, Position, by_strategy, by_symbol

ONE: Final = Decimal(1)
_ZERO: Final = Decimal(0)
_PLACES: Final = 18  # of money behind the point, where a rate makes more of them


@dataclass(frozen=True, slots=True)
class Rate:
    """What one unit is worth; `via` are the pairs that it comes from."""

    value: Decimal
    via: tuple[str, ...] = ()

    @classmethod
    def inverse(cls, price: Decimal, pair: str) -> Rate:
        """Return the rate the other way round."""
        return cls(FINE.divide(ONE, price), (pair,))


Rates = Mapping[str, Rate | None]


def through(first: Rate, second: Rate) -> Rate:
    """Return the rate by way of a third currency."""
    return Rate(EXACT.multiply(first.value, second.value), (*first.via, *second.via))


@dataclass(frozen=True, slots=True)
class Profits:
    """The positions of one asset in the portfolio's currency; None where a rate is missing."""

    amount: Decimal
    cost: Decimal | None
    realised: Decimal | None
    unrealised: Decimal | None


@dataclass(frozen=True, slots=True)
class Books:
    """An owner's executions added up, by account and symbol, and by strategy."""

    symbols: dict[tuple[str, str], Position]
    strategies: dict[tuple[str, str | None, str], Position]

    @classmethod
    def of(cls, executions: Sequence[Execution]) -> Books:
        """Add executions up, by first in first out."""
        symbols, strategies = Ledger("fifo", by_symbol), Ledger("fifo", by_strategy)
        for ledger in (symbols, strategies):
            for _ in ledger.book(executions):
                pass
        return cls(symbols.positions, strategies.positions)

    def currencies(self) -> set[str]:
        """Return what needs a rate."""
        found: set[str] = set()
        for position in self.symbols.values():
            found |= {position.base, position.quote, *position.fees}
        return found


def holdings(accounts: Sequence[AccountInfo], books: Books, rates: Rates) -> list[Holding]:
    """Return each asset of each account that there is, by account and name."""
    items: list[Holding] = []
    for account in accounts:
        by_asset: dict[str, list[Position]] = {balance.currency: [] for balance in account.balances}
        for (account_id, _), position in books.symbols.items():
            if account_id == account.id:
                by_asset.setdefault(position.base, []).append(position)
        balances = {balance.currency: balance for balance in account.balances}
        for asset, positions in sorted(by_asset.items()):
            balance = balances.get(asset, Balance(currency=asset, free=_ZERO, held=_ZERO))
            if balance.free or balance.held or positions:
                items.append(_holding(account.name, balance, positions, rates))
    return items


def _holding(account: str, balance: Balance, positions: Sequence[Position], rates: Rates) -> Holding:
    rate, profits = rates[balance.currency], _profits(positions, rates)
    amount = EXACT.add(balance.free, balance.held)
    return Holding(
        account=account,
        asset=balance.currency,
        free=balance.free,
        held=balance.held,
        price=None if rate is None else _short(rate.value),
        via=[] if rate is None else list(rate.via),
        value=_worth(amount, rate),
        costed=profits.amount,
        cost=profits.cost,
        realised=profits.realised,
        unrealised=profits.unrealised,
    )


def strategy_profits(accounts: Sequence[AccountInfo], books: Books, rates: Rates) -> list[StrategyProfit]:
    """Return what each strategy has earned on each symbol, and what was placed by hand."""
    names = {account.id: account.name for account in accounts}
    items: list[StrategyProfit] = []
    for (account, strategy, symbol), position in books.strategies.items():
        if account in names:
            profits = _profits([position], rates)
            items.append(
                StrategyProfit(
                    account=names[account],
                    strategy=strategy,
                    symbol=symbol,
                    amount=profits.amount,
                    cost=profits.cost,
                    realised=profits.realised,
                    unrealised=profits.unrealised,
                )
            )
    return sorted(items, key=lambda item: (item.account, item.strategy or "", item.symbol))


def _profits(positions: Sequence[Position], rates: Rates) -> Profits:
    """Return one asset's positions (in whatever quotes) together."""
    amount = _sum(position.lots.amount for position in positions)
    cost = _all(_worth(position.lots.cost, rates[position.quote]) for position in positions if position.lots.amount)
    realised = _all(
        one
        for position in positions
        for one in (
            _worth(position.realised, rates[position.quote]),
            *(_worth(EXACT.minus(fee), rates[currency]) for currency, fee in position.fees.items()),
        )
    )
    worth = _worth(amount, rates[positions[0].base]) if positions else _ZERO
    unrealised = None if worth is None or cost is None else EXACT.subtract(worth, cost)
    return Profits(amount, cost, realised, unrealised)


def totals(items: Sequence[Holding]) -> PortfolioTotals:
    """Return the sums over what has a price."""
    return PortfolioTotals(
        value=_sum(item.value for item in items),
        cost=_sum(item.cost for item in items),
        realised=_sum(item.realised for item in items),
        unrealised=_sum(item.unrealised for item in items),
    )


def ledger_rows(executions: Sequence[Execution], method: Method, names: Mapping[str, str]) -> list[LedgerRow]:
    """Return every execution with what it has realised; `names` are those of accounts by id."""
    return [
        LedgerRow(
            time=as_datetime(booked.execution.ts),
            account=names.get(booked.execution.account, booked.execution.account),
            venue=booked.execution.venue,
            symbol=booked.execution.symbol,
            side=booked.execution.side,
            amount=booked.execution.amount,
            price=booked.execution.price,
            fee=booked.execution.fee,
            fee_currency=booked.execution.fee_currency,
            value=booked.execution.value,
            realized_pnl=booked.realised,
            order_id=booked.execution.order_id,
            fill_id=booked.execution.fill_id,
        )
        for booked in Ledger(method, by_symbol).book(executions)
    ]


def _worth(amount: Decimal, rate: Rate | None) -> Decimal | None:
    if not amount:  # nothing is worth nothing, whatever the rate
        return _ZERO
    return None if rate is None else _short(EXACT.multiply(amount, rate.value))


def _short(value: Decimal) -> Decimal:
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -_PLACES:
        return EXACT.quantize(value, ONE.scaleb(-_PLACES))
    return value


def _sum(values: Iterable[Decimal | None]) -> Decimal:
    return reduce(EXACT.add, (value for value in values if value is not None), _ZERO)


def _all(values: Iterable[Decimal | None]) -> Decimal | None:
    """Return a sum, None where one of its parts is not known."""
    found = list(values)
    return None if None in found else _sum(found)
