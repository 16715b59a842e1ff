"""Prices in another quote: by which rates, at which tick."""

from __future__ import annotations

from decimal import Decimal

from consumers.market import conversion, price
from consumers.market.price import Rate
from contracts import subjects
from contracts.instrument import make_instrument
from tests.consumers.market.exactly.quoted import quoted
from tests.consumers.market.exactly.world import (
    IDR,
    PERP,
    RATE,
    SPOT,
    STALE_NS,
    World,
    feed_away,
    key,
    ticker,
    world,
)

D = Decimal


def test_rates_lead_over_dollars_and_say_where_they_are_from() -> None:
    made = world()
    made.held[key(RATE)] = ticker(RATE, "16000")
    rates = conversion.find_rates(made.reader(), ["IDR", "EUR"], "USDT")
    assert {quote: (str(rate.rate), rate.source) for quote, rate in rates.items()} == {"IDR": ("0.0000625", "peg")}
    assert conversion.find_rates(made.reader(), [], "USDT") == {}
    assert conversion.find_rates(made.reader(), ["USDT"], "EUR") == {}
    back = conversion.find_rates(made.reader(), ["USDT"], "IDR")["USDT"]
    assert (back.rate, back.quote) == (16_000, "USDT")
    made.held[key(RATE)] = ticker(RATE, "16000", age=STALE_NS + 1)
    assert conversion.find_rates(made.reader(), ["IDR"], "USDT") == {}
    made.held[key(RATE)] = ticker(RATE, None)
    assert conversion.find_rates(made.reader(), ["IDR"], "USDT") == {}


def rates_into(target: str, *quotes: str, **prices: str) -> dict[str, tuple[str, str]]:
    """Return the rates of quotes into a target by the prices of some instruments: `EUR_USDT`, `EUR_USDT_USDT`."""
    pairs = {make_instrument("v", name.replace("_", "/", 1).replace("_", ":"), name): name for name in prices}
    made = World(*pairs)
    made.held |= {key(item): ticker(item, prices[name]) for item, name in pairs.items()}
    found = conversion.find_rates(made.reader(), quotes, target)
    return {quote: (str(rate.rate), rate.source) for quote, rate in found.items()}


def test_a_coin_leads_to_dollars_by_its_own_spot_price_in_dollars_or_a_dollar_coin() -> None:
    assert rates_into("USDT", "EUR", EUR_USDT="1.1") == {"EUR": ("1.1", "peg")}
    assert rates_into("USDT", "EUR", EUR_USD="1.1") == {"EUR": ("1.1", "peg")}
    assert rates_into("USD", "EUR", EUR_USD="1.1") == {"EUR": ("1.1", "bus")}
    assert rates_into("USD", "EUR", EUR_USDT="1.1") == {"EUR": ("1.1", "peg")}
    assert rates_into("USDT", "EUR", EUR_USDT_USDT="1.1") == {}
    assert rates_into("USDT", "EUR", EUR_BTC="9", EUR_USDT="1.1") == {"EUR": ("1.1", "peg")}
    assert rates_into("USDT", "USDC") == {"USDC": ("1", "peg")}
    little = rates_into("BTC", "IDR", "USDC", USDT_IDR="99000000", BTC_USDT="100000")
    assert little == {"USDC": ("0.00001", "peg")}, "what is worth too little of the target has no rate"


def test_a_rate_is_of_no_ticker_whose_connection_is_away() -> None:
    made = world()
    made.held[key(RATE)] = ticker(RATE, "16000")
    for channel, known in (("book", {"IDR"}), ("ticker", set[str]())):
        made.held[f"{subjects.STATE_FEED}indodax"] = feed_away("indodax", channel, RATE.symbol)
        assert set(conversion.find_rates(made.reader(), ["IDR"], "USDT")) == known


def test_the_market_is_that_of_the_quote_that_is_asked_for() -> None:
    made = world(PERP)
    made.held |= {key(RATE): ticker(RATE, "16000"), key(IDR): ticker(IDR, "1600001")}
    quoted = made.reader().list_quoted((PERP, IDR))
    assert conversion.convert_quotes(made.reader(), quoted, "USDT") == quoted  # spot is in rupiah alone


def test_prices_of_the_main_market_are_brought_into_one_quote() -> None:
    made = world(SPOT, PERP)
    made.held |= {key(RATE): ticker(RATE, "16000"), key(IDR): ticker(IDR, "1600001")}
    reader = made.reader()
    quoted = reader.list_quoted((SPOT, PERP, IDR))
    assert [(item.market, item.quote, item.quality) for item in quoted] == [
        ("spot", "USDT", "live"),
        ("perp", "USDT", "live"),
        ("spot", "IDR", "live"),
    ]
    usdt = conversion.convert_quotes(reader, quoted, "USDT")
    assert [(item.ticker.last, item.quote, item.converted is not None) for item in usdt] == [
        ("100", "USDT", False),
        ("100", "USDT", False),
        ("100", "USDT", True),
    ]
    main = conversion.convert_quotes(reader, quoted[:2], None)
    assert main == quoted[:2]
    eur = conversion.convert_quotes(reader, quoted, "EUR")
    assert eur == quoted
    fine = conversion.convert_quotes(reader, [quoted[2]], "USDT")
    assert fine[0].ticker.last == "100.00006250"  # no venue quotes in it: eight places
    assert conversion.convert_quotes(reader, [], "USDT") == []


def test_a_price_in_another_quote_is_at_its_tick_and_what_falls_below_is_none() -> None:
    item = quoted("i", "1600000", kind=("spot", "IDR"), bid="1599999", low_24h="1", high_24h="160", volume_24h="7")
    found = conversion.convert(item, "USDT", Rate("IDR", D("0.0000625"), "bus"), D("0.01"))
    assert (found.ticker.last, found.ticker.bid, found.ticker.low_24h, found.ticker.ask) == (
        "100.00",
        "100.00",
        None,
        None,
    )
    assert found.ticker.high_24h == "0.01"
    assert (found.ticker.volume_24h, found.quote, found.market, found.quality) == ("7", "USDT", "spot", "live")
    assert found.converted == Rate("IDR", D("0.0000625"), "bus")
    assert price.SPOT == "spot"
