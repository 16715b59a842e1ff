"""`/api/trading/portfolio|ledger`: what an owner has and has earned, and every execution, as pages or as one CSV."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, Field

from api.trading.schemas import Taken
from api.trading.sending import ROUTER, Commands, TradingCommands, answer, failures
from contracts.services.access import Page
from contracts.services.trading import portfolio
from contracts.services.trading.orders import AccountName
from contracts.services.webhooks.events import Number
from runtime.trading.ledger_csv import ledger_csv

router: Final = APIRouter(**ROUTER)
CSV: Final = "text/csv; charset=utf-8"
PageSize = Annotated[int, Field(ge=1, le=100, description="rows of a page")]


class PortfolioParameters(Taken):
    """Of which account, and in which currency."""

    account: AccountName | None = None
    currency: Annotated[portfolio.Shown, Field(description="what values and profits are said in")] = "USDT"


class LedgerParameters(Taken):
    """Which executions, and how what is sold is costed."""

    account: AccountName | None = None
    method: Annotated[portfolio.Method, Field(description="what is sold first: the oldest, or a share of all")] = "fifo"
    format: Annotated[Literal["json", "csv"], Field(description="csv: every row, without pages")] = "json"
    page: Page = 1
    page_size: PageSize = 20


class HoldingOut(portfolio.Holding):
    """One asset of one account."""

    free: Number
    held: Number
    price: Number | None
    value: Number | None
    costed: Number
    cost: Number | None
    realised: Number | None
    unrealised: Number | None


class StrategyProfitOut(portfolio.StrategyProfit):
    """What the orders of one strategy, or those that a person placed, have earned."""

    amount: Number
    cost: Number | None
    realised: Number | None
    unrealised: Number | None


class TotalsOut(portfolio.PortfolioTotals):
    """Sums over what has a live price."""

    value: Number
    cost: Number
    realised: Number
    unrealised: Number


class PortfolioOut(BaseModel):
    """Your accounts together."""

    currency: portfolio.Shown
    items: list[HoldingOut]
    strategies: list[StrategyProfitOut]
    totals: TotalsOut
    unpriced: list[str] = Field(description="assets and currencies without a live price: they are in no total")
    pending: bool = Field(description="true while executions of before are still read: profits are not whole yet")
    time: AwareDatetime


class LedgerRowOut(portfolio.LedgerRow):
    """One execution; money is in the symbol's quote."""

    amount: Number
    price: Number
    fee: Number
    value: Number
    realized_pnl: Number


class LedgerOut(BaseModel):
    """One page of the ledger."""

    items: list[LedgerRowOut]
    total: int
    page: int
    page_size: int
    pages: int
    method: portfolio.Method
    pending: bool = Field(description="true while executions of before are still read: rows may be missing")


@router.get("/portfolio", operation_id="getPortfolio", response_model=PortfolioOut, responses=failures(404))
async def find(query: Annotated[PortfolioParameters, Query()], commands: Commands) -> Response:
    """What you have, what it is worth at live prices, and what was earned by asset and by strategy."""
    request = portfolio.FindPortfolio(owner=commands.owner, **query.model_dump())
    return await commands("portfolio.find", request, portfolio.Portfolio)


@router.get(
    "/ledger",
    operation_id="getLedger",
    response_model=LedgerOut,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}, **failures(404)},
)
async def ledger(query: Annotated[LedgerParameters, Query()], commands: Commands) -> Response:
    """Every execution of your orders with the profit that it realised, the oldest first.

    As CSV it is sent while it is read, with the columns `time, account, venue, symbol, side, amount, price, fee,
    fee_currency, value, realized_pnl, order_id, fill_id`; `page` and `page_size` are for JSON.
    """
    request = portfolio.ListLedger(owner=commands.owner, **query.model_dump(exclude={"format"}))
    if query.format == "json":
        return answer(await _page(commands, request)).as_response()
    request = request.model_copy(update={"page": 1, "page_size": portfolio.MOST_ROWS})
    first = await _page(commands, request)  # what fails is answered as an error still
    headers = {"content-disposition": 'attachment; filename="ledger.csv"'}
    return StreamingResponse(_lines(commands, request, first), media_type=CSV, headers=headers)


async def _page(commands: TradingCommands, request: portfolio.ListLedger) -> portfolio.LedgerPage:
    return await commands.send("portfolio.ledger", request, portfolio.LedgerPage)


async def _lines(
    commands: TradingCommands, request: portfolio.ListLedger, first: portfolio.LedgerPage
) -> AsyncIterator[str]:
    page = first
    yield ledger_csv(page.items)
    while page.page < page.pages:
        request = request.model_copy(update={"page": page.page + 1})
        page = await _page(commands, request)
        yield ledger_csv(page.items, head=False)
