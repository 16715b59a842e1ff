"""Figures of requests: what a batch adds, and what several add up to. Pure.

Durations are counted in classes that are 5 % wide, so that figures of any span are sums and percentiles stay exact to
that. A tally has a bounded number of names in each list; what comes later is counted under `(other)`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final

from contracts.services.analytics import EndpointStats, Figures, Named, Percentiles, RequestRow, Stretch

OTHER: Final = "(other)"
MOST_NAMES: Final = 300  # of endpoints, symbols, keys and codes in one tally
MOST_LISTED: Final = 50
_WIDTH: Final = math.log(1.05)
_LEAST: Final = 0.01  # milliseconds of the first class
_FAILED: Final = 500
_REFUSED: Final = 400
_MINUTE_NS: Final = 60_000_000_000
_STRETCHES: Final = tuple(minutes * _MINUTE_NS for minutes in (5, 15, 60, 180, 360, 1440))
_MOST_STRETCHES: Final = 100
Stored = dict[str, Any]
Numbers = Counter[int]


def duration_class(ms: float) -> int:
    """Return the class of a duration."""
    return 0 if ms <= _LEAST else math.ceil(math.log(ms / _LEAST) / _WIDTH)


def class_limit(number: int) -> float:
    """Return the longest duration of a class in milliseconds."""
    return float(f"{_LEAST * math.exp(number * _WIDTH):.4g}")


@dataclass
class EndpointTally:
    """The figures of one method and route: requests by class of duration and by status."""

    slowest: float = 0.0
    durations: Numbers = field(default_factory=Numbers)
    statuses: Numbers = field(default_factory=Numbers)

    def add(self, other: EndpointTally) -> None:
        """Count what another one counted."""
        self.slowest = max(self.slowest, other.slowest)
        self.durations.update(other.durations)
        self.statuses.update(other.statuses)


@dataclass
class Tally:
    """The figures of some requests; `endpoints` by `METHOD route`."""

    dropped: int = 0
    hits: int = 0
    cacheable: int = 0
    endpoints: dict[str, EndpointTally] = field(default_factory=dict[str, EndpointTally])
    symbols: Counter[str] = field(default_factory=Counter[str])
    keys: Counter[str] = field(default_factory=Counter[str])
    errors: Counter[str] = field(default_factory=Counter[str])

    def add_row(self, row: RequestRow) -> None:
        """Count one request."""
        name = _bounded(self.endpoints, f"{row.method} {row.endpoint}")
        endpoint = self.endpoints.setdefault(name, EndpointTally())
        endpoint.add(EndpointTally(row.ms, Numbers({duration_class(row.ms): 1}), Numbers({row.status: 1})))
        if row.cached is not None:
            self.cacheable += 1
            self.hits += row.cached
        for names, name in ((self.symbols, row.symbol), (self.keys, row.key), (self.errors, row.error)):
            if name is not None:
                names[_bounded(names, name)] += 1

    def add(self, other: Tally) -> None:
        """Count what another one counted."""
        self.dropped += other.dropped
        self.hits += other.hits
        self.cacheable += other.cacheable
        for name, endpoint in other.endpoints.items():
            self.endpoints.setdefault(name, EndpointTally()).add(endpoint)
        self.symbols.update(other.symbols)
        self.keys.update(other.keys)
        self.errors.update(other.errors)

    def all_endpoints(self) -> EndpointTally:
        """Return the figures of all routes together."""
        total = EndpointTally()
        for endpoint in self.endpoints.values():
            total.add(endpoint)
        return total

    def encode(self) -> Stored:
        """Return it as a document stores it: names are values, because they may have dots."""
        return {
            **{name: getattr(self, name) for name in _NUMBERS},
            **{name: _pairs(getattr(self, name)) for name in _LISTS},
            "endpoints": [
                [
                    name,
                    one.slowest,
                    [list(item) for item in one.durations.items()],
                    list(map(list, one.statuses.items())),
                ]
                for name, one in self.endpoints.items()
            ],
        }

    @classmethod
    def decode(cls, stored: Stored) -> Tally:
        """Return what `encode` was given."""
        tally = cls(**{name: stored[name] for name in _NUMBERS})
        for name in _LISTS:
            getattr(tally, name).update(dict(stored[name]))
        for name, slowest, durations, statuses in stored["endpoints"]:
            tally.endpoints[name] = EndpointTally(slowest, Numbers(dict(durations)), Numbers(dict(statuses)))
        return tally


_NUMBERS: Final = ("dropped", "hits", "cacheable")
_LISTS: Final = ("symbols", "keys", "errors")


def tally_of(rows: Iterable[RequestRow], dropped: int = 0) -> Tally:
    """Return the figures of these requests."""
    tally = Tally(dropped=dropped)
    for row in rows:
        tally.add_row(row)
    return tally


def sum_of(tallies: Iterable[Tally]) -> Tally:
    """Return what several counted together."""
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total


def describe(tally: Tally) -> Figures:
    """Return the figures as they are answered."""
    total = tally.all_endpoints()
    requests = sum(total.statuses.values())
    return Figures(
        requests=requests,
        dropped=tally.dropped,
        success_rate=1 - _between(total.statuses, _FAILED, 600) / requests if requests else None,
        cache_hit_rate=tally.hits / tally.cacheable if tally.cacheable else None,
        ms=percentiles(total),
        endpoints=_endpoints(tally),
        symbols=_named(tally.symbols),
        keys=_named(tally.keys),
        statuses=_named(Counter({str(status): count for status, count in total.statuses.items()})),
        errors=_named(tally.errors),
    )


def percentiles(tally: EndpointTally) -> Percentiles | None:
    """Return the percentiles of the durations; None for none."""
    total = sum(tally.durations.values())
    if not total:
        return None
    classes = sorted(tally.durations)
    passed = list(accumulate(tally.durations[number] for number in classes))

    def at(share: float) -> float:
        wanted = math.ceil(share * total)
        number = next(number for number, seen in zip(classes, passed, strict=True) if seen >= wanted)
        return min(class_limit(number), tally.slowest)

    return Percentiles(p50=at(0.5), p90=at(0.9), p95=at(0.95), p99=at(0.99), max=tally.slowest)


def stretch_length(span_ns: int) -> int:
    """Return the length in ns of the parts in which a span is shown: at most about a hundred of them."""
    return next((length for length in _STRETCHES if span_ns <= length * _MOST_STRETCHES), _STRETCHES[-1])


def describe_stretch(start_ts: int, tally: Tally) -> Stretch:
    """Return the figures of one part of a span."""
    total = tally.all_endpoints()
    return Stretch(
        start_ts=start_ts,
        requests=sum(total.statuses.values()),
        errors=_between(total.statuses, _FAILED, 600),
        refused=_between(total.statuses, _REFUSED, _FAILED),
        ms=percentiles(total),
    )


def slowest_rows(rows: Sequence[RequestRow], count: int) -> list[RequestRow]:
    """Return the requests that took longest, the longest first."""
    return sorted(rows, key=lambda row: (-row.ms, row.ts))[:count]


def _endpoints(tally: Tally) -> list[EndpointStats]:
    found: list[EndpointStats] = []
    for name, one in tally.endpoints.items():
        method, _, route = name.partition(" ")
        found.append(
            EndpointStats(
                endpoint=route or OTHER,
                method=method,
                requests=sum(one.statuses.values()),
                errors=_between(one.statuses, _FAILED, 600),
                refused=_between(one.statuses, _REFUSED, _FAILED),
                ms=percentiles(one),
            )
        )
    return sorted(found, key=lambda row: (-row.requests, row.endpoint, row.method))[:MOST_LISTED]


def _pairs(counts: Counter[Any]) -> list[list[Any]]:
    return [list(item) for item in counts.items()]


def _between(statuses: Numbers, first: int, end: int) -> int:
    return sum(count for status, count in statuses.items() if first <= status < end)


def _named(names: Counter[str]) -> list[Named]:
    ordered = sorted(names.items(), key=lambda item: (-item[1], item[0]))[:MOST_LISTED]
    return [Named(name=name, requests=count) for name, count in ordered]


def _bounded(names: Counter[str] | dict[str, EndpointTally], name: str) -> str:
    return name if name in names or len(names) < MOST_NAMES else OTHER
