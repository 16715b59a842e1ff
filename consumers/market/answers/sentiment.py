"""`market.sentiment`: how a text sounds. Pure."""

from __future__ import annotations

from typing import Any

from consumers.market.sentiment.core import Analyzer
from contracts.schema.literals import iso
from contracts.services.sentiment import SentimentQuery


def compose_sentiment(analyzer: Analyzer, query: SentimentQuery, now_ns: int) -> dict[str, Any]:
    """Return the reply to a text."""
    found = analyzer.analyze(query.text)
    return {
        "sentiment": found.label,
        "confidence": found.confidence,
        "keywords": [{"word": keyword.word, "weight": keyword.weight} for keyword in found.keywords],
        "language": found.language,
        "timestamp": iso(now_ns),
    }
