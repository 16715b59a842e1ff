"""Which of some media types an `Accept` header prefers. Pure."""

from __future__ import annotations

from typing import Final

HTML: Final = "text/html"
JSON: Final = "application/json"


def preferred(accept: str | None, offered: tuple[str, ...]) -> str:
    """Return the offered type that is preferred; the first one where several are, or none."""
    ranges = [_read(part) for part in (accept or "*/*").split(",")]
    return max(offered, key=lambda kind: _quality(kind, ranges))  # of equals max returns the first


def _read(text: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    for parameter in parameters:
        label, _, value = parameter.partition("=")
        if label.strip() == "q":
            return name, _number(value.strip())
    return name, 1.0


def _number(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0


def _quality(kind: str, ranges: list[tuple[str, float]]) -> float:
    """Return the quality of the most specific range that a type falls in."""
    for wanted in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
        found = [quality for name, quality in ranges if name == wanted]
        if found:
            return max(found)
    return 0.0
