"""The ledger of coverage: `market.coverage`, and the documents of the COVERAGE bucket that it is answered from.

Of each instrument and channel every second is one of four: `live` (received as it happened), `sampled` (as live, but
the venue publishes only a sample of the channel), `filled` (got later, by REST), `unknown` (it may lack something).
"""

from __future__ import annotations

import operator
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.arithmetic.moments import Moment
from contracts.market import Nanoseconds, Serves
from contracts.numbers import AmountText
from contracts.services.market import SymbolQuery, Venue
from contracts.services.replies.market import Quality, ReplyModel

MOST_ROWS: Final = 1500  # of one instrument: a day of minutes, two months of hours
MOST_ROWS_TOGETHER: Final = 8000  # of one reply, which has to fit into a message of the bus
STEPS: Final = {"1m": 60, "1h": 3600, "1d": 86_400}  # seconds
DEFAULT_SECONDS: Final = 3600  # of a span whose beginning is not said

Channel = Literal["trade", "liquidation", "book"]
Step = Literal["1m", "1h", "1d"]
Seconds = Annotated[int, Field(ge=0)]
Percent = Annotated[AmountText, Field(description="of the span: what is live, sampled or filled; exact, as text")]


class CoverageQuery(SymbolQuery):
    """How much of a span was received of a symbol, on each exchange: by the minute, hour or day."""

    venue: Venue = None
    channel: Channel = Field(default="trade", description="of which events")
    step: Step = Field(default="1m", description="the length of a row")
    from_: Moment | None = Field(
        default=None,
        alias="from",
        description="beginning of the span: ISO 8601, or seconds or milliseconds since 1970; by default an hour "
        "before its end. In whole seconds",
    )
    to: Moment | None = Field(default=None, description="end of the span, by default now, and never later")

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)


class CoverageTotals(ReplyModel):
    """Seconds by what they were; their sum is the length of what they are of."""

    live: Seconds = Field(description="seconds in which everything was received as it happened")
    sampled: Seconds = Field(description="seconds in which it was, of a channel that the exchange samples")
    filled: Seconds = Field(description="seconds that were filled in later")
    unknown: Seconds = Field(description="seconds that may lack something")


class CoverageRow(CoverageTotals):
    """One minute, hour or day (UTC), cut to the span."""

    timestamp: datetime = Field(description="when it begins, or the span within it")


class VenueCoverage(ReplyModel):
    """One instrument's coverage."""

    venue: str = Field(description="CCXT's id of the exchange")
    symbol: str = Field(description="the unified symbol of the instrument")
    channel: Channel
    since: datetime | None = Field(description="when its ledger begins, all before is unknown; null for none")
    rows: list[CoverageRow] = Field(description="oldest first, without a hole")
    totals: CoverageTotals
    percent: Percent


class CoverageReply(ReplyModel):
    """The coverage of a symbol on each exchange that has it."""

    symbol: str
    channel: Channel
    step: Step
    from_: datetime = Field(alias="from")
    to: datetime
    venues: list[VenueCoverage]
    percent: Percent = Field(description="of all of them together")
    age: float = Field(description="seconds since the ledger was last known to be up to date, or since it was asked")
    quality: Quality = Field(description="live while the ledger is up to date, else stale")


# ---- the COVERAGE bucket
KEY_VENUE: Final = "venue."  # <venue>: VenueLedger
KEY_HOUR: Final = "hour."  # <venue>.<hours since 1970>: HourLedger; where all was live there is none
KEY_SEEN: Final = "seen"  # SeenLedger
KEY_PLACE: Final = "place"  # LedgerPlace
HOUR_NS: Final = 3600 * 1_000_000_000
KEPT_HOURS: Final = 30 * 24  # as long as the bucket keeps them
Offsets = list[tuple[int, int]]
"""[from, to) in ns from the beginning of the hour, oldest first, disjoint."""


class LedgerDocument(BaseModel):
    """What every document of the ledger is. Times are ns UTC by our clocks."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")


class VenueLedger(LedgerDocument):
    """One venue: when the ledger of each channel begins, what is interrupted now, and what it only samples."""

    since: dict[str, Nanoseconds] = Field(description="by channel")
    begun: dict[str, Nanoseconds] = Field(description="by symbol: since when it is followed")
    ended: dict[str, Nanoseconds] = Field(default={}, description="by symbol: since when it is not any more")
    lasting: list[tuple[str | None, str | None, Nanoseconds]] = Field(
        description="[channel, symbol, since when]: interrupted and not live again; null stands for all of them"
    )
    sampled: list[str] = Field(description="channels of which the venue publishes only a sample")
    connections: list[tuple[str | None, str | None, str, Nanoseconds]] = Field(
        default=[],
        description="[channel, symbol, connection, since when]: as `lasting`, of what comes over one connection",
    )
    serves: dict[str, Serves] = Field(default={}, description="by connection, as far as that is known")


class HourRow(LedgerDocument):
    """What of one hour was lost or filled; `channel` and `symbol` null stand for all of them.

    With a `connection`, of what comes over that one only; of any instrument where the hour has no list of it.
    """

    channel: str | None
    symbol: str | None
    lost: Offsets
    filled: Offsets = []
    connection: str | None = Field(default=None, exclude_if=operator.not_)


class HourLedger(LedgerDocument):
    """One venue's hour: first what is of all its instruments, then what is of some of them beyond that."""

    rows: list[HourRow]
    serves: dict[str, Serves] = Field(default={}, description="by connection of a row, what it served")


class SeenLedger(LedgerDocument):
    """By venue, until when it is known that its producers lived: what comes after that is unknown."""

    venues: dict[str, Nanoseconds]


class LedgerPlace(LedgerDocument):
    """Up to where the feeds' events were folded, and what was last known of each unit's lease: [token, seen]."""

    seq: int
    time_ns: Nanoseconds
    units: dict[str, tuple[int, Nanoseconds]]
