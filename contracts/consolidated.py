"""The consolidated market: one ticker and one book of every fresh venue of a base, quote and contract, venue `all`.

They are the Ticker and the BookSnapshot of one venue with fields beside: whoever reads those reads these.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from contracts.market import MOST_IDS, BookSnapshot, Event, Ids, Name, Quality, Ticker

Reason = Literal["stale", "outlier", "contracts"]
LeftOut = Annotated[
    list[tuple[Name, Reason]],
    Field(
        max_length=MOST_IDS,
        description="[[venue, why], …]: stale; outlier: its price is more than 5 percent from the middle; contracts: "
        "its amounts are contracts of unknown size",
    ),
]
Used = Annotated[Ids, Field(description="the venues that it is made of")]


class ConsolidatedTicker(Ticker):
    """The volume-weighted price of every fresh venue, best bid and offer of all of them (which may cross), sums."""

    kind: ClassVar[str] = "consolidated_ticker"
    schema_kind: ClassVar[str | None] = Ticker.kind

    quality: Quality
    used: Used
    left_out: LeftOut


class ConsolidatedBook(BookSnapshot):
    """The books of every fresh venue merged by price; crossed where one venue bids more than another asks."""

    kind: ClassVar[str] = "consolidated_book"
    schema_kind: ClassVar[str | None] = BookSnapshot.kind

    crossed: bool
    used: Used
    left_out: LeftOut


CONSOLIDATED_EVENTS: Final[tuple[type[Event], ...]] = (ConsolidatedTicker, ConsolidatedBook)
