"""Candles of two sources become one series: no start twice, no hole filled, every hole named."""

from __future__ import annotations

from consumers.market.candles.bars import CHUNK, Chunk, Hole, Own, Row, Window, list_needed, make_span, merge
from contracts.timeframes import DAY, HOUR, MINUTE, TIMEFRAMES, find_start

NOW = 1_767_225_600_000_000_000 + 10 * DAY + 30_000_000_000
LAST = find_start("1m", NOW)


def make_window(timeframe: str, now_ns: int, count: int) -> Window:
    return make_span(timeframe, now_ns, (None, None), count)


WINDOW = make_window("1m", NOW, 6)


def row(start: int, price: str = "1") -> Row:
    return Row(start, price, price, price, price, "1", closed=True, ts_recv=start + 5, sim=False)


def rows(*back: int, price: str = "1") -> dict[int, Row]:
    return {LAST - steps * MINUTE: row(LAST - steps * MINUTE, price) for steps in back}


def test_a_window_ends_with_the_open_candle() -> None:
    assert list(WINDOW.starts) == [LAST - steps * MINUTE for steps in (5, 4, 3, 2, 1, 0)]
    for timeframe in TIMEFRAMES:
        window = make_window(timeframe, NOW, 1000)
        assert all(find_start(timeframe, start) == start for start in window.starts)
        assert len(window.starts) == 1000
        assert window.starts[-1] <= NOW < window.starts[-1] + window.size


def test_nothing_is_asked_for_what_we_have_nor_for_a_newest_one_without_trades() -> None:
    assert list_needed(WINDOW, Own(rows(5, 4, 3, 2, 1, 0), LAST - 5 * MINUTE)) == []
    assert list_needed(WINDOW, Own(rows(5, 4, 3, 2, 1), LAST - 5 * MINUTE)) == []
    assert len(list_needed(WINDOW, Own(rows(5, 4, 3, 2, 0), LAST - 5 * MINUTE))) == 1


def test_chunks_are_the_same_whenever_they_are_asked_for_and_end_with_the_present() -> None:
    for timeframe in TIMEFRAMES:
        window = make_window(timeframe, NOW, 1000)
        chunks = list_needed(window, Own())
        assert [a.end for a in chunks[:-1]] == [b.start for b in chunks[1:]]
        assert all(chunk.end - chunk.start == CHUNK * window.size for chunk in chunks[:-1])
        assert chunks[-1].end == window.last + window.size
        later = list_needed(make_window(timeframe, NOW + window.size, 1000), Own())
        assert chunks[1].start in {chunk.start for chunk in later}
        assert all(find_start(timeframe, chunk.start) == chunk.start for chunk in chunks)
        assert [chunk.is_closed(NOW) for chunk in chunks][-1] is False
        assert chunks[0].is_closed(NOW)


def test_our_whole_candles_go_before_the_exchanges_and_those_before_ours_that_began_late() -> None:
    own = Own(rows(3, 2, 1, 0, price="7"), since=LAST - 2 * MINUTE)
    merged = merge(WINDOW, own, rows(5, 4, 3, 2, price="9"), [Chunk(LAST - HOUR, LAST + MINUTE)])
    assert [(item.source, item.row.close, item.whole) for item in merged.shown] == [
        ("exchange", "9", True),
        ("exchange", "9", True),
        ("exchange", "9", True),
        ("own", "7", True),
        ("own", "7", True),
        ("own", "7", True),
    ]
    assert merged.complete


def test_one_that_began_late_is_shown_as_that_where_nothing_better_is_known() -> None:
    merged = merge(WINDOW, Own(rows(1, 0), since=LAST - 30_000_000_000), {}, [])
    assert [item.whole for item in merged.shown] == [False, True]
    assert merged.holes == (Hole(LAST - 5 * MINUTE, LAST - 2 * MINUTE, 4, "unknown"),)
    assert not merged.complete


def test_holes_tell_what_was_not_traded_not_received_and_not_known() -> None:
    own = Own(rows(1), since=LAST - 3 * MINUTE)
    merged = merge(WINDOW, own, {}, [Chunk(LAST - HOUR, LAST - 4 * MINUTE)])
    assert merged.holes == (
        Hole(LAST - 5 * MINUTE, LAST - 5 * MINUTE, 1, "no_trades"),
        Hole(LAST - 4 * MINUTE, LAST - 4 * MINUTE, 1, "unknown"),
        Hole(LAST - 3 * MINUTE, LAST - 2 * MINUTE, 2, "not_heard"),
        Hole(LAST, LAST, 1, "no_trades"),
    )
    assert not merged.complete
    reported = merge(WINDOW, own, {}, [Chunk(LAST - HOUR, LAST + MINUTE)])
    assert {hole.reason for hole in reported.holes} == {"no_trades"}
    assert reported.complete


def test_weeks_are_counted_from_mondays() -> None:
    window = Window("1w", find_start("1w", NOW), 3)
    assert [find_start("1w", start + DAY) for start in window.starts] == list(window.starts)


def test_a_candle_in_which_the_feed_was_interrupted_is_asked_for_and_not_called_whole() -> None:
    cut = (LAST - 3 * MINUTE + 10, LAST - 2 * MINUTE)  # ends as the next one begins
    own = Own(rows(5, 4, 3, 2, 1, 0), LAST - HOUR, (cut,))
    assert len(list_needed(WINDOW, own)) == 1
    assert [item.whole for item in merge(WINDOW, own, {}, []).shown] == [True, True, False, True, True, True]
    better = merge(WINDOW, own, rows(3, price="9"), [])
    assert [item.row.close for item in better.shown] == ["1", "1", "9", "1", "1", "1"]
    assert better.complete


def test_one_of_many_interruptions_takes_the_candles_that_it_touches_and_no_other() -> None:
    gaps = tuple((LAST - back * MINUTE + 10, LAST - back * MINUTE + 20) for back in range(50, 0, -5))
    own = Own({}, LAST - DAY, gaps)
    known = [back for back in range(60) if not own.knows(LAST - back * MINUTE, MINUTE)]
    assert known == list(range(5, 51, 5))
    assert not own.knows(LAST - 2 * MINUTE - HOUR, HOUR)
    assert own.knows(LAST, HOUR)


def test_a_span_with_a_beginning_has_its_oldest_candles_one_without_the_newest() -> None:
    def starts(since: int | None, until: int | None, limit: int = 3) -> list[int]:
        found = make_span("1m", NOW, (since, until), limit)
        return [(LAST - start) // MINUTE for start in found.starts]

    assert starts(LAST - 9 * MINUTE, None) == [9, 8, 7]
    assert starts(LAST - 9 * MINUTE + 1, None) == [8, 7, 6]
    assert starts(LAST - 9 * MINUTE, LAST - 7 * MINUTE) == [9, 8]
    assert starts(LAST - 9 * MINUTE, LAST - 7 * MINUTE + 1) == [9, 8, 7]
    assert starts(None, LAST - 4 * MINUTE) == [7, 6, 5]
    assert starts(None, LAST + DAY) == [2, 1, 0]
    assert starts(LAST - MINUTE, LAST + DAY) == [1, 0]
    assert starts(LAST + DAY, None) == []
    assert starts(LAST - 9 * MINUTE + 1, LAST - 9 * MINUTE + 2) == []


def test_the_newest_of_a_past_window_is_asked_for_as_any_other() -> None:
    window = make_span("1m", NOW, (None, LAST), 3)
    assert (window.behind, make_window("1m", NOW, 3).behind) == (1, 0)
    own = Own(rows(3, 2), LAST - 9 * MINUTE)
    (needed,) = list_needed(window, own)
    assert needed.start <= window.last < needed.end
    assert needed == list_needed(make_window("1m", NOW, 4), own)[0]  # kept for both
    assert merge(window, own, {}, []).holes == (Hole(window.last, window.last, 1, "not_heard"),)
