"""Requests to the producers about their feeds: snapshots of books, new connections, pauses; replied is the outcome.

Every process that follows the exchange gets each request, and whoever publishes for it replies. A pause holds in all of
them until they are started again.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.commands import Command, command

OUTCOME_SECONDS: Final = 8.0  # for which an outcome is waited for
Venue = Annotated[str, Field(max_length=64, description="CCXT's id of the exchange")]


class FeedModel(BaseModel):
    """What every request and reply is."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")


class ResyncQuery(FeedModel):
    """Get fresh snapshots of books."""

    venue: Venue
    symbol: str | None = Field(
        default=None, max_length=64, description="unified (CCXT) symbol; null: every book of the exchange"
    )
    wait: bool = Field(default=True, description="reply when the books are live with their new snapshots")


class ReconnectQuery(FeedModel):
    """Close an exchange's connections and open them again."""

    venue: Venue


class PauseQuery(FeedModel):
    """Close an exchange's connections, and leave them closed until they are resumed."""

    venue: Venue


class ResumeQuery(FeedModel):
    """Open the connections of an exchange that is paused."""

    venue: Venue


class BookRuleReply(FeedModel):
    """How the venue's deltas make a book (runtime.book.rule.BookRule), and the name of its checksum."""

    chain: Literal["exact", "overlap", "none"]
    depth: int | None = None
    seed_depth: int | None = None
    proven: bool = False
    checksum: str | None = None


class ResyncReply(FeedModel):
    """What came of it; where another process keeps the books, the snapshots are published as deltas."""

    outcome: Literal["requested", "pending", "live", "late"] = Field(
        description="live: the books are, with new snapshots; late: not all of them in time; of a request that does "
        "not wait: requested, or pending where a snapshot is being waited for already"
    )
    rule: BookRuleReply
    seconds: float | None = Field(default=None, description="until they were live; null where that is not known")
    books: int = Field(default=1, description="how many were asked for")
    waiting: list[str] = Field(default_factory=list[str], description="symbols of the books that are not live yet")


class FeedReply(FeedModel):
    """What came of it."""

    outcome: Literal["live", "late", "paused"] = Field(
        description="live: every connection is open, subscribed, its books proven; late: not so in time; paused: closed"
    )
    seconds: float = Field(description="until then")
    connections: int = Field(description="how many the exchange has here")
    reason: str | None = Field(default=None, description="of a late one: what is waited for")


COMMANDS: Final[tuple[Command, ...]] = (
    command("feed.resync", ResyncQuery, ResyncReply, OUTCOME_SECONDS + 2, served_by="producers"),
    command("feed.reconnect", ReconnectQuery, FeedReply, OUTCOME_SECONDS + 2, served_by="producers"),
    command("feed.pause", PauseQuery, FeedReply, OUTCOME_SECONDS + 2, served_by="producers"),
    command("feed.resume", ResumeQuery, FeedReply, OUTCOME_SECONDS + 2, served_by="producers"),
)
