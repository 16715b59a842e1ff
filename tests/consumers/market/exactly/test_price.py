"""One price from many venues: which ones count, how they weigh, whose bid and ask are shown."""

from __future__ import annotations

from decimal import Decimal

from consumers.market.price import Best, Consolidated, Quoted, decide_price, find_kind, find_tick
from tests.consumers.market.exactly.quoted import quoted

D = Decimal


def decided(*items: Quoted) -> Consolidated:
    found = decide_price(items)
    assert found is not None
    return found


def names(found: Consolidated) -> list[str]:
    return [item.ticker.venue for item in found.used]


# ---- which venues make the price
def test_without_a_price_there_is_none_and_a_volume_that_is_not_said_is_zero() -> None:
    assert decide_price([quoted("a", None)]) is None
    assert find_kind([quoted("a", None)]) is None
    assert (quoted("a", "1.50").price, quoted("a").volume, quoted("a", volume_24h="2").volume) == (D("1.50"), 0, 2)


def test_spot_comes_before_contracts_and_then_the_quote_with_most_volume() -> None:
    perp = quoted("p", kind=("perp", "USDT"), volume_24h="999")
    idr, usdt = (
        quoted(name, kind=("spot", quote), volume_24h=volume)
        for name, quote, volume in (("i", "IDR", "5"), ("u", "USDT", "3"))
    )
    more = quoted("v", kind=("spot", "USDT"), volume_24h="3")
    assert names(decided(perp, idr, usdt)) == ["i"]
    assert names(decided(perp, idr, usdt, more)) == ["u", "v"]
    assert find_kind([perp, idr, usdt, more]) == ("spot", "USDT")
    assert (decided(perp).market, decided(perp).quote) == ("perp", "USDT")
    stale = quoted("s", own="stale", volume_24h="999", kind=("spot", "EUR"))
    assert find_kind([stale, idr]) == ("spot", "IDR")
    assert find_kind([stale]) == ("spot", "EUR")


def test_without_a_fresh_venue_the_freshest_of_the_stale_ones_counts() -> None:
    found = decided(quoted("old", "1", "stale", ts_recv=4), quoted("new", "2", "stale", ts_recv=9))
    assert (found.price, names(found), found.quality, found.ts_recv) == (2, ["new"], "stale", 9)
    assert found.stale == ("old", "new")


def test_stale_ones_are_named_where_they_are_of_the_same_kind() -> None:
    found = decided(quoted("a"), quoted("b", own="stale"), quoted("c", own="stale", kind=("perp", "USDT")))
    assert (names(found), found.stale) == (["a"], ("b",))


def test_of_three_or_more_whoever_is_more_than_five_percent_off_the_middle_is_left_out() -> None:
    found = decided(quoted("a", "100"), quoted("b", "95"), quoted("c", "105"))
    assert (names(found), found.outliers) == (["a", "b", "c"], ())
    found = decided(quoted("a", "100"), quoted("b", "94.99"), quoted("c", "105"))
    assert (names(found), found.outliers) == (["a", "c"], ("b",))
    assert names(decided(quoted("a", "100"), quoted("b", "50"))) == ["a", "b"]
    apart = decided(quoted("a", "100"), quoted("b", "101"), quoted("c", "200"), quoted("d", "202"))
    assert (len(apart.used), apart.outliers) == (4, ())  # nobody is near the middle: all count


# ---- what it is
def test_prices_weigh_by_volume_and_alike_where_nobody_has_one_at_the_finest_place() -> None:
    assert str(decided(quoted("a", "100.0", volume_24h="1"), quoted("b", "101", volume_24h="3")).price) == "100.8"
    assert str(decided(quoted("a", "100"), quoted("b", "101.00")).price) == "100.50"
    assert decided(quoted("a", "100"), quoted("b", "101", volume_24h="2")).price == 101
    assert str(decided(quoted("a", "100.10", volume_24h="7")).price) == "100.10"
    assert [str(find_tick(map(D, texts))) for texts in (("1.5", "2.25"), ("1", "100"), ("1E+2",))] == [
        "0.01",
        "1",
        "1E+2",
    ]


def test_bid_and_ask_are_of_the_venue_with_most_volume_that_has_both() -> None:
    found = decided(
        quoted("a", bid="99", ask="101", volume_24h="1"),
        quoted("b", bid="98", ask="102", volume_24h="2"),
        quoted("c", bid="99.5", volume_24h="9"),
    )
    assert (found.bid, found.ask, found.bid_ask_exchange, found.spread) == (98, 102, "b", 4)
    assert (found.best_bid, found.best_ask, found.best_spread) == (Best(D("99.5"), "c"), Best(D(101), "a"), D("1.5"))
    alone = decided(quoted("c", bid="99.5"))
    assert (alone.bid, alone.ask, alone.bid_ask_exchange, alone.spread, alone.best_spread) == (
        None,
        None,
        None,
        None,
        None,
    )
    assert (alone.best_bid, alone.best_ask) == (Best(D("99.5"), "c"), None)
    only_ask = decided(quoted("c", ask="99.5"))
    assert (only_ask.spread, only_ask.best_spread, only_ask.bid, only_ask.ask) == (None, None, None, None)
    crossed = decided(quoted("a", bid="103", ask="104"), quoted("b", bid="99", ask="100"))
    assert crossed.best_spread == -3


def test_the_figures_of_a_day_are_over_those_who_say_them() -> None:
    found = decided(
        quoted("a", volume_24h="1.5", high_24h="110", low_24h="90", change_24h="1", sim=True),
        quoted("b", volume_24h="4.5", high_24h="120", low_24h="95", change_24h="2", own="gap", ts_recv=9),
        quoted("c"),
    )
    assert (found.volume_24h, found.high, found.low) == (6, 120, 90)
    assert (str(found.change_24h), found.quality, found.sim, found.ts_recv) == ("1.7500", "gap", True, 9)
    assert found.source == "aggregated"
    alone = decided(quoted("a"))
    assert (alone.volume_24h, alone.high, alone.low, alone.change_24h) == (None, None, None, None)
    assert (alone.source, alone.sim, alone.quality) == ("a", False, "live")
