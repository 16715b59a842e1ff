"""The newest events of an instrument or a base, the newest first: where one that came late belongs. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from contracts.numbers import time_of

FastEvent = Any  # a struct of `contracts.codec.fast`


def find_place(held: Sequence[FastEvent], event: FastEvent) -> int:
    """Return the place of the first that is not newer, by the venue's time; the length where all are newer."""
    ts = time_of(event.ts_event, event.ts_recv)
    return next((at for at, one in enumerate(held) if time_of(one.ts_event, one.ts_recv) <= ts), len(held))


def insert_by_time(held: deque[FastEvent], event: FastEvent) -> bool:
    """Put an event in its place; False where all that fit are newer. `held` is bounded: the oldest makes room."""
    place = find_place(held, event)
    if place == held.maxlen:
        return False
    if len(held) == held.maxlen:
        held.pop()
    held.insert(place, event)
    return True
