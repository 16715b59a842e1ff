"""Backtests: a strategy over the recorded events of one symbol, filled as paper orders are."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, ConfigDict, Field

from contracts.arithmetic.moments import Moment
from contracts.commands import Command, command
from contracts.market import Side
from contracts.numbers import AmountText, DecimalText, PriceText
from contracts.services.access import Owner, Page, PageSize
from contracts.services.market import Symbol
from contracts.services.trading.accounts import Amounts
from contracts.services.trading.orders import TradingModel

QUEUE: Final = "backtests"
MOST_WAITING: Final = 20  # of one owner
MOST_POINTS: Final = 1000  # of an equity curve
MOST_FILLS: Final = 1000  # of one result
DEFAULT_FEE_PERCENT: Final = "0.3"
DEFAULT_MIN_COVERAGE: Final = "99"

BacktestId = Annotated[
    str, Field(pattern=r"^[0-9a-f]{16}$", description="id of a backtest", examples=["5b2e0c7f9a1d4e83"])
]
BacktestStatus = Literal["queued", "running", "done", "refused", "failed"]
Percent = Annotated[AmountText, Field(le=100)]


class BacktestStrategy(TradingModel):
    """Which strategy, on what, with which parameters: as it would be started."""

    kind: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$", description="as strategies are named", examples=["grid"])
    symbol: Symbol
    params: dict[str, Any] = Field(default_factory=dict, max_length=64, description="of the strategy")


class BacktestTerms(TradingModel):
    """What is asked: the span is by when events were received."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    strategy: BacktestStrategy = Field(description="what is to be tried")
    exchange: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="whose recorded events: CCXT's id; null for the exchange with most trades of the symbol",
    )
    from_: Moment = Field(alias="from", description="beginning: ISO 8601, or seconds or milliseconds since 1970")
    to: Moment = Field(description="end; one that is still to come counts as now")
    balance: Amounts = Field(min_length=1, description="what it begins with")
    fee_percent: Percent | None = Field(
        default=None, description=f"of the value of each execution; null for {DEFAULT_FEE_PERCENT}"
    )
    min_coverage: Percent | None = Field(
        default=None,
        description=f"percent of the span that must have data, else it is refused; null for {DEFAULT_MIN_COVERAGE}",
    )


class CreateBacktest(BacktestTerms):
    """Try a strategy over recorded events: answered at once, worked on one after another."""

    owner: Owner


class FindBacktest(TradingModel):
    """One backtest of an owner, with its result once there is one."""

    owner: Owner
    id: BacktestId


class FindEquity(FindBacktest):
    """The equity curve of a backtest as a picture."""


class ListBacktests(TradingModel):
    """An owner's backtests, the newest first, a page at a time; without curves and executions."""

    owner: Owner
    page: Page = 1
    page_size: PageSize = 20


class EquityPoint(TradingModel):
    """What everything was worth at a time, in `pnl_currency`."""

    time: AwareDatetime
    value: DecimalText


class BacktestFill(TradingModel):
    """One execution."""

    time: AwareDatetime
    side: Side
    amount: AmountText
    price: PriceText
    fee: DecimalText
    fee_currency: str
    realized_pnl: DecimalText


class BacktestInfo(BacktestTerms):
    """A backtest; what it came to is null until it is done."""

    id: BacktestId
    status: BacktestStatus = Field(description="refused: too little of the span has data; failed: see `reason`")
    reason: str | None = Field(description="why it was refused or failed")
    created_at: AwareDatetime
    coverage: AmountText | None = Field(description="percent of the span that has data")
    trades: int | None = Field(description="executions")
    fees: Amounts | None = Field(description="paid, by currency")
    pnl: DecimalText | None = Field(description="worth at the end less worth at the beginning, in `pnl_currency`")
    pnl_currency: str | None = Field(description="the symbol's quote")
    max_drawdown: AmountText | None = Field(description="percent, from the highest worth to the lowest after it")
    exposure: AmountText | None = Field(description="percent of the span in which the base coin was held")
    events: int | None = Field(description="recorded events that were read")
    decisions: str | None = Field(description="SHA-256 of all decisions: the same run gives the same")
    equity: list[EquityPoint] = Field(description=f"at most {MOST_POINTS}, evenly over the span")
    fills: list[BacktestFill] = Field(description=f"the first {MOST_FILLS}")


class BacktestPage(TradingModel):
    """One page of backtests."""

    items: list[BacktestInfo]
    total: int
    page: int
    page_size: int
    pages: int


class EquityPicture(TradingModel):
    """A PNG."""

    png: str = Field(description="base64")


COMMANDS: Final[tuple[Command, ...]] = (
    command("backtests.create", CreateBacktest, BacktestInfo),
    command("backtests.find", FindBacktest, BacktestInfo),
    command("backtests.list", ListBacktests, BacktestPage),
    command("backtests.equity", FindEquity, EquityPicture),
)
