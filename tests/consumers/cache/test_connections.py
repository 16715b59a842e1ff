"""A venue with several connections: the worst of them is the venue's, in its document and in every answer about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from consumers.cache.core import StateCache
from consumers.cache.feeds import Feed, restore_feed
from consumers.market.answers.feeds import feeds_by_venue, list_degraded
from consumers.market.state import MarketState, Reader
from contracts.codec import decoder, encode, fast
from contracts.instrument import make_instrument
from contracts.market import ConnectionState, Served
from contracts.state import FeedHealth

SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND
ONE, OTHER = "public.0:00000001", "public.1:00000002"
Make = Callable[..., Any]
State = fast(ConnectionState)


def whole(status: Make, **states: str) -> Any:
    """Say the state of the venue as a whole: a, b by the order of its connections."""
    live = [state == "live" for state in states.values()]
    listed = [State(id=name, state=state) for name, state in zip((ONE, OTHER), states.values(), strict=True)]
    return status("live" if all(live) else "connecting" if any(live) else "down", connections=listed)


class Folded:
    """What the cache writes of a venue, and what the market core answers of it."""

    def __init__(self) -> None:
        self._cache, self._held, self._seq = StateCache(), dict[str, bytes](), 0

    def say(self, *statuses: Any) -> None:
        for item in statuses:
            self._seq += 1
            self._cache.fold_feeds([("feed.v1.binance", item)], self._seq)

    def document(self) -> Any:
        self._held |= {key: body for key, body in self._cache.drain(START).items() if body is not None}
        return FeedHealth.model_validate_json(self._held["feed.binance"])

    @property
    def feed(self) -> Feed:
        return self._cache._find_feed("binance")

    def qualities(self) -> dict[str, list[str]]:
        """How good trades are by symbol, as the cache writes and as the market core says."""
        return self.judged("trade")

    def judged(self, channel: str, later: int = 0) -> dict[str, list[str]]:
        self.document()
        reader = Reader(MarketState(self._held, 600 * SECOND, lambda: True), START + later)
        return {
            item.symbol: [self.feed.find_quality(channel, item.symbol), reader.quality_of("live", START, item, channel)]
            for item in (BTC, ETH)
        }

    def answers(self) -> tuple[list[str], dict[str, Any]]:
        self.document()
        reader = Reader(MarketState(self._held, 60 * SECOND, lambda: True), START)
        return list_degraded(reader), feeds_by_venue(reader)["binance"]


def test_one_connection_does_not_speak_for_another(status: Make) -> None:
    folded = Folded()
    for connection in (ONE, OTHER):
        folded.say(status("live", channel="trade", connection=connection))
    folded.say(whole(status, a="live", b="live"))
    assert folded.answers()[0] == []
    folded.say(status("stale", channel="trade", connection=ONE), status("live", channel="trade", connection=OTHER))
    degraded, health = folded.answers()
    assert (degraded, health["state"], health["channels"]) == ([], "live", {"trade": "stale"})
    assert health["not_live"] == [{"channel": "trade", "symbol": None, "state": "stale"}]
    folded.say(status("live", channel="trade", connection=ONE))
    assert folded.answers()[1]["not_live"] == []


def test_the_worst_connection_is_the_venues(status: Make) -> None:
    folded = Folded()
    folded.say(whole(status, a="live", b="live"), status("down", channel="trade", connection=ONE))
    folded.say(whole(status, a="connecting", b="live"), status("live", channel="trade", connection=OTHER))
    degraded, health = folded.answers()
    assert degraded == ["feed binance: connecting"]
    assert (health["connected"], health["state"], health["quality"]) == (False, "connecting", "stale")
    assert health["channels"]["trade"] == "down"
    assert folded.document().connections == {ONE: "connecting", OTHER: "live"}
    folded.say(whole(status, a="connecting", b="connecting"))
    assert folded.answers()[0] == ["feed binance: down"]
    folded.say(status("live", channel="trade", connection=ONE), whole(status, a="live", b="live"))
    assert folded.answers()[0] == []
    assert folded.document().reconnects == 1


def test_what_a_connection_said_is_over_with_it(status: Make) -> None:
    folded = Folded()
    folded.say(whole(status, a="live", b="live"))
    for connection in (ONE, OTHER):
        folded.say(status("gap", channel="book", symbol="BTC/USDT", connection=connection))
    folded.say(whole(status, a="connecting", b="live"))
    assert folded.document().connection_marks == [("book", "BTC/USDT", OTHER, "gap")]
    folded.say(status("live", connections=[State(id=ONE, state="live")]))
    assert folded.document().marks == []


@pytest.mark.parametrize(("group", "shown"), [("1-2", "connecting"), ("1-3", "live")])
def test_the_groups_of_a_venues_symbols_are_judged_together(status: Make, group: str, shown: str) -> None:
    folded = Folded()
    folded.say(status("down", connections=[State(id=f"{group}/{ONE}", state="connecting")]))
    folded.say(status("live", connections=[State(id=f"0-2/{ONE}", state="live")]))
    assert folded.document().state == shown  # groups of another division are not there any more


def test_marks_come_back_after_a_restart_as_they_were(status: Make) -> None:
    feed = Feed("binance")
    feed.on_status(whole(status, a="live", b="live"), 1)
    for connection, state in ((ONE, "stale"), (OTHER, "gap"), (None, "down")):
        feed.on_status(status(state, channel="trade", connection=connection), 2)
    feed.on_status(status("down", symbol="XRP/USDT"), 3)
    again = restore_feed(decoder(FeedHealth).decode(encode(feed.document(START))))
    assert set(again.document(START).marks) == {("trade", None, "down"), (None, "XRP/USDT", "down")}
    again.on_status(status("live", channel="trade", connection=ONE), 4)
    again.on_status(status("live", channel="trade"), 5)
    document: Any = again.document(START)
    assert set(document.marks) == {("trade", None, "gap"), (None, "XRP/USDT", "down")}
    assert document.connections == {ONE: "live", OTHER: "live"}


def serving(status: Make, connection: str, *symbols: str, state: str = "live") -> Any:
    """Say that a connection serves trades, tickers and books of these."""
    served = [fast(Served)(channels=["book", "ticker", "trade"], symbols=list(symbols))]
    return status(state, channel="trade", connection=connection, serves=served)


BTC, ETH = (make_instrument("binance", f"{base}/USDT", f"{base}USDT") for base in ("BTC", "ETH"))


def test_of_one_connection_that_is_away_only_its_instruments_are_stale(status: Make) -> None:
    folded = Folded()
    folded.say(serving(status, ONE, BTC.symbol), serving(status, OTHER, ETH.symbol), whole(status, a="live", b="live"))
    assert folded.qualities() == {"BTC/USDT": ["live", "live"], "ETH/USDT": ["live", "live"]}
    folded.say(status("down", channel="trade", connection=ONE), whole(status, a="connecting", b="live"))
    assert folded.qualities() == {"BTC/USDT": ["stale", "stale"], "ETH/USDT": ["live", "live"]}
    again = restore_feed(decoder(FeedHealth).decode(encode(folded.feed.document(START))))
    assert [again.find_quality("trade", item.symbol) for item in (BTC, ETH)] == ["stale", "live"]
    folded.say(whole(status, a="connecting", b="connecting"))
    assert folded.qualities() == {"BTC/USDT": ["stale", "stale"], "ETH/USDT": ["stale", "stale"]}
    folded.say(whole(status, a="live", b="connecting"), status("live", channel="trade", connection=ONE))
    assert folded.qualities() == {"BTC/USDT": ["live", "live"], "ETH/USDT": ["stale", "stale"]}


def test_of_a_connection_that_did_not_list_what_it_serves_everything_is_stale(status: Make) -> None:
    folded = Folded()
    folded.say(serving(status, OTHER, ETH.symbol), whole(status, a="connecting", b="live"))
    assert folded.qualities() == {"BTC/USDT": ["stale", "stale"], "ETH/USDT": ["stale", "stale"]}
    folded.say(serving(status, ONE, BTC.symbol, state="connecting"))
    assert folded.qualities()["ETH/USDT"] == ["live", "live"]
    folded.say(status("down"))
    assert folded.qualities()["ETH/USDT"] == ["stale", "stale"], "the venue speaks for all of them"


def test_what_no_connection_lists_is_as_good_as_what_else_comes_of_the_instrument(status: Make) -> None:
    folded = Folded()
    folded.say(serving(status, ONE, BTC.symbol), serving(status, OTHER, ETH.symbol), whole(status, a="down", b="live"))
    assert folded.judged("funding") == {"BTC/USDT": ["stale", "stale"], "ETH/USDT": ["live", "live"]}


def test_a_dead_cache_speaks_for_no_single_connection(status: Make) -> None:
    folded = Folded()
    folded.say(serving(status, ONE, BTC.symbol), serving(status, OTHER, ETH.symbol), whole(status, a="down", b="live"))
    assert folded.judged("trade", later=60 * SECOND)["ETH/USDT"] == ["live", "stale"]
