"""What an owner has, what it is worth and what it has earned, and the ledger of every execution.

Costs and profits are kept in the quote that was paid, to the last unit; `Portfolio` brings them into one currency at
the rates of now. What has no live price is named in `unpriced` and counts in no total.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from contracts.commands import Command, command
from contracts.market import Side
from contracts.numbers import AmountText, DecimalText, PriceText
from contracts.services.access import Owner, Page
from contracts.services.trading.orders import AccountName, TradingModel

QUEUE: Final = "portfolio"
MOST_ROWS: Final = 1000  # of one page of the ledger

Shown = Literal["IDR", "USD", "USDT"]
Method = Literal["fifo", "average"]
LEDGER_COLUMNS: Final = (
    "time",
    "account",
    "venue",
    "symbol",
    "side",
    "amount",
    "price",
    "fee",
    "fee_currency",
    "value",
    "realized_pnl",
    "order_id",
    "fill_id",
)


class FindPortfolio(TradingModel):
    """What an owner's accounts hold, at the prices of now."""

    owner: Owner
    account: AccountName | None = Field(default=None, description="only this account")
    currency: Shown = Field(default="USDT", description="what values and profits are said in")


class Holding(TradingModel):
    """One asset of one account; money is in the portfolio's currency, null where a rate for it is missing."""

    account: str = Field(description="the account's name; its id where the account is not there any more")
    asset: str
    free: AmountText
    held: AmountText = Field(description="by orders that are open")
    price: PriceText | None
    via: list[str] = Field(description="the pairs that the price comes from; `USDT/USD peg` is no price but the peg")
    value: AmountText | None
    costed: AmountText = Field(description="how much was bought here and not sold: the rest came in at an unknown cost")
    cost: DecimalText | None = Field(description="of `costed`, fees included")
    realised: DecimalText | None = Field(description="by what was sold, less fees")
    unrealised: DecimalText | None = Field(description="of `costed`: what it is worth less its cost")


class StrategyProfit(TradingModel):
    """What the orders of one strategy, or those that a person placed (null), have earned; as of a holding."""

    account: str
    strategy: str | None
    symbol: str
    amount: AmountText = Field(description="bought by it and not sold")
    cost: DecimalText | None
    realised: DecimalText | None
    unrealised: DecimalText | None


class PortfolioTotals(TradingModel):
    """Sums over what has a live price."""

    value: AmountText
    cost: DecimalText
    realised: DecimalText
    unrealised: DecimalText


class Portfolio(TradingModel):
    """An owner's accounts together."""

    currency: Shown
    items: list[Holding]
    strategies: list[StrategyProfit]
    totals: PortfolioTotals
    unpriced: list[str] = Field(description="assets and currencies without a live price: they are in no total")
    pending: bool = Field(description="true while executions of before are still read: profits are not whole yet")
    time: AwareDatetime


class ListLedger(TradingModel):
    """Every execution of an owner's orders with the profit that it realised, the oldest first."""

    owner: Owner
    account: AccountName | None = Field(default=None, description="only this account")
    method: Method = Field(default="fifo", description="what is sold first: the oldest, or a share of everything")
    page: Page = 1
    page_size: Annotated[int, Field(ge=1, le=MOST_ROWS, description="rows of a page")] = 100


class LedgerRow(TradingModel):
    """One execution; money is in the symbol's quote, the fee in `fee_currency`."""

    time: AwareDatetime
    account: str
    venue: str
    symbol: str
    side: Side
    amount: AmountText
    price: PriceText
    fee: DecimalText = Field(description="below zero for a rebate")
    fee_currency: str
    value: AmountText = Field(description="amount times price")
    realized_pnl: DecimalText = Field(
        description="zero for a buy; what had no known cost earns nothing; a fee in another coin is not in it"
    )
    order_id: str
    fill_id: str


class LedgerPage(TradingModel):
    """One page of the ledger."""

    items: list[LedgerRow]
    total: int
    page: int
    page_size: int
    pages: int
    method: Method
    pending: bool = Field(description="true while executions of before are still read: rows may be missing")


COMMANDS: Final[tuple[Command, ...]] = (
    command("portfolio.find", FindPortfolio, Portfolio),
    command("portfolio.ledger", ListLedger, LedgerPage),
)
