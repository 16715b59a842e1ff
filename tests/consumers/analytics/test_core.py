"""Figures of requests against plain sums over the same rows."""

from __future__ import annotations

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from consumers.analytics.core import MOST_NAMES, OTHER, Tally, describe, duration_class, slowest_rows, tally_of
from contracts.services.analytics import RequestRow

ROWS = st.lists(
    st.builds(
        RequestRow,
        ts=st.integers(0, 10**18),
        endpoint=st.sampled_from(["/gpt/raw", "/multi/ticker/{symbol}", "(unknown)"]),
        method=st.sampled_from(["GET", "POST"]),
        status=st.sampled_from([200, 304, 404, 429, 500, 503]),
        ms=st.floats(0, 30_000, allow_nan=False),
        key=st.sampled_from([None, "abcd…", "efgh…"]),
        symbol=st.sampled_from([None, "BTC", "BTC/USDT:USDT", "a.b$c"]),
        error=st.sampled_from([None, "RATE_LIMITED"]),
        cached=st.sampled_from([None, True, False]),
    ),
    max_size=60,
)


@given(ROWS)
def test_figures_are_the_sums_of_the_rows(rows: list[RequestRow]) -> None:
    figures = describe(tally_of(rows, dropped=3))
    assert (figures.requests, figures.dropped) == (len(rows), 3)
    if not rows:
        assert (figures.success_rate, figures.ms, figures.cache_hit_rate) == (None, None, None)
        return
    assert math.isclose(figures.success_rate or 0, sum(row.status < 500 for row in rows) / len(rows))
    cacheable = [row.cached for row in rows if row.cached is not None]
    assert figures.cache_hit_rate == (sum(cacheable) / len(cacheable) if cacheable else None)
    assert {item.name: item.requests for item in figures.symbols} == {
        name: sum(row.symbol == name for row in rows) for name in {row.symbol for row in rows} if name is not None
    }
    for endpoint in figures.endpoints:
        own = [row for row in rows if (row.endpoint, row.method) == (endpoint.endpoint, endpoint.method)]
        assert endpoint.requests == len(own)
        assert endpoint.errors == sum(row.status >= 500 for row in own)
        assert endpoint.refused == sum(400 <= row.status < 500 for row in own)
    assert [item.requests for item in figures.endpoints] == sorted(
        (e.requests for e in figures.endpoints), reverse=True
    )


@given(ROWS)
def test_percentiles_are_exact_to_five_percent(rows: list[RequestRow]) -> None:
    found = describe(tally_of(rows)).ms
    ordered = sorted(row.ms for row in rows)
    if not ordered:
        assert found is None
        return
    assert found is not None
    for share, value in ((0.5, found.p50), (0.9, found.p90), (0.95, found.p95), (0.99, found.p99)):
        exact = ordered[math.ceil(share * len(ordered)) - 1]
        assert exact * 0.999 <= value <= max(exact * 1.051, 0.0101)
    assert found.max == ordered[-1]


@given(ROWS, ROWS)
def test_sums_of_parts_are_the_figures_of_all_and_survive_a_document(
    first: list[RequestRow], rest: list[RequestRow]
) -> None:
    parts = Tally.decode(json.loads(json.dumps(tally_of(first).encode())))
    parts.add(Tally.decode(json.loads(json.dumps(tally_of(rest).encode()))))
    assert describe(parts) == describe(tally_of(first + rest))


def test_names_are_bounded_and_nothing_is_uncounted() -> None:
    rows = [make_row(symbol=f"S{number}", endpoint=f"/x/{number}") for number in range(2 * MOST_NAMES)]
    tally = tally_of(rows)
    assert sum(tally.symbols.values()) == len(rows)
    assert tally.symbols[OTHER] == MOST_NAMES
    assert len(tally.endpoints) == MOST_NAMES + 1
    assert describe(tally).requests == len(rows)


def test_durations_of_a_class_differ_by_five_percent() -> None:
    assert duration_class(100.0) == duration_class(100.1)
    assert duration_class(106.0) > duration_class(100.0)
    assert duration_class(0.0) == 0


def test_the_slowest_come_first() -> None:
    rows = [make_row(ms=float(ms)) for ms in (5, 900, 1, 30)]
    assert [row.ms for row in slowest_rows(rows, 3)] == [900, 30, 5]


def make_row(**fields: object) -> RequestRow:
    values = {"ts": 1, "endpoint": "/gpt/raw", "method": "GET", "status": 200, "ms": 1.0}
    return RequestRow.model_validate({**values, **fields})
