"""The Python and the compiled side of a book are the same: levels, errors, snapshots, checksums."""

from __future__ import annotations

import subprocess
import sys
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import codec
from contracts.market import BookSnapshot
from deploy import extension
from producers.registry import VENUES
from runtime.book import book_side
from runtime.book.book_side import checksum
from tests.producers.frames.replay import Replay
from tests.producers.frames.small_set import FOLDER, list_files, market_of, read_listing
from tests.producers.playing import find_listed
from tests.runtime.book.book_sides import FORMS, NEEDS_COMPILED, SIDES, Levels, Step, compiled, differences

PRICES = [
    *("1", "1.0", "1.00", "1.5", "1.50", "2", "9", "10", "10.1", "99999.99", "61730.00000000", "0.1"),
    *("0.10000000000000000000000000000000001", "0.1000000000000000055511151231257827", "0.000000000001"),
    *("9007199254740992", "9007199254740993", "9007199254740993.0", "9007199254740994", "123456789012345678901234"),
    *("1.7976931348623157", "1.7976931348623158", "0.30000000000000004", "0.3", "4.35", "4.3499999999999996447"),
]
ODD_PRICES = ["", ".", "1.", ".5", "1.2.3", "abc", "1e5", "-1", "-0", "nan", "inf", "1_0", " 1 ", "1e400", "٣", "0x1"]
AMOUNTS = ["0", "0", "0", "1", "0.5", "12.50000000", "123456789012345678901234.123456789012345678901234567890123456"]
DEPTHS = st.none() | st.integers(0, 6)


def steps(prices: list[str], forms: list[str]) -> st.SearchStrategy[list[Step]]:
    decimals = st.tuples(st.integers(0, 2000), st.integers(0, 3)).map(lambda drawn: f"{drawn[0] / 10:.{drawn[1]}f}")
    number = st.sampled_from(prices) | decimals
    levels = st.lists(st.tuples(number, st.sampled_from(AMOUNTS)), max_size=12)
    return st.lists(
        st.builds(
            Step,
            form=st.sampled_from(forms),
            levels=levels,
            asks=st.booleans(),
            whole=st.sampled_from([False, False, False, True]),
            edge=st.none() | st.sampled_from([0.0, 1.5, 10.0, 100.0]),
            depth=DEPTHS,
        ),
        max_size=8,
    )


@NEEDS_COMPILED
@settings(max_examples=200, deadline=None)
@given(done=steps(PRICES, list(FORMS)), depth=DEPTHS)
def test_both_hold_and_write_the_same_after_any_deltas(done: list[Step], depth: int | None) -> None:
    assert not list(differences(done, depth))


@NEEDS_COMPILED
@settings(max_examples=150, deadline=None)
@given(done=steps(PRICES + ODD_PRICES * 3, ["tuples", "lists", "bytes", "str", "escaped"]), depth=DEPTHS)
def test_both_refuse_the_same_prices_with_the_same_words(done: list[Step], depth: int | None) -> None:
    assert not list(differences(done, depth))


WRITTEN = st.one_of(
    st.from_regex(r"(0|[1-9][0-9]{0,25})(\.[0-9]{0,38})?", fullmatch=True),
    st.from_regex(r"0?[0-9]{0,2}\.?0{0,3}", fullmatch=True),
    st.sampled_from(
        PRICES + AMOUNTS + ODD_PRICES + ["0.0", "00", "1" * 24, "1" * 25, "0." + "1" * 36, "0." + "1" * 37]
    ),
)


@NEEDS_COMPILED
@settings(max_examples=500, deadline=None)
@given(
    levels=st.lists(st.tuples(WRITTEN, WRITTEN), max_size=3),
    cut=st.integers(0, 3),
    end=st.sampled_from([b"", b"", b"", b" ", b"x"]),
)
def test_both_say_the_same_of_levels_that_need_no_change(levels: Levels, cut: int, end: bytes) -> None:
    text = msgspec.json.encode(levels)
    for odd in (text, text[:-cut] + end, text.replace(b",", b", ", cut)):
        assert compiled.are_levels(odd) == book_side.are_levels(odd) == compiled.are_levels(msgspec.Raw(odd)), odd


BROKEN = [
    *("", " ", "[", "[[", "[]]", "[[]]", '[["1"]]', '[["1","2","3"]]', '[["1","2"],]', '[["1","2"]', '[["1","2"]]x'),
    *(
        '[["1",2]]',
        '[[1,"2"]]',
        "null",
        "{}",
        '"1"',
        '[["1","2"][["3","4"]]',
        '[["1" "2"]]',
        '[["1","2]]',
        '[["1,"2"]]',
    ),
    *('[["1","2"],["1"]]', '[["é","2"]]', '[["1","\\ud800"]]', "[,]", '[["1","2"],[]]', '[["","2"]]', '[["1",""]]'),
]


@NEEDS_COMPILED
@pytest.mark.parametrize("text", BROKEN)
@pytest.mark.parametrize("whole", [False, True])
def test_both_refuse_the_same_texts_and_keep_what_they_held(text: str, whole: bool) -> None:
    seen = []
    for param in SIDES:
        module: Any = param.values[0]
        side = module.BookSide(1)
        side.replace([("5", "1"), ("4", "2")])
        try:
            (side.replace if whole else side.apply)(text.encode())
        except Exception as error:  # noqa: BLE001 - it is compared
            seen.append((type(error), str(error), side.top()))
        else:
            seen.append(side.top())
    assert seen[0] == seen[1]


@NEEDS_COMPILED
@pytest.mark.parametrize("venue_id", sorted(VENUES))
def test_both_hold_the_same_after_every_recorded_change(venue_id: str) -> None:
    books = list(recorded(venue_id))
    assert books, "a venue without recorded books"
    for done in books:
        for form in ("tuples", "bytes"):
            formed = [Step(form, step.levels, step.asks, step.whole, step.edge, step.depth) for step in done]
            assert not list(differences(formed, 20))


def recorded(venue_id: str) -> Iterator[list[Step]]:
    """The changes of each recorded book of a venue, one after the other."""
    venue = VENUES[venue_id]
    listed = read_listing(FOLDER, venue)
    for path in list_files(FOLDER, venue_id):
        market = market_of(path)
        replay = Replay(venue, market, find=partial(find_listed, venue, listed, market), sim=True)
        found: dict[str, list[Step]] = {}
        for line in replay.lines(path):
            for event in line.events:
                if event.kind in {"book", "delta"}:
                    whole = event.kind == "book" or event.is_snapshot
                    for levels, asks in ((event.bids, False), (event.asks, True)):
                        found.setdefault(event.symbol, []).append(
                            Step("tuples", list(levels), asks, whole, depth=venue.book.depth)
                        )
        yield from found.values()


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("levels", [[], [("91000.10", "1.5")], [("2", "1"), ("1.50", "0.25"), ("1", "3")]])
def test_snapshot_is_what_the_codec_writes_and_its_sum_is_the_checksum(side, levels: Levels) -> None:
    bids, asks = side.BookSide(1), side.BookSide(-1)
    bids.replace(levels)
    asks.replace([("93000", "4"), *levels])
    top = bids.top(2), asks.top(2)
    head = {"id": "x", "venue": "v", "symbol": "A/B", "venue_symbol": "AB", "ts_event": 1, "ts_recv": 2, "sim": False}
    event = codec.fast(BookSnapshot)(**head, bids=top[0], asks=top[1], seq=1, quality="live")
    written = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode(codec.encode(event))
    texts = [bytes(written[name]).decode() for name in ("bids", "asks")]
    assert side.snapshot(bids, asks, 2) == (*texts, checksum(*top))


@pytest.mark.parametrize("side", SIDES)
def test_book_of_many_levels_out_of_order_is_sorted_and_of_one_price_the_last_counts(side) -> None:
    prices = [f"{(n * 7919) % 20_000 + 1}" for n in range(20_000)]
    held = side.BookSide(-1)
    held.replace([("5.0", "7"), *((price, "1") for price in prices), ("9.00", "8"), ("3", "0")])
    assert [float(price) for price, _ in held.top()] == [float(n) for n in range(1, 20_001)]
    assert held.top(9)[8] == ("9.00", "8")
    assert (held.top(5)[4], len(held)) == (("5", "1"), 20_000)


@NEEDS_COMPILED
def test_what_is_no_side_no_depth_and_no_text_is_refused() -> None:
    side: Any = compiled.BookSide(1)
    other: Any = object()
    with pytest.raises(ValueError, match="65535"):
        side.apply([("1" * 65_536, "2")])
    with pytest.raises(TypeError):
        compiled.snapshot(side, other, 5)
    with pytest.raises(ValueError, match="not negative"):
        side.top(-1)
    with pytest.raises(TypeError):
        side.apply([(1, 2)])
    assert side.top() == []


@NEEDS_COMPILED
def test_levels_that_change_the_book_while_they_are_read_do_no_harm() -> None:
    side = compiled.BookSide(1)

    def changing() -> Iterator[tuple[str, str]]:
        for n in range(1, 300):
            side.replace([(str(n), "1")])
            side.apply([(str(n + 1000 + m), "9" * 50) for m in range(n)])
            yield str(n + 0.5), "2"

    side.apply(changing())
    assert len(side) == 301
    side.replace(changing())
    assert side.top(1) == [("299.5", "2")]


@NEEDS_COMPILED
def test_memory_of_books_comes_back_and_is_a_small_part_of_what_python_needs() -> None:
    levels = FORMS["bytes"]([(f"{n / 100 + 60_000:.8f}", f"{n / 1000:.8f}") for n in range(1000)])
    zeros = FORMS["bytes"]([(f"{n / 100 + 60_000:.8f}", "0") for n in range(1000)])

    def use() -> int:
        books = [compiled.BookSide(1) for _ in range(200)]
        before = resident()
        for side in books:
            side.replace(levels)
        used = resident() - before
        for side in books:
            side.apply(zeros)
            side.apply(levels)
        assert resident() - before < 1.5 * used + 2**20
        return used

    use()
    start = resident()
    assert use() < 200 * 1000 * 80, "bytes a level"
    for _ in range(5):
        use()
    assert resident() - start < 4 * 2**20


def resident() -> int:
    status = Path("/proc/self/statm")
    if not status.exists():
        pytest.skip("memory is read from /proc")
    return int(status.read_text().split()[1]) * 4096


@NEEDS_COMPILED
def test_built_file_is_of_the_source_as_it_is_now() -> None:
    source = next(path for path in extension.SOURCES if path.stem == "book_side")
    assert extension.digest_of(source) == compiled.SOURCE, "stale: make venv-dev builds it again"


def test_without_the_compiled_one_the_python_one_is_used() -> None:
    asked = (
        "import sys; sys.modules['runtime.book.compiled.book_side'] = None\n"
        "from runtime.book import keeper as book, book_side, sides\n"
        "print(sides.COMPILED, book.BookSide is book_side.BookSide, sides.snapshot is book_side.snapshot)"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.split() == ["False", "True", "True"]


def test_checksum_is_the_crc_of_the_levels_as_text() -> None:
    assert checksum([("1", "2"), ("0.5", "3")], []) == zlib.crc32(b"1:2|0.5:3")
    assert checksum([], []) == 0
