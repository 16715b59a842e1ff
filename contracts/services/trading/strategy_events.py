"""Events of strategies, on `strategy.v1.<what>.<strategy>`: what they saw, what they wanted, what became of themselves.

They are on the stream of trading, which no subscriber reads: each is an owner's. What comes again has the same id.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts import subjects
from contracts.market import Name, Nanoseconds, Side, Text
from contracts.numbers import AmountText, PriceText
from contracts.services.trading.orders import AccountName, OrderType, TradingModel

MOST_SIGNAL_BYTES: Final = 4096
CHANGED_SCHEMA: Final = "strategy/1"
DECIDED_SCHEMA: Final = "strategy_decision/1"
SIGNALLED_SCHEMA: Final = "strategy_signal/1"
REFUSED_SCHEMA: Final = "strategy_refusal/1"
Status = Literal["running", "paused", "stopped", "done"]
StrategyId = Annotated[
    str, Field(pattern=r"^[0-9a-f]{16}$", description="id of a strategy", examples=["5d41402abc4b2a76"])
]
Kind = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$", description="dca, grid, tpsl, or an own one", examples=["grid"])
]


class WantedOrder(TradingModel):
    """What a strategy wanted done: a place has side, type and amount; a cancel has only the client id."""

    what: Literal["place", "cancel"]
    client_id: Name
    side: Side | None = None
    type: OrderType | None = None
    amount: AmountText | None = None
    price: PriceText | None = None
    post_only: bool = False
    reduce_only: bool = False


class StrategyEvent(BaseModel):
    """What every event of a strategy carries."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")

    id: Name = Field(description="stable: an event that comes again has the same")
    ts: Nanoseconds = Field(description="when it came to be known, ns UTC")
    strategy: StrategyId
    owner: Name
    account: AccountName
    symbol: Name

    def subject_of(self, what: str) -> str:
        """Return where an event of this strategy is published."""
        return f"{subjects.STRATEGY}{what}.{self.strategy}"


class StrategyChanged(StrategyEvent):
    """A strategy was made, or runs, pauses or has ended; the newest number counts."""

    kind: Kind
    number: int = Field(ge=1, description="grows with each change")
    status: Status
    reason: Text | None
    by: Literal["owner", "itself"] = Field(description="who wanted it; by itself: bad data, errors, its end")

    @property
    def subject(self) -> str:
        """Where it is published."""
        return self.subject_of("changed")


class StrategyDecided(StrategyEvent):
    """What a strategy saw, and what it wanted done; those that wanted nothing are not published."""

    number: int = Field(ge=1, description="of its decisions: each once, in order")
    saw: Name = Field(description="id of the event")
    saw_kind: Name = Field(description="ticker, trade, candle, book, order, fill, refusal, signal, clock")
    now: Nanoseconds = Field(description="the time that it was given, ns UTC")
    wanted: list[WantedOrder]
    state: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of its state after it")

    @property
    def subject(self) -> str:
        """Where it is published."""
        return self.subject_of("decided")


class StrategySignalled(StrategyEvent):
    """A signed signal was taken."""

    body: str = Field(max_length=MOST_SIGNAL_BYTES, description="a JSON object, as it was signed")

    @property
    def subject(self) -> str:
        """Where it is published."""
        return self.subject_of("signalled")


class StrategyRefused(StrategyEvent):
    """An order of a strategy was refused before it was one."""

    client_id: Name
    code: Name
    reason: Text

    @property
    def subject(self) -> str:
        """Where it is published."""
        return self.subject_of("refused")
