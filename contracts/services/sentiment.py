"""`cmd.v1.market.sentiment`: a text, and how it sounds about the market."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from contracts.services.market import MarketQuery
from contracts.services.replies.market import ReplyModel

LONGEST_TEXT: Final = 5000


class SentimentQuery(MarketQuery):
    """A text in English or Indonesian: a headline, a post, an article."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT, description="English or Indonesian")]


class Keyword(ReplyModel):
    """A word or phrase that decided, as it stands in the text."""

    word: str
    weight: float = Field(ge=-1, le=1, description="how it counted there: below 0 bearish, above 0 bullish")


class SentimentReply(ReplyModel):
    """How the text sounds, and why."""

    sentiment: Literal["Bullish", "Bearish", "Neutral"]
    confidence: float = Field(ge=0, le=1, description="the share of the label among the three")
    keywords: list[Keyword] = Field(
        description="the weightiest first, 12 at most; none where nothing speaks for a side"
    )
    language: Literal["en", "id", "unknown"]
    timestamp: datetime = Field(description="when it was analyzed")
