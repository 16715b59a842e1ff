"""`/api/trading/strategies`: strategies of an owner, and why they did what they did."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from api.http.idempotency import IdempotencyKey, Once
from api.http.responses import Reply
from api.trading.schemas import OrderOut, Taken
from api.trading.sending import CREATED, ROUTER, Commands, TradingCommands, answer, checked_id, failures, made
from contracts.arithmetic.moments import Moment, as_datetime, read_moment
from contracts.schema.literals import exact
from contracts.services.access import Page, PageSize
from contracts.services.market import Symbol
from contracts.services.responses import PaginatedResponse
from contracts.services.trading import strategies
from contracts.services.trading.orders import AccountName
from contracts.services.trading.strategy_events import Kind, Status, WantedOrder
from contracts.services.webhooks.events import Number
from runtime.credentials import belonging_of, open_text
from runtime.trading.params import params_of

router: Final = APIRouter(**ROUTER)
StrategyInPath = Annotated[str, Path(max_length=64, description="id of a strategy", examples=["5d41402abc4b2a76"])]


class NewStrategy(Taken):
    """A strategy to be made; it runs at once."""

    account: AccountName
    kind: Kind
    symbol: Symbol = Field(examples=["BTC/USDT"])
    params: dict[str, Any] = Field(max_length=64, description="what the kind is given; decimals as numbers or texts")
    accept_fallback: bool = Field(default=False, description="whether prices asked for by REST are good enough")


class StrategiesParameters(Taken):
    """Which strategies."""

    account: AccountName | None = None
    status: Annotated[Status | None, Field(description="only those in this state")] = None
    page: Page = 1
    page_size: PageSize = 20


class WhyParameters(Taken):
    """When."""

    at: Annotated[Moment | None, Field(description="what it had decided by then; null for the last")] = None


class ProfitOut(strategies.Profit):
    """What a strategy has made, in the quote of its symbol."""

    realized: Number
    unrealized: Number | None
    fees: Number
    grid: Number | None
    trend: Number | None


class StrategyOut(strategies.StrategyInfo):
    """A strategy."""

    profit: ProfitOut  # pyright: ignore[reportIncompatibleVariableOverride]  # as the answer has it


class StrategyShownOut(StrategyOut):
    """A strategy as it was made."""

    signal_secret: str | None = Field(description="what its signals are signed with, this once")


class WantedOut(WantedOrder):
    """What a strategy wanted done."""

    amount: Number | None = None
    price: Number | None = None


class ExplanationOut(BaseModel):
    """What a strategy saw and did at a moment, decided again from what was kept."""

    id: str
    kind: Kind
    number: int = Field(description="of its decisions")
    at: datetime = Field(description="the time that it was given")
    saw: strategies.SeenEvent
    before: dict[str, Any] = Field(description="its state before")
    after: dict[str, Any] = Field(description="its state after")
    decisions: list[str] = Field(description="in words: `buy 0.01 at 64000`")
    wanted: list[WantedOut]
    orders: list[OrderOut] = Field(description="what has become of them, as far as is known")
    same: bool = Field(description="whether deciding again gives the same, byte for byte")


@router.post(
    "/strategies",
    operation_id="createStrategy",
    status_code=CREATED,
    response_model=StrategyShownOut,
    responses=failures(404, 409, 413),
)
async def create(body: NewStrategy, commands: Commands, once: Once, _key: IdempotencyKey = None) -> Response:
    """Make a strategy; it runs at once.

    `signal_secret` is in this answer alone. With an `Idempotency-Key` the same request makes one strategy.
    """

    async def make(request_key: str | None) -> Reply:
        fields = body.model_dump() | {"params": params_of(body.kind, body.params)}
        known = {"caller": commands.caller, "owner": commands.owner, "request_key": request_key}
        request = made(strategies.CreateStrategy, **known, **fields)
        found = await commands.send("strategies.create", request, strategies.StrategyShown)
        return answer(exact(found) | {"signal_secret": _opened(found, commands)}, CREATED)

    return (await once(make)).as_response()


@router.get(
    "/strategies",
    operation_id="listStrategies",
    response_model=PaginatedResponse[StrategyOut],
    responses=failures(404),
)
async def list_strategies(query: Annotated[StrategiesParameters, Query()], commands: Commands) -> Response:
    """Your strategies, the newest first."""
    request = strategies.ListStrategies(owner=commands.owner, **query.model_dump())
    return await commands("strategies.list", request, strategies.StrategyPage)


@router.get("/strategies/{id}", operation_id="getStrategy", response_model=StrategyOut, responses=failures(404))
async def find(id: StrategyInPath, commands: Commands) -> Response:  # noqa: A002 - the name in the path
    """One of your strategies, with what it has made."""
    request = strategies.FindStrategy(owner=commands.owner, id=checked_id("strategy", id))
    return await commands("strategies.find", request, strategies.StrategyInfo)


@router.post(
    "/strategies/{id}/pause", operation_id="pauseStrategy", response_model=StrategyOut, responses=failures(404, 409)
)
async def pause(id: StrategyInPath, commands: Commands) -> Response:  # noqa: A002 - the name in the path
    """Pause a strategy: it decides nothing; its orders stay open."""
    return await _change(commands, "pause", id)


@router.post(
    "/strategies/{id}/resume", operation_id="resumeStrategy", response_model=StrategyOut, responses=failures(404, 409)
)
async def resume(id: StrategyInPath, commands: Commands) -> Response:  # noqa: A002 - the name in the path
    """Let a paused strategy go on, whoever paused it."""
    return await _change(commands, "resume", id)


@router.post(
    "/strategies/{id}/stop", operation_id="stopStrategy", response_model=StrategyOut, responses=failures(404, 409)
)
async def stop(id: StrategyInPath, commands: Commands) -> Response:  # noqa: A002 - the name in the path
    """End a strategy for good: its open orders are cancelled."""
    return await _change(commands, "stop", id)


@router.get(
    "/strategies/{id}/why", operation_id="explainStrategy", response_model=ExplanationOut, responses=failures(404)
)
async def why(
    id: StrategyInPath,  # noqa: A002 - the name in the path
    query: Annotated[WhyParameters, Query()],
    commands: Commands,
) -> Response:
    """What a strategy saw and did at a moment: the event, its state before and after, and the orders that it wanted."""
    at = None if query.at is None else read_moment(query.at)
    request = strategies.StrategyWhy(owner=commands.owner, id=checked_id("strategy", id), at=at)
    found = await commands.send("strategies.why", request, strategies.StrategyExplanation)
    return answer(exact(found) | {"at": as_datetime(found.at)}).as_response()


async def _change(commands: TradingCommands, verb: str, strategy_id: str) -> Response:
    request = strategies.ChangeStrategy(
        caller=commands.caller, owner=commands.owner, id=checked_id("strategy", strategy_id)
    )
    return await commands(f"strategies.{verb}", request, strategies.StrategyInfo)


def _opened(found: strategies.StrategyShown, commands: TradingCommands) -> str | None:
    if found.signal_secret is None:
        return None
    whose = belonging_of(commands.owner, found.id, strategies.SIGNALS)
    return open_text(commands.vault(), found.signal_secret, whose)
