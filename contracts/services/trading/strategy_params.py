"""What each kind of strategy is given: `params` of `CreateStrategy`, held to what makes sense together."""

from __future__ import annotations

from decimal import Decimal
from functools import reduce
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.arithmetic.exact import EXACT
from contracts.numbers import AmountText
from contracts.services.trading.orders import Amount, OrderId, Price

Percent = Annotated[AmountText, Field(gt=0, le=1000, description="percent; a decimal as text", examples=["2.5"])]
Below = Annotated[AmountText, Field(gt=0, lt=100, description="percent; a decimal as text", examples=["5"])]


class ParamsModel(BaseModel):
    """What the params of every kind are: a field that it does not have is refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", cache_strings="keys")


class SafetyOrders(ParamsModel):
    """Buys below the first one: the n-th `n * step_percent` below its price, of `amount * volume_scale ^ n`."""

    count: int = Field(ge=1, le=50, description="how many")
    step_percent: Below = Field(description="from one to the next, of the first one's price")
    volume_scale: AmountText = Field(gt=0, le=10, description="how much larger each is than the one before it")

    @model_validator(mode="after")
    def _above_zero(self) -> Self:
        """Refuse steps that lead to zero."""
        if EXACT.multiply(self.step_percent, Decimal(self.count)) >= Decimal(100):
            raise ValueError("count times step_percent must be below 100")
        return self


class DcaParams(ParamsModel):
    """Buy at intervals, or once and again as the price falls; sell all at a profit."""

    amount: Amount
    interval_seconds: int | None = Field(default=None, ge=10, le=366 * 86_400, description="from one buy to the next")
    safety_orders: SafetyOrders | None = Field(default=None, description="buys below the first one")
    take_profit_percent: Percent | None = Field(default=None, description="above the average price paid: sell all")
    stop_percent: Below | None = Field(default=None, description="below the average price paid: sell all, and end")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Refuse what would buy once and do nothing more."""
        if self.interval_seconds is None and self.safety_orders is None:
            raise ValueError("dca needs interval_seconds or safety_orders")
        return self


class GridParams(ParamsModel):
    """Buy at each level, sell one level above it, again and again."""

    lower: Price = Field(description="the lowest level")
    upper: Price = Field(description="the highest level: it is only sold at")
    levels: int = Field(ge=2, le=200, description="how many levels, with the lowest and the highest")
    spacing: Literal["arithmetic", "geometric"] = Field(description="levels apart by an amount, or by a factor")
    amount: Amount

    @model_validator(mode="after")
    def _rising(self) -> Self:
        """Refuse a grid without height."""
        if self.lower >= self.upper:
            raise ValueError("lower must be below upper")
        return self


class TakeProfit(ParamsModel):
    """One step of taking profit."""

    percent: Percent = Field(description="above the price paid")
    share: AmountText = Field(gt=0, le=100, description="percent of the position")


class TpslParams(ParamsModel):
    """Sell a position in steps of profit, or all of it at a stop; one cancels the other."""

    amount: Amount | None = Field(default=None, description="of what is held, at the price of the start")
    order_id: OrderId | None = Field(default=None, description="what this buy has executed, at its average price")
    take_profit: list[TakeProfit] = Field(max_length=20, description="the steps, the lowest first")
    stop_percent: Below = Field(description="below the price paid: sell all")
    trailing_percent: Below | None = Field(default=None, description="the stop follows the highest price at this width")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Hold it to one position and to at most all of it, in rising steps."""
        if (self.amount is None) == (self.order_id is None):
            raise ValueError("tpsl needs amount or order_id, not both")
        if reduce(EXACT.add, (step.share for step in self.take_profit), Decimal(0)) > Decimal(100):
            raise ValueError("the shares of take_profit come to more than 100")
        percents = [step.percent for step in self.take_profit]
        if any(later <= earlier for earlier, later in pairwise(percents)):
            raise ValueError("the steps of take_profit rise")
        return self
