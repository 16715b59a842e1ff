"""How a strategy stands beside its own state: its status, its feed, what it has made, and what is to be sent. Pure."""

from __future__ import annotations

from typing import Literal

from contracts.services.trading.strategy_events import Status, WantedOrder
from runtime.strategies.holdings import Holdings
from runtime.strategies.orders import StateModel
from runtime.strategies.quality import Feed

By = Literal["owner", "itself"]


class Held(StateModel):
    """Something wanted that is not known to be done. Only what is released is sent."""

    wanted: WantedOrder
    released: bool


class Control(StateModel):
    """How a strategy stands beside its own state; `number` counts decisions, `version` changes of the status."""

    status: Status = "running"
    reason: str | None = None
    waiting: bool = False  # paused because of the data: it goes on when that is live again
    by: By = "owner"
    number: int = 0
    version: int = 1
    refused: int = 0  # orders in a row
    feed: Feed = Feed()
    holdings: Holdings = Holdings()
    held: tuple[Held, ...] = ()
    minute_ns: int = 0  # when the minute began in which placed orders are counted
    placed: int = 0
