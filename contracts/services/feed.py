"""Requests to the producers about a feed: a fresh snapshot of a book, for who keeps it in their place."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.commands import Command, command


class FeedModel(BaseModel):
    """What every request and reply is."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class ResyncQuery(FeedModel):
    """Whose book."""

    venue: str = Field(max_length=64, description="CCXT's id of the exchange")
    symbol: str = Field(max_length=64, description="unified (CCXT) symbol")


class BookRuleReply(FeedModel):
    """How the venue's deltas make a book (runtime.book.rule.BookRule), and the name of its checksum."""

    chain: Literal["exact", "overlap", "none"]
    depth: int | None = None
    seed_depth: int | None = None
    proven: bool = False
    checksum: str | None = None


class ResyncReply(FeedModel):
    """What came of it; only the process that follows the instrument replies, and publishes the snapshot as a delta."""

    outcome: Literal["requested", "pending"] = Field(description="pending: a snapshot is being waited for already")
    rule: BookRuleReply


COMMANDS: Final[tuple[Command, ...]] = (command("feed.resync", ResyncQuery, ResyncReply, 2.0, served_by="producers"),)
