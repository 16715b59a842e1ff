"""Spans of time, [from, to) in ns UTC: joined, subtracted, cut and measured. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

SECOND: Final = 1_000_000_000
Span = tuple[int, int]


def join(spans: Iterable[Span]) -> list[Span]:
    """Return the same time in spans that are disjoint, oldest first; what touches becomes one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def subtract(spans: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """Return what of the spans lies in none of the others; both are as `join` returns them, so is the result."""
    left: list[Span] = []
    first = 0
    for start, end in spans:
        at = start
        while first < len(others) and others[first][1] <= start:
            first += 1
        for other in others[first:]:
            if other[0] >= end:
                break
            if other[0] > at:
                left.append((at, other[0]))
            at = max(at, other[1])
        if at < end:
            left.append((at, end))
    return left


def cut(spans: Iterable[Span], start: int, end: int) -> list[Span]:
    """Return what of the spans lies between two times."""
    return [(max(one, start), min(other, end)) for one, other in spans if one < end and other > start]


def snap(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in whole seconds: each end at the nearest one, each span a second long at least."""
    snapped: list[Span] = []
    for start, end in spans:
        first, last = (start + SECOND // 2) // SECOND, (end + SECOND // 2) // SECOND
        if first == last:
            first, last = start // SECOND, start // SECOND + 1
        snapped.append((first * SECOND, last * SECOND))
    return join(snapped)


def measure(spans: Sequence[Span], edges: Sequence[int]) -> list[int]:
    """Return how much (ns) of the spans, disjoint and in order, lies between each edge and the next one."""
    found = [0] * (len(edges) - 1)
    row = 0
    for start, end in spans:
        while row < len(found) and edges[row + 1] <= start:
            row += 1
        at = row
        while at < len(found) and edges[at] < end:
            found[at] += min(end, edges[at + 1]) - max(start, edges[at])
            at += 1
    return found
