"""Strategies as their owner sees them: requests and replies of `cmd.v1.strategies.*`."""

from __future__ import annotations

from typing import Any, Final

from pydantic import AwareDatetime, Field

from contracts.commands import Command, command
from contracts.market import Name, Nanoseconds
from contracts.numbers import DecimalText
from contracts.services.access import Caller, Owner, Page, PageSize
from contracts.services.market import Symbol
from contracts.services.trading.accounts import SealedText
from contracts.services.trading.orders import AccountName, OrderInfo, TradingModel
from contracts.services.trading.strategy_events import MOST_SIGNAL_BYTES, Kind, Status, StrategyId, WantedOrder

QUEUE: Final = "strategies"
MOST_STRATEGIES: Final = 50  # of one owner, that are not at their end
SIGNAL_SECONDS: Final = 60  # how old, or how far ahead, a signal's time may be
SIGNALS: Final = "signal"  # in place of a venue where the secret of signals is sealed, its id for the account


class CreateStrategy(TradingModel):
    """Make a strategy; it runs at once."""

    caller: Caller = Field(description="who wants it")
    owner: Owner
    account: AccountName
    kind: Kind
    symbol: Symbol
    params: dict[str, Any] = Field(max_length=64, description="what the kind is given, see docs/TRADING.md")
    accept_fallback: bool = Field(default=False, description="whether prices asked for by REST are good enough")
    request_key: str | None = Field(
        default=None,
        max_length=64,
        pattern=r"^[0-9a-f]+$",
        description="names this request: the same one makes no second strategy",
    )


class ListStrategies(TradingModel):
    """An owner's strategies, the newest first, a page at a time."""

    owner: Owner
    account: AccountName | None = Field(default=None, description="only of this account")
    status: Status | None = Field(default=None, description="only those in this state")
    page: Page = 1
    page_size: PageSize = 20


class FindStrategy(TradingModel):
    """One strategy of an owner."""

    owner: Owner
    id: StrategyId


class ChangeStrategy(FindStrategy):
    """Pause, resume or stop a strategy, which each are a command; a pause leaves orders open, a stop cancels them."""

    caller: Caller = Field(description="who wants it")


class StrategyWhy(FindStrategy):
    """Why a strategy did what it did."""

    at: Nanoseconds | None = Field(default=None, description="what it had decided by then, ns UTC; null for the last")


class TakeSignal(TradingModel):
    """Hand a signed signal to the strategy that its body names: `{"strategy":"<id>", …}`; each id is taken once."""

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="names the signal", examples=["msg-1"])
    timestamp: int = Field(ge=0, le=10**11, description="when it was signed, seconds since 1970; good for 60 s")
    signature: str = Field(
        pattern=r"^[0-9a-f]{64}$", description="HMAC-SHA256 of `id.timestamp.body` under the secret, hexadecimal"
    )
    body: str = Field(max_length=MOST_SIGNAL_BYTES, description="a JSON object, as it was signed")


# ---- replies
class Profit(TradingModel):
    """What a strategy has made, in the quote of its symbol."""

    realized: DecimalText = Field(description="by what was sold, before fees")
    unrealized: DecimalText | None = Field(description="of what it holds, at the last price; null where none is known")
    fees: DecimalText = Field(description="paid, as far as they were in the quote or the base coin")
    grid: DecimalText | None = Field(description="of a grid: by buys that were sold one level above")
    trend: DecimalText | None = Field(description="of a grid: the rest, by where the price went since its start")
    currency: str


class StrategyInfo(TradingModel):
    """A strategy as its owner sees it."""

    id: StrategyId
    account: AccountName
    kind: Kind
    symbol: str
    params: dict[str, Any]
    accept_fallback: bool
    status: Status
    reason: str | None = Field(description="why it is not running, in words")
    profit: Profit
    open_orders: int
    created_at: AwareDatetime


class StrategyShown(StrategyInfo):
    """A strategy as it was made, with the secret that its signals are signed with, this once."""

    signal_secret: SealedText | None = Field(
        description="sealed for its owner, its id in place of an account, `signal` in place of a venue; null where the "
        "same request had made it before, or nothing can be sealed here"
    )


class StrategyPage(TradingModel):
    """One page of strategies."""

    items: list[StrategyInfo]
    total: int
    page: int
    page_size: int
    pages: int


class SeenEvent(TradingModel):
    """The event that a strategy decided on."""

    id: Name
    kind: Name = Field(description="ticker, trade, candle, book, order, fill, refusal, signal, clock")
    says: str = Field(description="its figures in short: `bid 64980, ask 64981`")
    event: dict[str, Any] = Field(description="as it came")


class StrategyExplanation(TradingModel):
    """What a strategy saw and did at a moment, decided again from what was kept."""

    id: StrategyId
    kind: Kind
    number: int = Field(description="of its decisions")
    at: Nanoseconds = Field(description="the time that it was given, ns UTC")
    saw: SeenEvent
    before: dict[str, Any] = Field(description="its state before")
    after: dict[str, Any] = Field(description="its state after")
    decisions: list[str] = Field(description="in words: `buy 0.01 at 64000`")
    wanted: list[WantedOrder]
    orders: list[OrderInfo] = Field(description="what has become of them, as far as is known")
    same: bool = Field(description="whether deciding again gives the same, byte for byte")


class SignalTaken(TradingModel):
    """A signal that its strategy will see, once."""

    id: str
    strategy: StrategyId


COMMANDS: Final[tuple[Command, ...]] = (
    command("strategies.create", CreateStrategy, StrategyShown),
    command("strategies.list", ListStrategies, StrategyPage),
    command("strategies.find", FindStrategy, StrategyInfo),
    command("strategies.pause", ChangeStrategy, StrategyInfo),
    command("strategies.resume", ChangeStrategy, StrategyInfo),
    command("strategies.stop", ChangeStrategy, StrategyInfo),
    command("strategies.why", StrategyWhy, StrategyExplanation),
    command("strategies.signal", TakeSignal, SignalTaken),
)
