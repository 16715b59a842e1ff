"""Where the detector's rules turn: exact bounds of time, size and number, what is counted, and what a save holds."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from consumers.whales import groups, saving
from consumers.whales.core import INSTRUMENTS, WhaleDetector
from consumers.whales.groups import MARK, MOST_FILLS, InstrumentState, average_price, check_fill
from consumers.whales.rules import Adaptive, WhaleCounts, WhaleRules
from contracts.arithmetic.exact import FigureError
from contracts.arithmetic.tiers import Tiers
from contracts.errors import SymbolSyntaxError
from contracts.market import MOST_NAME
from contracts.numbers import DAY_NS
from contracts.signals import Tier
from runtime.app.explaining.trace import Trace

SECOND = 1_000_000_000
MS = 1_000_000
HOUR = 3600 * SECOND
START = 1_767_225_600 * SECOND
SPOT = "md.v1.trade.binance.BTC.USDT.spot"
PERP = "md.v1.trade.binance.BTC.USDT.perp"
DOLLARS = "md.v1.trade.kraken.BTC.USD.spot"
TICKER = "md.v1.ticker.kraken.BTC.USD.spot"
LIMITS: dict[Tier, Decimal] = {"majors": Decimal(1_000_000), "large": Decimal(500_000), "mid": Decimal(200_000)}
RULES = WhaleRules(tiers=Tiers(), limits=LIMITS)

Make = Callable[..., Any]


def rate(detector: WhaleDetector, at: int = START, coin: str = "BTC") -> Decimal | None:
    found = detector._rates.find(coin, at)
    return None if found is None else found.rate


def state(detector: WhaleDetector, subject: str = SPOT) -> InstrumentState:
    found = detector._instruments.get(subject)
    assert found is not None
    return found


# ------------------------------------------------------------------------------------------------- what rules say


def test_rules_and_counts_begin_as_documented() -> None:
    assert (RULES.name, RULES.hold) == ("whale/1", 200 * MS)
    assert Adaptive() == Adaptive(share=(999, 1000), samples=1000, floor_usd=Decimal(10_000))
    assert WhaleCounts() == WhaleCounts(0, 0, 0, 0, 0, 0, 0, 0, 0)
    assert (WhaleDetector(RULES).seq, INSTRUMENTS, groups._REMEMBERED) == (0, 20_000, 4096)
    assert (saving.KEY, saving.hour_key(50)) == ("whales", "whales.sizes.2")


# -------------------------------------------------------------------------------------------------------- counting


def test_whales_folded_events_and_groups_are_counted(trade: Make) -> None:
    detector = WhaleDetector(RULES)
    room = MOST_NAME - len("binance.BTC.USDT.spot") - len(MARK)
    long = trade(1, trade_id="9" * (room + 1))
    batch = [(SPOT, trade(2, price="60000", amount="20")), (SPOT, long), (SPOT, trade(3, START + 1))]
    whales, faults = detector.fold(batch, 7, START)
    assert ([number for number, _ in faults], len(whales), detector.seq) == ([1], 1, 7)
    assert detector.counts == WhaleCounts(folded=2, emitted=1)
    assert len(detector.fold([(SPOT, long)], 8, START)[1]) == 1  # not taken for one that was folded
    assert detector.counts.duplicates == 0
    assert detector.fold([(SPOT, trade(4, trade_id="9" * room))], 9, START)[1] == []


def test_a_late_trade_that_cannot_be_folded_is_not_taken_for_one_that_was(trade: Make) -> None:
    detector = WhaleDetector(RULES)
    broken = trade(1, amount="1000000000000000000", backfilled=True)
    for _ in range(2):
        assert len(detector.fold([(SPOT, broken)], 1, START)[1]) == 1
    assert detector.counts.duplicates == 0
    assert detector.fold([(SPOT, trade(1, backfilled=True))], 1, START)[1] == []


@pytest.mark.parametrize(("ts", "received", "old"), [(0, 0, 0), (-1, -1, 1), (None, 0, 0), (None, -1, 1), (-1, 0, 1)])
def test_a_trade_of_more_than_a_day_ago_is_old_and_ends_the_group(
    trade: Make, ts: int | None, received: int, old: int
) -> None:
    detector = WhaleDetector(RULES)
    detector.fold([(SPOT, trade(1, price="60000", amount="20"))], 1, START)
    moment = START - DAY_NS
    one = trade(2, None if ts is None else moment + ts, ts_recv=moment + received)
    whales, faults = detector.fold([(SPOT, one)], 2, START)
    assert (len(whales), faults, detector.counts.old) == (1, [], old)
    assert len(state(detector).fills) == 1 - old


def test_a_full_group_is_closed_at_once_and_counted(trade: Make) -> None:
    detector = WhaleDetector(RULES)
    fills = [(SPOT, trade(number, price="2000")) for number in range(MOST_FILLS)]
    assert detector.fold(fills[:-1], 1, START)[0] == []
    assert len(detector.fold(fills[-1:], 1, START)[0]) == 1
    assert (detector.counts.cut, state(detector).fills) == (1, [])
    assert state(detector).bound == 0


def test_the_instruments_that_were_traded_last_are_kept(trade: Make) -> None:
    detector = WhaleDetector(RULES, instruments=2)
    for number in range(9):
        subject = f"md.v1.trade.binance.X{number}.USDT.spot"
        detector.fold([(subject, trade(number, symbol=f"X{number}/USDT"))], number, START)
    assert detector.forgotten + len(list(detector._instruments.values())) == 9
    assert detector.forgotten >= 5


# ---------------------------------------------------------------------------------------------------------- prices


def test_of_trades_the_first_of_each_tenth_of_a_second_tells_the_price(trade: Make) -> None:
    detector = WhaleDetector(RULES)
    told = [(0, "10"), (130, "40"), (200, "60")]
    prices = [(0, "10"), (0, "15"), (50, "20"), (99, "30"), (130, "40"), (150, "45"), (199, "50"), (200, "60")]
    for number, (ms, price) in enumerate(prices):
        one = trade(number, START + ms * MS, ts_recv=START + ms * MS, symbol="BTC/USD", price=price)
        detector.fold([(DOLLARS, one)], number, START + ms * MS)
        assert rate(detector, START + SECOND) == Decimal(max(text for at, text in told if at <= ms))


def test_every_ticker_tells_its_price_but_one_without(ticker: Make) -> None:
    detector = WhaleDetector(RULES)
    for ms, price in ((0, "10"), (1, "20"), (2, None)):
        one = ticker(START + ms * MS, symbol="BTC/USD", last=price)
        detector.fold([(TICKER, one)], 1, START)
    assert rate(detector) == 20


@pytest.mark.parametrize(
    ("subject", "symbol"),
    [
        ("md.v1.trade.binance.ETH.BTC.spot", "ETH/BTC"),  # says nothing of dollars
        ("md.v1.trade.kraken.BTC.USD.perp", "BTC/USD:USD"),  # no spot price
    ],
)
def test_other_trades_tell_no_price(trade: Make, subject: str, symbol: str) -> None:
    detector = WhaleDetector(RULES)
    detector.fold([(subject, trade(1, symbol=symbol))], 1, START)
    detector.take_price(subject, trade(2, symbol=symbol))
    assert detector._rates.list_prices() == []


def test_a_consolidated_ticker_tells_no_price(ticker: Make) -> None:
    detector = WhaleDetector(RULES)
    subject = "md.v1.ticker.all.BTC.USD.spot"
    detector.fold([(subject, ticker(symbol="BTC/USD", last="5"))], 1, START)
    detector.take_price(subject, ticker(symbol="BTC/USD", last="5"))
    assert detector._rates.list_prices() == []


def test_the_price_alone_is_taken_as_a_fold_takes_it(trade: Make, ticker: Make) -> None:
    detector = WhaleDetector(RULES)
    for number, (ms, price) in enumerate([(0, "10"), (0, "15"), (50, "20"), (100, "40")]):
        one = trade(number, START + ms * MS, ts_recv=START + ms * MS, symbol="BTC/USD", price=price)
        detector.take_price(DOLLARS, one)
        assert rate(detector, START + SECOND) == Decimal("40" if ms == 100 else "10")
    detector.take_price(DOLLARS, trade(9, START + SECOND, symbol="BTC/USD", price="1", backfilled=True))
    assert rate(detector, START + SECOND) == 40
    for price in ("7", "8"):
        detector.take_price(TICKER, ticker(START + SECOND, symbol="BTC/USD", last=price))
    assert rate(detector, START + SECOND) == 8
    assert state(detector, DOLLARS).fills == []


def test_the_rate_is_that_of_the_second_in_which_the_group_begins(trade: Make, ticker: Make) -> None:
    detector = WhaleDetector(RULES)
    subject = "md.v1.trade.binance.ETH.BTC.spot"

    def fold(number: int, ms: int, price: str) -> None:
        reported = ticker(START + ms * MS, symbol="BTC/USD", last=price)
        one = trade(number, START + number, ts_recv=START + ms * MS, symbol="ETH/BTC", price="0.1", amount="1")
        detector.fold([(TICKER, reported), (subject, one)], 1, START + ms * MS)

    found: list[Decimal | None] = []
    for number, (ms, price) in enumerate(
        [(0, "100"), (0, "150"), (999, "200"), (1000, "300"), (1999, "400"), (0, "1")]
    ):
        fold(number, ms, price)
        held = state(detector, subject).rate
        found.append(held and held.rate)
    assert found == [100, 100, 100, 300, 300, 400]  # a second before is another one, too


def test_a_group_of_a_quote_without_a_price_is_counted_however_small_its_number(trade: Make) -> None:
    detector = WhaleDetector(RULES)
    subject = "md.v1.trade.binance.ETH.BTC.spot"
    for number in range(2):
        detector.fold([(subject, trade(number, START + number, symbol="ETH/BTC", price="0.05"))], 1, START)
    assert detector.counts.unvalued == 1


def test_after_a_restart_a_changed_rate_decides(trade: Make, ticker: Make) -> None:
    first = WhaleDetector(RULES)
    peg = "md.v1.ticker.kraken.USDT.USD.spot"
    first.fold([(peg, ticker(START, symbol="USDT/USD", last="0.5")), (SPOT, trade(1))], 2, START)
    again = WhaleDetector(RULES)
    again.restore(first.save())
    later = START + 2 * SECOND
    reported = (peg, ticker(later, symbol="USDT/USD", last="1"))
    large = (SPOT, trade(2, later, price="60000", amount="20"))
    found = again.fold([reported, large, (SPOT, trade(3, later + 1))], 5, later)[0]
    assert [whale.usd_value for _, whale in found] == ["1200000.00"]


# --------------------------------------------------------------------------------------------------------- figures


def fill(price: str, amount: str) -> Any:
    return type("Fill", (), {"price": price, "amount": amount})()


def test_the_average_is_two_decimals_finer_than_the_finest_fill() -> None:
    fills = [fill("1.5", "1"), fill("2.25", "2")]
    assert str(average_price(fills, Decimal(3), Decimal(6))) == "2.0000"
    assert str(average_price([fill("1.5", "9")], Decimal(9), Decimal("13.5"))) == "1.5"
    assert str(average_price([fill("2", "0"), fill("3.0", "0")], Decimal(0), Decimal(0))) == "2"
    finest = [fill(f"1.{'0' * 34}1", "1"), fill("1", "1")]
    assert average_price(finest, Decimal(2), Decimal(2)).as_tuple().exponent == -36


def test_a_group_that_no_sum_can_hold_is_at_fault() -> None:
    most = Decimal(10) ** 15
    assert check_fill(0.0, "2", "3") == pytest.approx(6.0)
    assert check_fill(0.0, "2", "3") > 6.0
    assert check_fill(1.0, "2", "3") == pytest.approx(7.0)
    with pytest.raises(FigureError, match="amount"):
        check_fill(0.0, "0.0000001", "1000000000000000000")
    assert check_fill(0.0, "0.0000001", "999999999999999999") > 0
    with pytest.raises(FigureError, match="group of fills"):
        check_fill(float(most) / 2, str(most / 2), "1")
    assert check_fill(float(most) / 2, str(most / 2 - 1), "1") == pytest.approx(float(most))
    with pytest.raises(FigureError, match="10\\^15"):
        check_fill(0.0, str(most), "1")
    with pytest.raises(FigureError, match="group of fills"):
        check_fill(float(most) - 0.125, "0.25", "1")


def test_a_first_fill_may_be_worth_all_that_a_group_may(trade: Make) -> None:
    for price, faults in (("999999999999999.5", 0), ("1000000000000000", 1)):
        one = trade(1, price=price, amount="1")
        assert len(WhaleDetector(RULES).fold([(SPOT, one)], 1, START)[1]) == faults


def test_a_group_of_exactly_the_limit_is_a_whale_and_one_below_is_none(trade: Make) -> None:
    for amount, many in (("1000000", 1), ("999999.9999", 0)):
        detector = WhaleDetector(RULES)
        found = detector.fold([(SPOT, trade(1, price="1", amount=amount)), (SPOT, trade(2, START + 1))], 1, START)[0]
        assert len(found) == many


def test_comparisons_are_traced_of_every_group(trade: Make) -> None:
    trace = Trace()
    detector = WhaleDetector(RULES, trace=trace)
    detector.fold([(SPOT, trade(1, price="5", amount="2")), (SPOT, trade(2, START + 1))], 1, START)
    (compared,) = trace.comparisons
    assert (compared.what, compared.value, compared.operator, compared.limit) == ("usd_value", "10", ">=", "1000000")
    assert (compared.holds, compared.at) == (False, START)
    detector.fold([(SPOT, trade(3, START + 2, amount="0")), (SPOT, trade(4, START + 3))], 2, START)
    assert [one.value for one in trace.comparisons] == ["10", "100", "0"]


def test_the_quote_of_a_contract_is_not_what_it_settles_in(trade: Make) -> None:
    detector = WhaleDetector(RULES)
    fills = [(PERP, trade(1, symbol="BTC/USDT:USDT", price="60000", amount="20")), (PERP, trade(2, START + 1))]
    ((_, whale),) = detector.fold(fills, 1, START)[0]
    assert (whale.usd_rate_source, whale.usd_value) == ("peg", "1200000.00")


# -------------------------------------------------------------------------------------------------- adaptive limits


ADAPTIVE = WhaleRules(tiers=Tiers(), limits=LIMITS, adaptive=Adaptive(share=(9, 10), samples=3, floor_usd=Decimal(50)))


def test_an_adaptive_limit_begins_with_its_last_sample_and_keeps_its_floor(trade: Make) -> None:
    detector = WhaleDetector(ADAPTIVE)
    limits: list[Decimal] = []
    for number in range(5):
        one = trade(number, START + number * SECOND, price="1", amount="10" if number < 4 else "20")
        detector.fold([(SPOT, one)], 1, START + number * SECOND)
        limits.append(state(detector).limit)
    assert limits == [1_000_000, 1_000_000, 1_000_000, 50, 50]


def test_an_adaptive_limit_without_a_floor_may_be_nothing(trade: Make) -> None:
    detector = WhaleDetector(
        WhaleRules(tiers=Tiers(), limits=LIMITS, adaptive=Adaptive(samples=1, floor_usd=Decimal(0)))
    )
    for number in range(2):
        at = START + number * SECOND
        detector.fold([(SPOT, trade(number, at, price="0.5", amount="1"))], 1, at)
    assert state(detector).limit == 0


def test_sizes_of_hours_are_of_the_newest_trade(trade: Make) -> None:
    detector = WhaleDetector(ADAPTIVE)
    for number, hours in enumerate((0, 5, 5, 9)):
        at = START + hours * HOUR
        detector.fold([(SPOT, trade(number, at, price="1", amount="10"))], 1, at)
    first = START // HOUR
    assert sorted(detector.save_hours()) == []
    detector.tick(START + 10 * HOUR)
    again = detector.save_hours()
    assert sorted(again) == sorted(saving.hour_key(first + hour) for hour in range(4, 8))


# ----------------------------------------------------------------------------------------------------------- saving


def test_open_groups_without_room_are_left_out_the_oldest_first_and_counted(trade: Make) -> None:
    detector = WhaleDetector(RULES)
    sizes = [
        ("A", 1, False),
        ("B", 1, False),
        ("C", 0, False),
        ("D", 600, False),
        ("E", 400, False),
        ("F", 600, True),
        ("G", 500, True),
    ]
    for place, (base, many, late) in enumerate(sizes):
        subject = f"md.v1.trade.binance.{base}.USDT.spot"
        fills = [
            trade(number, symbol=f"{base}/USDT", id=f"{base}{number}", backfilled=late, price="0.01")
            for number in range(many)
        ]
        detector.fold([(subject, one) for one in fills], 1, START + place)
    held = msgspec.json.decode(detector.save())
    tails = [[subject.split(".")[4] for subject in held[name]] for name in ("groups", "limits", "late")]
    assert tails == [["E", "D"], ["E", "D"], ["G"]]  # a thousand fills; none older than one without room
    assert detector.counts.unsaved == 3
    detector.save()
    assert detector.counts.unsaved == 6


def test_open_groups_are_saved_behind_one_that_was_closed_and_without_a_rate(trade: Make) -> None:
    detector = WhaleDetector(RULES)
    unknown = "md.v1.trade.binance.ETH.EUR.spot"
    detector.fold([(SPOT, trade(1)), (unknown, trade(2, symbol="ETH/EUR"))], 1, START)
    detector.fold(
        [
            (PERP, trade(number, START + 1, symbol="BTC/USDT:USDT", side=side))
            for number, side in ((3, "buy"), (4, None))
        ],
        2,
        START + 1,
    )
    held = msgspec.json.decode(detector.save())
    assert ([*held["groups"]], [*held["limits"]]) == ([SPOT, unknown], [SPOT])
    again = WhaleDetector(RULES)
    again.restore(detector.save())
    assert again.tick(START + SECOND) == []
    assert again.counts.unvalued == 1


def test_a_document_that_is_too_long_keeps_the_newest_prices_only(trade: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = WhaleDetector(ADAPTIVE)
    detector.fold([(SPOT, trade(number, START + number)) for number in range(2)], 4, START)
    detector.fold([(SPOT, trade(5, START + 9, backfilled=True))], 5, START)
    for number in range(1001):
        detector._rates.on_price(f"C{number}", "USD", "1", START + number)
    document = detector.save()
    monkeypatch.setattr(saving, "_MOST_SAVED", len(document))
    assert detector.save() == document
    monkeypatch.setattr(saving, "_MOST_SAVED", len(document) - 1)
    before = detector.counts.unsaved
    held = msgspec.json.decode(detector.save())
    assert (held["seq"], held["groups"], held["late"], held["sizes"]) == (5, {}, {}, {})
    assert [price[0] for price in held["prices"]] == [f"C{number}" for number in range(1, 1001)]
    assert detector.counts.unsaved - before == 3  # a group, a late one, an instrument's sizes


def test_sizes_that_do_not_fit_are_left_out_the_smallest_first(trade: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"aa": [1], "bb": [1, 2, 3], "cc": [1, 2]}
    lengths = {subject: len(msgspec.json.encode(held)) + len(subject) + 8 for subject, held in found.items()}
    room = lengths["bb"] + lengths["cc"]
    assert saving._fitting(found, room) == ({"bb": [1, 2, 3], "cc": [1, 2]}, 1)
    assert saving._fitting(found, room - 1) == ({"bb": [1, 2, 3]}, 2)
    assert (saving._MOST_SAVED, saving._MOST_SIZES) == (900_000, 400_000)
    detector = WhaleDetector(ADAPTIVE)
    for number in range(3):
        at = START + number * 3 * HOUR
        detector.fold([(SPOT, trade(number, at, price="1", amount="10")), (SPOT, trade(f"{number}b", at + 1))], 1, at)
        detector.save_hours()
    monkeypatch.setattr(saving, "_MOST_SAVED", 1)
    before = detector.counts.unsaved
    at = START + 9 * HOUR
    detector.fold([(SPOT, trade(9, at)), (SPOT, trade(10, at + 1))], 1, at)
    detector.save_hours()
    assert detector.counts.unsaved == before + 1


def test_the_newest_two_hours_of_sizes_stand_in_the_document(trade: Make) -> None:
    detector = WhaleDetector(ADAPTIVE)
    for number in range(5):
        at = START + number * HOUR
        detector.fold([(SPOT, trade(number, at, price="1", amount="10"))], 1, at)
    detector.tick(START + 5 * HOUR)
    ((_, slots),) = msgspec.json.decode(detector.save())["sizes"].items()
    assert [slot[0] - START // HOUR for slot in slots] == [3, 4]


def test_what_is_restored_goes_on_with_its_limit_rate_and_price(trade: Make, ticker: Make) -> None:
    first = WhaleDetector(RULES)
    peg = ("md.v1.ticker.kraken.USDT.USD.spot", ticker(START, symbol="USDT/USD", last="0.5"))
    late = trade(2, START - 5, price="60000", amount="39", backfilled=True)
    first.fold([peg, (SPOT, trade(1, price="60000", amount="39")), (SPOT, late)], 3, START)
    document = msgspec.json.decode(first.save())
    for limits in (True, False):  # as it is, and without what was valued already
        held = document if limits else document | {"limits": {}, "late_limits": {}}
        again = WhaleDetector(RULES)
        assert again.restore(msgspec.json.encode(held)) == 3
        assert rate(again, coin="USDT") == Decimal("0.5")
        (kept,) = [one for one in again._instruments.values() if one.fills]
        (kept_late,) = again._late.values()
        for one in (kept, kept_late):
            assert (one.limit, one.rate and one.rate.rate, one.least) == (1_000_000, Decimal("0.5"), 2_000_000)
            assert one.limit_at == one.fills[0].ts_recv // SECOND
        assert kept_late.sizes is kept.sizes
        whales = again.tick(START + SECOND)
        assert [(whale.usd_value, whale.usd_rate) for _, whale in whales] == [("1170000.00", "0.5")] * 2


def test_a_late_instrument_counts_its_sizes_with_the_streams(trade: Make) -> None:
    detector = WhaleDetector(ADAPTIVE)
    detector.fold([(SPOT, trade(1, START, backfilled=True)), (SPOT, trade(2, START))], 1, START)
    detector.tick(START + SECOND)
    assert state(detector).sizes.count == 2


def test_the_detector_says_what_its_ids_and_sizes_take_those_of_late_trades_too(trade: Make) -> None:
    detector = WhaleDetector(ADAPTIVE)
    assert detector.sizes() == {"trade_ids": 0, "sizes": 0}
    detector.fold([(SPOT, trade(number, START)) for number in range(20)], 1, START)
    streamed = state(detector).seen.size()
    assert detector.sizes() == {"trade_ids": streamed, "sizes": 0}
    detector.fold([(SPOT, trade(30, START, backfilled=True))], 2, START)
    detector.tick(START + SECOND)
    late = detector._late.get(SPOT)
    assert late is not None
    counted = state(detector).sizes.size()
    assert counted > 100
    assert detector.sizes() == {"trade_ids": streamed + late.seen.size(), "sizes": counted}


@pytest.mark.parametrize(
    "broken",
    [
        {"sizes": {"md.v1.trade.binance.BTC": [[1, {}]]}},
        {"sizes": {SPOT: [[1, {"65536": 1}]]}},
        {"sizes": {SPOT: [[1, {"5": -1}]]}},
        {"prices": [["BTC", "USD", "1000000000000000000", 1]]},
        {"groups": {"nothing": []}},
        {"limits": 5},
    ],
)
def test_a_document_that_says_anything_else_is_refused_with_nothing_taken(trade: Make, broken: dict[str, Any]) -> None:
    document = {"seq": 9, "groups": {}, "prices": [["ETH", "USD", "1", 1]]} | broken
    detector = WhaleDetector(RULES)
    with pytest.raises((ValueError, msgspec.MsgspecError, SymbolSyntaxError)):
        detector.restore(msgspec.json.encode(document))
    assert (detector.seq, detector._rates.list_prices()) == (0, [])
    with pytest.raises(SymbolSyntaxError, match="tokens"):
        detector.restore_hour(b'{"hour":1,"counts":{"md.v1.trade.binance.BTC.USDT.spot":{"5":1},"md.v1.trade.x":{}}}')
    assert list(detector._instruments.values()) == []
