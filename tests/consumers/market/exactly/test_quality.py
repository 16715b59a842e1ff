"""How far data can be trusted: the worst of its own quality, its feed's and its age's."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.market import quality
from consumers.market.quality import DEAD_AFTER_NS, Freshness, decide_quality, feed_quality, is_dead, judge_feed, worst
from contracts import codec
from contracts.market import Served
from contracts.state import AwayConnection, FeedHealth

_FEED, _AWAY, _SERVED = (codec.trusted(model) for model in (FeedHealth, AwayConnection, Served))
PLACE = ("ticker", "BTC/USDT")


@pytest.mark.parametrize(
    ("qualities", "found"),
    [
        ([], "stale"),
        (["live"], "live"),
        (["live", "sim"], "sim"),
        (["gap", "sim"], "gap"),
        (["gap", "stale"], "stale"),
        (["live", "odd"], "odd"),
        (["odd", "gap"], "odd"),
    ],
)
def test_the_worst_quality_counts(qualities: list[str], found: str) -> None:
    assert worst(qualities) == found


def feed(**fields: Any) -> Any:
    values: dict[str, Any] = dict.fromkeys(FeedHealth.model_fields)
    values |= {
        "venue": "v",
        "connected": True,
        "state": "live",
        "channels": {},
        "away": [],
        "as_of": 0,
        "reason": "why",
    }
    return _FEED(**{**values, **fields})


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ("live", "live"),
        ("gap", "gap"),
        ("resync", "gap"),
        ("stale", "stale"),
        ("down", "stale"),
        ("connecting", "stale"),
        ("odd", "stale"),
        (None, "live"),
    ],
)
def test_a_feeds_state_is_a_quality(state: str | None, found: str) -> None:
    assert feed_quality(feed(state=state)) == found
    assert feed_quality(feed(state=state, connected=False)) == "stale"
    assert feed_quality(None) == "live"


def away(*states: str) -> Any:
    serves = [_SERVED(channels=["ticker"], symbols=["BTC/USDT"])]
    return feed(state="down", away=[_AWAY(connection="a", state=state, serves=serves) for state in states])


def test_of_a_feed_with_connections_away_a_place_is_as_good_as_the_worst_of_those_that_serve_it() -> None:
    for states, found in ((("resync",), "gap"), (("connecting",), "stale"), (("gap", "down"), "stale")):
        assert feed_quality(away(*states), PLACE) == found
        assert feed_quality(away(*states), ("book", "BTC/USDT")) == "live"
        assert feed_quality(away(*states)) == "stale", "of everything it is the feed's own state"


def test_a_feed_that_nobody_judges_any_more_is_stale_where_it_was_live() -> None:
    assert DEAD_AFTER_NS == 5_000_000_000
    one = feed(channels={"trade": "live", "book": "gap"})
    assert [is_dead(one, now) for now in (DEAD_AFTER_NS, DEAD_AFTER_NS + 1)] == [False, True]
    assert not is_dead(feed(as_of=None), 10**18)
    assert judge_feed(one, DEAD_AFTER_NS) is one
    dead = judge_feed(one, DEAD_AFTER_NS + 1)
    assert (dead.state, dead.channels) == ("stale", {"trade": "stale", "book": "gap"})
    assert dead.reason == "the cache does not write: this is what it wrote last"
    down = judge_feed(feed(state="down"), DEAD_AFTER_NS + 1)
    assert (down.state, down.reason) == ("down", "why")


def test_a_document_is_as_good_as_the_worst_of_its_own_its_feeds_and_its_age() -> None:
    fresh = Freshness(10)
    assert decide_quality("live", None, 10, fresh, place=PLACE) == "live"
    assert decide_quality("live", None, 11, fresh, place=PLACE) == "stale"
    assert decide_quality("live", None, 0, Freshness(10, cut=True), place=PLACE) == "stale"
    assert decide_quality("sim", feed(state="gap"), 0, fresh, place=PLACE) == "gap"
    assert decide_quality("odd", None, 0, fresh, place=PLACE) == "stale"
    assert quality.LIVE == "live"
