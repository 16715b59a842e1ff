"""The consolidated ticker and book as events, figure by figure."""

from __future__ import annotations

from consumers.market import events
from contracts import codec, subjects
from contracts.arithmetic.exact import MOST
from tests.consumers.market.exactly.quoted import book, quoted

MARKET = "BTC.USDT.spot"


def test_a_ticker_of_all_is_what_its_venues_say() -> None:
    fields = events.ticker_fields(
        MARKET,
        [
            quoted("a", "100", bid="99", ask="101", high_24h="110", low_24h="90", volume_24h="2", change_24h="-1.5"),
            quoted("a", "100", own="stale"),
            quoted("b", "100", own="stale"),
        ],
    )
    assert fields == {
        "tail": "all.BTC.USDT.spot",
        "venue": "all",
        "symbol": "BTC/USDT",
        "venue_symbol": None,
        "ts_event": None,
        "ts_recv": 5,
        "sim": False,
        "last": "100",
        "bid": "99",
        "ask": "101",
        "high_24h": "110",
        "low_24h": "90",
        "volume_24h": "2",
        "change_24h": "-1.5",
        "quality": "live",
        "used": ["a"],
        "left_out": [["b", "stale"]],
    }
    assert events.ticker_fields(MARKET, []) is None
    outlier = events.ticker_fields(MARKET, [quoted(name, last) for name, last in (("a", "1"), ("b", "1"), ("c", "2"))])
    assert outlier is not None
    assert outlier["left_out"] == [["c", "outlier"]]


def test_a_figure_that_the_bus_cannot_express_is_null() -> None:
    most = format(MOST, "f")
    just = events.ticker_fields(MARKET, [quoted("a", "1", volume_24h=most, change_24h="-" + most, high_24h=most)])
    over = format(MOST + 1, "f")
    more = events.ticker_fields(MARKET, [quoted("a", "1", volume_24h=over, change_24h="-" + over, high_24h=over)])
    assert just is not None
    assert more is not None
    names_of = ("volume_24h", "change_24h", "high_24h")
    assert [just[name] for name in names_of] == [most, "-" + most, most]
    assert [more[name] for name in names_of] == [None, None, None]
    zero = events.ticker_fields(MARKET, [quoted("a", "1", volume_24h="0", change_24h="0")])
    assert zero is not None
    assert (zero["volume_24h"], zero["change_24h"], zero["bid"]) == ("0", "0", None)


def test_a_book_of_all_is_what_its_venues_offer() -> None:
    over = format(MOST + 1, "f")
    fields = events.book_fields(
        MARKET,
        [
            book("a", f"99x1.50 98x{over} 97x{MOST:f}", "101x2"),
            book("s", "1x1", "2x1", own="stale"),
            book("k", "1x1", "2x1", unit="contracts"),
        ],
    )
    assert fields is not None
    assert (fields["bids"], fields["asks"]) == ([("99", "1.50"), ("97", f"{MOST:f}")], [("101", "2")])
    assert (fields["seq"], fields["quality"], fields["crossed"], fields["used"]) == (None, "live", False, ["a"])
    assert fields["left_out"] == [["s", "stale"], ["k", "contracts"]]
    assert fields["tail"] == "all.BTC.USDT.spot"
    stale = events.book_fields(MARKET, [book("s", "1x1", "2x1", own="stale")])
    assert stale is not None
    assert (stale["quality"], stale["left_out"], stale["used"]) == ("stale", [], ["s"])
    assert events.book_fields(MARKET, []) is None


def test_a_book_of_all_has_twenty_levels_of_a_side() -> None:
    fields = events.book_fields(MARKET, [book("a", " ".join(f"{price}x1" for price in range(90, 60, -1)), "")])
    assert fields is not None
    assert len(fields["bids"]) == events.DEPTH == 20


def test_an_event_is_named_by_what_it_says_and_when() -> None:
    fields = events.ticker_fields(MARKET, [quoted("a")])
    assert fields is not None
    name, body = events.encode_ticker(fields)
    event = codec.decode(subjects.CONSOLIDATED_TICKER + MARKET, body)
    assert (event.id, event.last, event.used) == (name, "100", ["a"])
    assert name.startswith("all.BTC.USDT.spot.ticker.5.")
    assert len(name.rpartition(".")[2]) == 12
    later = events.encode_ticker(fields | {"ts_recv": 6})[0]
    assert (later.rpartition(".")[2], later == name) == (name.rpartition(".")[2], False)
    assert "ts_recv" not in events.content_of(fields)
    of_book = events.book_fields(MARKET, [book("a", "99x1", "101x2")])
    assert of_book is not None
    assert events.encode_book(of_book)[0].startswith("all.BTC.USDT.spot.book.5.")
