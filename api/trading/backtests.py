"""`/api/trading/backtests`: strategies tried over what was recorded, and what came of them."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Response
from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from api.http.idempotency import IdempotencyKey, Once
from api.http.responses import Reply
from api.trading.schemas import GivenAmounts, Numbers, Taken
from api.trading.sending import ACCEPTED, ROUTER, Commands, answer, checked_id, failures, made
from contracts.arithmetic.moments import Moment
from contracts.numbers import as_text
from contracts.services.access import Page, PageSize
from contracts.services.market import Symbol
from contracts.services.responses import PaginatedResponse
from contracts.services.trading import backtests
from contracts.services.webhooks.events import Number
from runtime.trading.params import params_of

router: Final = APIRouter(**ROUTER)
BacktestInPath = Annotated[str, Path(max_length=64, description="id of a backtest", examples=["5b2e0c7f9a1d4e83"])]
GivenPercent = Annotated[
    backtests.Percent,
    BeforeValidator(as_text),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0, "maximum": 100}, {"type": "string"}]}),
]
PICTURE: Final = "image/png"


class TriedStrategy(Taken):
    """Which strategy, on what, with which parameters: as it would be started."""

    kind: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$", examples=["grid"])
    symbol: Symbol = Field(examples=["BTC/USDT"])
    params: dict[str, Any] = Field(default_factory=dict, max_length=64, description="decimals as numbers or texts")


class NewBacktest(Taken):
    """A backtest to be made."""

    model_config = ConfigDict(validate_by_name=False, validate_by_alias=True)

    strategy: TriedStrategy
    exchange: str | None = Field(
        default=None, min_length=1, max_length=64, description="whose recorded events; null: that with most trades"
    )
    from_: Moment = Field(alias="from", description="beginning: ISO 8601, or seconds since 1970")
    to: Moment = Field(description="end")
    balance: GivenAmounts = Field(min_length=1, description="what it begins with", examples=[{"USDT": "10000"}])
    fee_percent: GivenPercent | None = Field(
        default=None, description=f"of the value of each execution; null for {backtests.DEFAULT_FEE_PERCENT}"
    )
    min_coverage: GivenPercent | None = Field(
        default=None,
        description=f"percent of the span that must have data; null for {backtests.DEFAULT_MIN_COVERAGE}",
    )


class BacktestsParameters(Taken):
    """Which page."""

    page: Page = 1
    page_size: PageSize = 20


class EquityPointOut(backtests.EquityPoint):
    """What everything was worth at a time."""

    value: Number


class BacktestFillOut(backtests.BacktestFill):
    """One execution."""

    amount: Number
    price: Number
    fee: Number
    realized_pnl: Number


class BacktestResult(backtests.BacktestInfo):
    """A backtest; what it came to is null until it is done."""

    balance: Numbers
    fee_percent: Number | None  # pyright: ignore[reportGeneralTypeIssues]  # it is always there
    min_coverage: Number | None  # pyright: ignore[reportGeneralTypeIssues]  # it is always there
    coverage: Number | None
    fees: Numbers | None
    pnl: Number | None
    max_drawdown: Number | None
    exposure: Number | None


class BacktestOut(BacktestResult):
    """A backtest with its curve and its executions."""

    equity: list[EquityPointOut]  # pyright: ignore[reportIncompatibleVariableOverride]  # as the answer has them
    fills: list[BacktestFillOut]  # pyright: ignore[reportIncompatibleVariableOverride]  # as the answer has them


@router.post(
    "/backtests",
    operation_id="createBacktest",
    status_code=ACCEPTED,
    response_model=BacktestOut,
    responses=failures(404, 409, 413),
)
async def create(body: NewBacktest, commands: Commands, once: Once, _key: IdempotencyKey = None) -> Response:
    """Try a strategy over the recorded stream: answered at once, worked on one after another.

    A span of which less than `min_coverage` percent has data is refused.
    """

    async def make(_request_key: str | None) -> Reply:
        tried = body.strategy
        strategy = {"kind": tried.kind, "symbol": tried.symbol, "params": params_of(tried.kind, tried.params)}
        fields = {name: getattr(body, name) for name in NewBacktest.model_fields} | {"strategy": strategy}
        request = made(backtests.CreateBacktest, owner=commands.owner, **fields)
        return answer(await commands.send("backtests.create", request, backtests.BacktestInfo), ACCEPTED)

    return (await once(make)).as_response()


@router.get("/backtests", operation_id="listBacktests", response_model=PaginatedResponse[BacktestOut])
async def list_backtests(query: Annotated[BacktestsParameters, Query()], commands: Commands) -> Response:
    """Your backtests, the newest first, without curves and executions."""
    request = backtests.ListBacktests(owner=commands.owner, **query.model_dump())
    return await commands("backtests.list", request, backtests.BacktestPage)


@router.get("/backtests/{id}", operation_id="getBacktest", response_model=BacktestOut, responses=failures(404))
async def find(id: BacktestInPath, commands: Commands) -> Response:  # noqa: A002 - the name in the path
    """One of your backtests, with its result once there is one."""
    request = backtests.FindBacktest(owner=commands.owner, id=checked_id("backtest", id))
    return await commands("backtests.find", request, backtests.BacktestInfo)


@router.get(
    "/backtests/{id}/equity.png",
    operation_id="getBacktestEquity",
    response_class=Response,
    responses={200: {"content": {PICTURE: {}}}, **failures(404, 409)},
)
async def equity(id: BacktestInPath, commands: Commands) -> Response:  # noqa: A002 - the name in the path
    """The equity curve of a backtest as a picture; 409 as long as it is not done."""
    request = backtests.FindEquity(owner=commands.owner, id=checked_id("backtest", id))
    found = await commands.send("backtests.equity", request, backtests.EquityPicture)
    return Response(base64.b64decode(found.png), media_type=PICTURE)
