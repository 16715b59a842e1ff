"""What `/admin/cache` takes and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from contracts.services.cache import LONGEST_KEY, LONGEST_PIN
from contracts.services.replies.market import ClassStatus

KeyInPath = Annotated[
    str,
    Path(
        min_length=1,
        max_length=LONGEST_KEY,
        description="`market_data:{symbol}:{type}`, `aggregated_data:{symbol}`, `multi_ticker:{symbol}` or "
        "`multi_orderbook:{symbol}`, in any case; `.` may stand for `:`, and `all` for a symbol that is none",
    ),
]


class NewValue(BaseModel):
    """An answer that stands in for the market core's."""

    model_config = ConfigDict(extra="forbid")

    value: dict[str, Any] = Field(description="the reply of the key's command: what `nats request` gives")
    ttl: Annotated[int, Field(ge=1, le=LONGEST_PIN, strict=True)] | None = Field(
        None, description="seconds for which it is served; GPT_API_CACHE_TTL where it is not given"
    )


class DropParameters(BaseModel):
    """Which keys."""

    model_config = ConfigDict(extra="forbid")

    pattern: str = Field(
        min_length=1, max_length=LONGEST_KEY, description="of keys, `*` for any text: `market_data:BTC:*`"
    )


class ClassFigures(ClassStatus):
    """One class."""

    seconds: float | None = Field(description="for how long it is kept; null where that is said with each")
    hit_rate: float | None = Field(description="hits of hits and misses, from 0 to 1; null without any")


class Pinned(BaseModel):
    """An answer that was put."""

    key: str
    since: datetime
    until: datetime


class CacheOverview(BaseModel):
    """What is kept, in this process and in the market core that answered."""

    enabled: bool
    classes: dict[str, ClassFigures] = Field(description="of this process")
    commands: dict[str, ClassFigures] = Field(description="of the class `live`, by command")
    core: dict[str, ClassFigures] | None = Field(description="of the market core; null where it does not answer")
    pinned: list[Pinned]


class KeptAnswer(BaseModel):
    """One kept reply."""

    parameters: dict[str, Any] = Field(description="those that are not as by default")
    age: float = Field(description="seconds since it arrived")
    live: bool = Field(
        description="whether it answers at once; later it answers only, as stale, for a core that is away"
    )
    value: Any


class KeptUnder(BaseModel):
    """What this process keeps under a key."""

    key: str
    command: str
    entries: list[KeptAnswer] = Field(description="at most 50")
    total: int
    pinned: Pinned | None


class Put(Pinned):
    """What was put, as it is served."""

    value: dict[str, Any]


class Dropped(BaseModel):
    """What was dropped."""

    dropped: int = Field(description="kept answers, in all processes that replied")
    replicas: int = Field(description="processes of the API that replied within 250 ms")
    cores: int = Field(description="market cores that replied within 250 ms")
    pinned: int = Field(description="answers that had been put and are taken away")
