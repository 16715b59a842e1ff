"""The envelope of good answers under `/gpt`, `/multi`, `/webhooks` and `/admin`, for routes that return models."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from runtime import clock

T = TypeVar("T")


def utc(ts_ns: int) -> datetime:
    """Return a time of the bus (ns UTC) as answers write it, to the microsecond."""
    return datetime.fromtimestamp(ts_ns // 1000 / 1_000_000, UTC)


class Success(BaseModel, Generic[T]):
    """`{"success": true, "data": …, "timestamp": …}`."""

    success: Literal[True] = True
    data: T
    timestamp: datetime = Field(default_factory=lambda: utc(clock.now_ns()))
