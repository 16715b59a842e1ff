"""What makes the terms of a text count more or less: words beside them, capitals, marks, percentages. Pure."""

from __future__ import annotations

from consumers.market.sentiment.items import ACTS, Item, Scored
from consumers.market.sentiment.tokens import Token


def emphasize(made: Scored) -> None:
    """Make items count more or less: by the words beside them, by capitals, exclamation marks and percentages."""
    shouts = any(token.kind == "word" and not token.text.isupper() and len(token.text) > 1 for token in made.tokens)
    marks = min(3, sum(token.kind == "exclamation" for token in made.tokens))
    for item in made.items:
        for match in (made.ends.get(item.start), made.ends.get(item.start - 1), made.marks.get(item.end)):
            if match is not None:
                item.value *= match.kinds.get("boost", 1.0) * match.kinds.get("damp", 1.0)
        text = made.tokens[item.start].text
        if shouts and len(text) > 3 and text.isupper() and item.kind in ACTS:  # noqa: PLR2004 - tickers are short
            item.value *= 1.2
        if item.kind in {"up", "down", "cut", "raise"}:
            item.value *= _percent_factor(made, item)
        item.value *= 1 + 0.08 * marks


def _percent_factor(made: Scored, item: Item) -> float:
    """Return how much a move counts by its percentage: less below 2, more from 5 on."""
    for token in made.tokens[item.end : item.end + 3]:
        percent = _percent(token)
        if percent is not None:
            return 0.2 if percent < 0.5 else 0.5 if percent < 2 else 1.0 + min(percent, 50.0) / 50  # noqa: PLR2004 - as the docstring says
    return 1.0


def _percent(token: Token) -> float | None:
    word = token.word
    if token.kind != "figure" or not word.endswith(("%", "persen", "percent", "pct")):
        return None
    digits = "".join(char for char in word if char.isdigit() or char in ".,").replace(",", ".")
    try:
        return float(digits)
    except ValueError:
        return None
