"""The liquidation map is the sum of the liquidations, whatever its window, however they came and left."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, ROUND_FLOOR, Context, Decimal
from functools import reduce
from typing import Any, get_args

import pytest

from consumers.market.answering import encode
from consumers.market.liquidations.cells import MOST_BUCKETS, cell_of, choose_step, coarsen, price_of
from consumers.market.liquidations.history import MINUTE, LiquidationHistory
from consumers.market.liquidations.map import WINDOWS, compose_map
from consumers.market.state import Reader
from contracts.arithmetic.exact import EXACT
from contracts.errors import NotReadyError
from contracts.market import Liquidation
from contracts.services.market import LiquidationMapQuery, MapWindow
from contracts.services.replies.liqmap import LiquidationMap
from runtime.coverage.spans import SECOND
from runtime.coverage.view import Covered, Followed
from tests.consumers.market.recorded import as_struct, list_liquidations, make_history, make_state, read_golden

RECORDED = read_golden("state.json.gz")
NOW = RECORDED["now_ns"]
STATE, _ = make_state(RECORDED)
DOLLARS = {"USD", "USDT", "USDC"}
SIDES = ("long_usd", "short_usd", "unknown_usd")


def ask(history: LiquidationHistory, window: str, now: int = NOW, ledger: Any = None) -> Any:
    """Return the map of BTC with exact numbers; it is what its model says."""
    query = LiquidationMapQuery(symbol="BTC", window=window)  # type: ignore[arg-type]
    STATE.ledger = ledger
    body = encode(compose_map(Reader(STATE, now), query, history)).render(now).body
    LiquidationMap.model_validate_json(body, extra="forbid")
    return json.loads(body, parse_float=Decimal, parse_int=Decimal)


@dataclass
class Known:
    """One liquidation as the test itself reads it; without a rate of its quote it has no value and no dollar price."""

    minute: int
    venue: str
    price: Decimal | None
    usd: Decimal | None
    side: str


@dataclass
class Expected:
    """What a plain sum over liquidations gives."""

    sums: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(SIDES, Decimal(0)))
    count: int = 0
    unvalued: int = 0

    def add(self, one: Known) -> None:
        self.count += 1
        if one.usd is None:
            self.unvalued += 1
        else:
            self.sums[one.side] = EXACT.add(self.sums[one.side], one.usd)

    def check(self, found: Any) -> None:
        assert {side: found[side] for side in SIDES} == self.sums
        assert (found["count"], found["unvalued"]) == (self.count, self.unvalued)


def read(events: Iterable[Liquidation], rates: dict[str, Decimal], digits: int) -> list[Known]:
    """Read each liquidation of BTC once; prices count at their first digits."""
    found: dict[str, Known] = {}
    for event in events:
        base, _, rest = event.symbol.partition("/")
        if base != "BTC":
            continue
        quote = rest.partition(":")[0]
        rate, own = rates.get(quote), event.average_price or event.price
        usd = None if rate is None or event.amount is None else EXACT.multiply(EXACT.multiply(own, event.amount), rate)
        counted = Context(prec=digits, rounding=ROUND_DOWN).plus(own)
        price = counted if quote in DOLLARS else None if rate is None else EXACT.multiply(counted, rate)
        ts = event.ts_recv if event.ts_event is None else event.ts_event
        side = f"{event.position_side or 'unknown'}_usd"
        found.setdefault(event.id, Known(ts // MINUTE, event.venue, price, usd, side))
    return list(found.values())


def check_map(found: Any, events: Iterable[Liquidation], window: MapWindow, now: int) -> Expected:
    """Compare a map with a plain sum, which is returned."""
    rates = {"USD": Decimal(1)} | {row["quote"]: row["rate"] for row in found["rates"]}
    span, step = WINDOWS[window], found["step"]
    whole, venues, placed = Expected(), defaultdict[str, Expected](Expected), defaultdict[Decimal, Expected](Expected)
    for one in read(events, rates, span.digits):
        if one.minute <= now // MINUTE - span.minutes:
            continue
        whole.add(one)
        venues[one.venue].add(one)
        if one.price is not None:
            placed[one.price // step * step].add(one)
    whole.check(found["totals"])
    assert found["totals"]["total_usd"] == reduce(EXACT.add, whole.sums.values())
    assert {row["exchange"] for row in found["venues"]} == set(venues)
    for row in found["venues"]:
        venues[row["exchange"]].check(row)
    assert [row["low"] for row in found["buckets"]] == sorted(placed)
    for row in found["buckets"]:
        assert row["high"] == row["low"] + step
        placed[row["low"]].check(row)
    assert len(found["buckets"]) <= MOST_BUCKETS
    return whole


@pytest.mark.parametrize("window", get_args(MapWindow))
def test_the_map_is_the_sum_of_the_liquidations(window: MapWindow) -> None:
    events = list(list_liquidations(NOW, 900, 3 * 1440))
    found = ask(make_history(NOW), window)
    whole = check_map(found, events, window, NOW)
    assert whole.count > 5
    assert (found["window"], found["held_from"], found["quality"]) == (window, None, "live")
    assert {row["exchange"]: row["sampled"] for row in found["venues"]}.get("bybit") is False
    assert found["sampled"] is any(row["exchange"] == "binanceusdm" for row in found["venues"])


def test_what_comes_is_added_and_what_is_too_old_is_taken_away() -> None:
    """Questions of every window between events, while sums are kept: each answer is as if it were the first."""
    history = LiquidationHistory()
    history.is_whole = True
    events = list(list_liquidations(NOW, 600, 2880))
    for at, event in enumerate(events):
        history.fold("", as_struct(event))
        if at % 60 == 59:
            now = event.ts_recv
            history.look(now)
            for window in ("1h", "24h", "3d"):
                check_map(ask(history, window, now), events[: at + 1], window, now)
    quiet = NOW + 5 * MINUTE
    check_map(ask(history, "1h", quiet), events, "1h", quiet)
    assert ask(history, "1h", NOW + 61 * MINUTE)["buckets"] == []


def test_a_long_window_is_summed_little_by_little_while_others_come() -> None:
    events = list(list_liquidations(NOW, 10_000, 20 * 1440))
    history, window = LiquidationHistory(), WINDOWS["30d"]
    for event in events[:9000]:
        history.fold("", as_struct(event))
    history.is_whole = True
    held = history.find("BTC")
    assert held is not None
    assert not held.fill(window, NOW // MINUTE)
    for event in events[9000:]:
        history.fold("", as_struct(event))
    check_map(ask(history, "30d"), events, "30d", NOW)


def since(events: Iterable[Liquidation], history: LiquidationHistory) -> list[Liquidation]:
    return [one for one in events if (one.ts_event or one.ts_recv) // MINUTE >= (history.held_from or 0)]


def test_memory_is_bounded_and_the_map_says_since_when_it_is_whole() -> None:
    history = LiquidationHistory(most=200)
    history.is_whole = True
    events = list(list_liquidations(NOW, 900, 1440))
    for event in events:
        history.fold("", as_struct(event))
    assert 150 < len(history) <= 200
    assert history.held_from is not None
    found = ask(history, "24h")
    assert found["held_from"] is not None
    check_map(found, since(events, history), "24h", NOW)
    history.look(NOW, NOW - 10 * MINUTE - 1)
    assert history.held_from == NOW // MINUTE - 10 + 1 - (NOW % MINUTE == 0)
    check_map(ask(history, "24h"), since(events, history), "24h", NOW)
    history.look(NOW + 31 * 1440 * MINUTE)
    assert (len(history), history.held_from) == (0, None)


def test_what_comes_late_of_a_minute_that_is_not_whole_is_not_in_the_map() -> None:
    events = list(list_liquidations(NOW, 300, 1440))
    first = NOW - 600 * MINUTE
    before, after = LiquidationHistory(), LiquidationHistory()
    before.look(NOW, first)  # what the stream has dropped may be known before or after the past is read
    for history in (before, after):
        history.is_whole = True
        for event in events:
            history.fold("", as_struct(event))
    after.look(NOW, first)
    assert before.held_from is not None
    assert len(since(events, before)) < len(events)
    check_map(ask(before, "24h"), since(events, before), "24h", NOW)
    assert (ask(before, "24h"), len(before)) == (ask(after, "24h"), len(after))


def test_a_map_before_the_past_is_read_is_refused() -> None:
    history = make_history(NOW)
    history.is_whole = False
    with pytest.raises(NotReadyError) as refused:
        ask(history, "24h")
    assert refused.value.details["waiting_for"] == ["liquidations"]


class Ledger:
    """A ledger of coverage: what is known of some contracts."""

    def __init__(self, known: dict[tuple[str, str], Covered]) -> None:
        self._known = known

    def find(self, about: Followed, span: tuple[int, int], now: int) -> Covered:
        assert (about.channel, span, now) == ("liquidation", (span[0], NOW - NOW % SECOND), NOW)
        return self._known.get((about.venue, about.symbol)) or Covered(None, sampled=False, unknown=(span,), filled=())


def test_coverage_is_the_ledgers_by_exchange() -> None:
    end = NOW - NOW % SECOND
    start = (NOW // MINUTE - 59) * MINUTE
    length = (end - start) // SECOND

    def covered(unknown: int, *, sampled: bool = False, filled: int = 0) -> Covered:
        lost, later = start + unknown * SECOND, end - filled * SECOND
        return Covered(start, sampled, ((start, lost),) if unknown else (), ((later, end),) if filled else ())

    ledger = Ledger(
        {
            ("bybit", "BTC/USDT:USDT"): covered(0, filled=7),
            ("deribit", "BTC/USD:BTC"): covered(2600),
            ("binanceusdm", "BTC/USDT:USDT"): covered(10, sampled=True),
        }
    )
    found = {row["exchange"]: row for row in ask(make_history(NOW), "1h", ledger=ledger)["venues"]}
    coverage = {name: tuple((row["coverage"] or {}).values()) for name, row in found.items()}

    def percent(known: int) -> Decimal:
        return (Decimal(100 * known) / length).quantize(Decimal("0.01"), ROUND_FLOOR)

    assert coverage.pop("bybit") == (100, 0, 0)
    assert coverage.pop("deribit") == (percent(length - 2600), 0, 2600)
    assert coverage.pop("binanceusdm") == (percent(length - 10), length - 10, 10)
    assert coverage
    assert not any(coverage.values())
    assert not any(row["coverage"] for row in ask(make_history(NOW), "1h")["venues"])


@pytest.mark.parametrize(
    ("price", "first"),
    [
        ("91000.10", "91000"),
        ("0.00012345678", "0.00012345"),
        ("99999.9", "99999"),
        ("1", "1"),
        ("123456789", "123450000"),
    ],
)
def test_a_price_counts_at_its_first_five_digits(price: str, first: str) -> None:
    cell = cell_of(Decimal(price))
    assert price_of(cell) == Decimal(first)
    assert price_of(coarsen(cell, 4)) == Context(prec=4, rounding=ROUND_DOWN).plus(Decimal(price))


@pytest.mark.parametrize(
    ("prices", "step"),
    [
        (["100"], "0.01"),
        ([f"{90000 + at}" for at in range(0, 3000, 7)], "50"),
        ([f"0.0001{at:03}" for at in range(100, 200)], "0.0000002"),
        ([*[f"{90000 + at}" for at in range(500)], "1", "9000000"], "10"),
    ],
    ids=["one", "many", "tiny", "two far away"],
)
def test_buckets_have_a_round_width_and_are_not_too_many(prices: list[str], step: str) -> None:
    chosen = choose_step((Decimal(price), 1) for price in prices)
    assert chosen == Decimal(step)
    assert choose_step([]) is None
