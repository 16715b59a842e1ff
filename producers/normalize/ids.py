"""Ids of rows to which the venue gives none: made of what a row says, and numbered where a frame has equal rows."""

from __future__ import annotations


def distinct(seen: dict[str, int], event_id: str) -> str:
    """Return an id that no earlier row of the frame has: of equal rows the second one's ends in `-1`, and so on."""
    again = seen[event_id] = seen.get(event_id, -1) + 1
    return f"{event_id}-{again}" if again else event_id
