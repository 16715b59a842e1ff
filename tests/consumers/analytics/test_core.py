"""Figures of requests against plain sums over the same rows."""

from __future__ import annotations

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from consumers.analytics import core
from consumers.analytics.core import (
    MOST_NAMES,
    OTHER,
    EndpointTally,
    Tally,
    class_limit,
    describe,
    describe_stretch,
    duration_class,
    percentiles,
    slowest_rows,
    stretch_length,
    sum_of,
    tally_of,
)
from contracts.services.analytics import Named, RequestRow

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


def test_classes_begin_at_a_hundredth_of_a_millisecond_and_grow_by_five_percent() -> None:
    assert [duration_class(ms) for ms in (0.0, 0.01, 0.0105, 0.0106, 1.0)] == [0, 0, 1, 2, 95]
    assert [class_limit(number) for number in (0, 1, 2, 100)] == [0.01, 0.0105, 0.01103, 1.315]


def test_of_the_same_duration_the_earlier_request_comes_first() -> None:
    rows = [make_row(ts=ts, ms=ms) for ts, ms in ((3, 5.0), (1, 5.0), (2, 9.0))]
    assert [row.ts for row in slowest_rows(rows, 9)] == [2, 1, 3]


def test_what_succeeds_fails_and_is_refused_goes_by_the_status() -> None:
    tally = tally_of([make_row(status=status) for status in (200, 399, 400, 499, 500, 599)])
    assert describe(tally).success_rate == 1 - 2 / 6
    (endpoint,) = describe(tally).endpoints
    assert (endpoint.requests, endpoint.errors, endpoint.refused) == (6, 2, 2)
    stretch = describe_stretch(7, tally)
    assert (stretch.start_ts, stretch.requests, stretch.errors, stretch.refused) == (7, 6, 2, 2)
    assert stretch.ms == percentiles(tally.all_endpoints())
    assert [(item.name, item.requests) for item in describe(tally).statuses][:2] == [("200", 1), ("399", 1)]


def test_percentiles_are_limits_of_classes_and_never_above_the_slowest() -> None:
    rows = [make_row(ms=float(ms)) for ms in (*[1] * 50, *[10] * 40, *[100] * 9, 1000)]
    found = percentiles(tally_of(rows).all_endpoints())
    assert found is not None
    limits = [class_limit(duration_class(float(ms))) for ms in (1, 10, 100, 100)]
    assert [found.p50, found.p90, found.p95, found.p99, found.max] == [*limits, 1000.0]
    (one,) = [percentiles(tally_of([make_row(ms=1.001)]).all_endpoints())]
    assert one is not None
    assert (one.p50, one.p99) == (1.001, 1.001)
    assert percentiles(EndpointTally()) is None


def test_parts_of_a_span_are_about_a_hundred_at_most() -> None:
    minute = 60_000_000_000
    spans = [(0, 5), (500, 5), (501, 15), (1500, 15), (6000, 60), (18_000, 180), (36_000, 360), (36_001, 1440)]
    assert [stretch_length(span * minute) // minute for span, _ in spans] == [length for _, length in spans]
    assert stretch_length(10**9 * minute) == 1440 * minute


def test_tables_have_fifty_lines_the_most_used_first_and_then_by_name() -> None:
    numbers = reversed(range(60))
    rows = [make_row(endpoint=f"/{number:02}", symbol=f"S{number:02}", key="k") for number in numbers]
    figures = describe(
        tally_of([*rows, make_row(endpoint="/59", symbol="S59"), make_row(endpoint="/59", method="PUT")])
    )
    assert [item.name for item in figures.symbols] == ["S59", *(f"S{number:02}" for number in range(49))]
    first, second = figures.endpoints[:2]
    assert (len(figures.endpoints), first.endpoint, first.method, first.requests) == (50, "/59", "GET", 2)
    assert (second.endpoint, figures.endpoints[-1].endpoint) == ("/00", "/48")
    assert figures.keys == [Named(name="k", requests=60)]
    same = describe(tally_of([make_row(endpoint="/a", method=method) for method in ("PUT", "GET")])).endpoints
    assert [item.method for item in same] == ["GET", "PUT"]


def test_names_beyond_the_bound_stand_under_one_name() -> None:
    assert (MOST_NAMES, OTHER) == (300, "(other)")
    tally = tally_of([make_row(endpoint=f"/{number}") for number in range(MOST_NAMES + 20)])
    assert describe(tally).endpoints[0].model_dump(include={"endpoint", "method", "requests"}) == {
        "endpoint": OTHER,
        "method": OTHER,
        "requests": 20,
    }
    known = [make_row(symbol=f"S{number}") for number in range(MOST_NAMES)]
    again = tally_of([*known, make_row(symbol="S0"), make_row(symbol="new")])
    assert (again.symbols["S0"], again.symbols[OTHER]) == (2, 1)


def test_answers_from_the_cache_are_a_share_of_those_that_could_be() -> None:
    tally = tally_of([make_row(cached=cached) for cached in (True, True, False, None)], dropped=4)
    assert (tally.hits, tally.cacheable, tally.dropped) == (2, 3, 4)
    assert describe(tally).cache_hit_rate == 2 / 3
    total = sum_of([tally, tally])
    assert (total.hits, total.cacheable, total.dropped) == (4, 6, 8)


def test_a_tally_is_kept_as_lists_because_names_may_have_dots() -> None:
    tally = tally_of([make_row(ms=2.0, symbol="a.b$c", key="k", error="E", cached=True)], dropped=2)
    assert tally.encode() == {
        "dropped": 2,
        "hits": 1,
        "cacheable": 1,
        "symbols": [["a.b$c", 1]],
        "keys": [["k", 1]],
        "errors": [["E", 1]],
        "endpoints": [["GET /gpt/raw", 2.0, [[duration_class(2.0), 1]], [[200, 1]]]],
    }
    assert Tally.decode(tally.encode()) == tally


def test_the_slowest_of_two_tallies_is_the_slower_one() -> None:
    first, second = (tally_of([make_row(ms=ms)]) for ms in (3.0, 2.0))
    assert core.sum_of([first, second]).endpoints["GET /gpt/raw"].slowest == 3.0


def make_row(**fields: object) -> RequestRow:
    values = {"ts": 1, "endpoint": "/gpt/raw", "method": "GET", "status": 200, "ms": 1.0}
    return RequestRow.model_validate({**values, **fields})
