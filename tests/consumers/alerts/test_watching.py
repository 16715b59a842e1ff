"""The price that alerts look at, and the rules at work over the tickers of one stream: in memory."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from consumers.alerts.core import SECOND, PriceWatch, State
from consumers.alerts.prices import SILENT_NS, FeedState, Price, PriceFeed
from consumers.alerts.watching import Decided, Watchlist, market_of, ticker_pattern
from tests.consumers.alerts.conftest import consolidated, one_venue
from tests.consumers.alerts.test_core import T0, rule

ALL = "all.BTC.USDT.spot"
BINANCE = "binance.BTC.USDT.spot"


def fold(feed: PriceFeed, venue: str, seconds: float, last: str | None, **fields: Any) -> Price | None:
    ts = T0 + int(seconds * SECOND)
    _, event = consolidated(ts, last, **fields) if venue == "all" else one_venue(venue, ts, last, **fields)
    return feed.fold(venue, event)


def text(price: Price | None) -> str | None:
    return None if price is None else price.text


# ---- the price
def test_a_price_of_one_exchange_is_its_own_last() -> None:
    feed = PriceFeed(BINANCE)
    price = fold(feed, "binance", 1, "64000.50", sim=True)
    assert price == Price(T0 + SECOND, Decimal("64000.5"), "64000.50", f"{BINANCE}.ticker.{T0 + SECOND}", sim=True)
    assert fold(feed, "okx", 2, "1") is None
    assert fold(feed, "binance", 3, None) is None
    earlier = fold(feed, "binance", 0, "63000")
    assert earlier is not None
    assert earlier.ts == T0 + SECOND  # never before an earlier one's


def test_of_all_it_is_the_consolidated_one_while_that_can_be_trusted() -> None:
    feed = PriceFeed(ALL)
    prices = [fold(feed, "all", n, str(n), quality=q) for n, q in enumerate(("live", "sim", "stale", "gap"), 1)]
    assert [text(price) for price in prices] == ["1", "2", None, None]
    assert feed.not_live == 2
    assert fold(feed, "all", 9, None) is None
    assert (feed.not_live, feed.state.at, feed.state.clock) == (3, T0 + 2 * SECOND, T0 + 9 * SECOND)
    assert feed.state.used == ["binance", "bybit", "okx"]


def test_where_the_consolidated_one_is_silent_the_median_of_its_exchanges_counts() -> None:
    feed = PriceFeed(ALL)
    fold(feed, "all", 0, "64000")
    assert fold(feed, "binance", 4, "64010") is None
    assert fold(feed, "okx", 5, "64020.0") is None  # just as long as it may be silent
    assert SILENT_NS == 5 * SECOND
    assert text(fold(feed, "bybit", 5.1, "64030")) == "64020.0"
    assert fold(feed, "kraken", 5.2, "1") is None  # it made no part of the consolidated one
    assert text(fold(feed, "binance", 6, "64040")) == "64030"
    assert fold(feed, "binance", 7, None) is None
    fold(feed, "all", 8, "64100")
    assert fold(feed, "okx", 8.5, "64110") is None


def test_a_median_needs_half_of_its_exchanges_to_be_fresh() -> None:
    feed = PriceFeed(ALL)
    fold(feed, "all", 0, "64000", used=["a", "b", "c", "d"])
    assert fold(feed, "a", 6, "10") is None
    assert text(fold(feed, "b", 7, "20")) == "15"
    assert text(fold(feed, "b", 11, "30")) == "20"  # a is five seconds old
    assert fold(feed, "b", 11.5, "30") is None  # and now more than that
    three = PriceFeed(ALL)
    fold(three, "all", 0, "64000", used=["a", "b", "c"])
    assert fold(three, "a", 6, "10") is None
    assert text(fold(three, "c", 7, "20")) == "15"


def test_a_feed_goes_on_from_what_was_kept() -> None:
    state = FeedState(clock=T0 + 9 * SECOND, at=T0, used=["a"], lasts={})
    price = fold(PriceFeed(ALL, state), "a", 1, "7")
    assert price is not None
    assert (price.ts, price.text) == (T0 + 9 * SECOND, "7")


# ---- the rules at work
def watch(rule_id: str = "a", tail: str = ALL, **parts: Any) -> PriceWatch:
    made = rule(id=rule_id, tail=tail, cooldown_seconds=0, **parts)
    return PriceWatch(made, State(seq=made.since_seq))


def see(found: Watchlist, seq: int, last: str, venue: str = "all", **given: Any) -> list[str]:
    subject, event = (
        consolidated(T0 + seq * SECOND, last) if venue == "all" else one_venue(venue, T0 + seq * SECOND, last)
    )
    return [decided.watch.rule.id for decided in found.fold(subject, event, seq, **given)]


def test_markets_and_subjects_of_tails() -> None:
    assert (market_of(ALL), ticker_pattern("BTC.USDT.spot")) == ("BTC.USDT.spot", "md.v1.ticker.*.BTC.USDT.spot")


def test_a_rule_sees_the_tickers_of_its_tail_from_its_beginning_on() -> None:
    found = Watchlist()
    found.add(watch("all", since_seq=4))
    found.add(watch("own", BINANCE, since_seq=4))
    found.add(watch("other", "all.ETH.USDT.spot"))
    assert (len(found), found.markets) == (3, {"BTC.USDT.spot", "ETH.USDT.spot"})
    assert see(found, 4, "66000") == []
    assert see(found, 5, "66000") == ["all"]
    assert see(found, 6, "66000", "binance") == ["own"]
    assert see(found, 6, "64000", "binance") == []  # a message that was folded already
    assert {one.rule.id for one in found} == {"all", "own", "other"}


def test_what_was_decided_names_its_message_and_its_rule_and_is_late_by_the_clock() -> None:
    found = Watchlist()
    found.add(watch("a"))
    looked: list[str] = []
    subject, event = consolidated(T0, "66000")
    (decided,) = found.fold(subject, event, 3, now=T0 + 11 * SECOND, look=lambda price: looked.append(price.text))
    assert isinstance(decided, Decided)
    assert (decided.seq, decided.watch, decided.alert.late, looked) == (3, found.find("a"), True, ["66000"])


def test_a_rule_that_joins_others_sees_only_what_comes_after_it() -> None:
    found = Watchlist()
    found.add(watch("a"))
    assert see(found, 7, "66000") == ["a"]
    found.add(watch("b", since_seq=9))
    found.add(watch("c"))
    looked: list[Price] = []
    assert see(found, 8, "66000", look=looked.append) == ["c"]
    assert len(looked) == 2
    assert see(found, 9, "66000") == []
    assert see(found, 10, "66000") == ["b"]
    assert [one.state.seq for one in found.states()] == [10, 10, 10]


def test_rules_of_one_place_share_a_feed_and_those_further_back_catch_up() -> None:
    found = Watchlist()
    kept = [(watch(name).rule, State(seq=seq)) for name, seq in (("a", 5), ("b", 5), ("c", 2))]
    found.load(kept)
    groups = found._groups["BTC.USDT.spot"]
    assert [sorted(group.watches) for group in groups] == [["a", "b"], ["c"]]
    assert see(found, 3, "66000") == ["c"]
    assert see(found, 6, "66000") == ["a", "b"]
    found.add(watch("d", since_seq=6))
    assert "d" in groups[0].watches
    behind = Watchlist()
    behind.load([kept[2], kept[0]])
    behind.add(watch("d", since_seq=5))
    assert [sorted(group.watches) for group in behind._groups["BTC.USDT.spot"]] == [["c"], ["a", "d"]]  # furthest on


def test_rules_of_two_tails_of_a_market_have_feeds_of_their_own() -> None:
    found = Watchlist()
    found.load([(watch("a").rule, State(seq=5)), (watch("b", BINANCE).rule, State(seq=5))])
    found.add(watch("c", BINANCE, since_seq=5))
    assert see(found, 6, "66000", "binance") == ["b", "c"]


def test_a_rule_that_is_removed_is_gone_and_its_market_with_the_last_one() -> None:
    found = Watchlist()
    for name in ("a", "b"):
        found.add(watch(name))
    found.remove("a")
    assert (found.find("a"), len(found), found.markets) == (None, 1, {"BTC.USDT.spot"})
    found.remove("b")
    found.remove("b")
    assert (len(found), found.markets, found._groups["BTC.USDT.spot"]) == (0, frozenset(), [])
    assert see(found, 1, "66000") == []


def test_a_changed_rule_goes_on_in_its_place() -> None:
    found = Watchlist()
    found.add(watch("a"))
    changed = watch("a", value="90000")
    found.put(changed)
    assert found.find("a") is changed
    assert see(found, 1, "66000") == []
    assert see(found, 2, "90000") == ["a"]


def test_states_are_saved_as_of_what_was_read_with_the_feed_that_they_share() -> None:
    found = Watchlist()
    found.add(watch("a"))
    see(found, 3, "64000")
    found.on_read(8, T0)
    assert (found.seq, found.seq_ns) == (8, T0)
    (saved,) = found.states()
    assert (saved.rule.id, saved.state.seq, saved.state.seq_ns) == ("a", 8, T0)
    assert saved.state.feed.clock == T0 + 3 * SECOND
    assert see(found, 8, "66000") == []
    assert see(found, 9, "66000") == ["a"]


def test_another_stream_is_read_from_its_beginning() -> None:
    found = Watchlist()
    found.add(watch("a", since_seq=50))
    assert see(found, 60, "64000") == []
    found.on_read(60, T0)
    found.on_other_stream()
    assert (found.seq, found.find("a").rule.since_seq) == (0, 0)  # type: ignore[union-attr]
    assert see(found, 1, "66000") == ["a"]


def test_nothing_is_kept_of_a_fresh_list() -> None:
    found = Watchlist()
    assert (len(found), list(found), found.seq, found.seq_ns, found.markets) == (0, [], 0, 0, frozenset())
    with pytest.raises(KeyError):
        found.state_of("a")
