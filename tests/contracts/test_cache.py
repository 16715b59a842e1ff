"""Keys of the cache: one a question, read in any spelling, and matched by keys and patterns."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from contracts.errors import InvalidParameterError
from contracts.services.cache import (
    QUESTIONS,
    DropRequest,
    Question,
    fold,
    keys_of_candles,
    question_of,
    read_key,
)

KEYS = {
    "raw": "market_data:BTC:raw",
    "whale": "market_data:BTC:whale",
    "liq": "market_data:BTC:liq",
    "orderbook": "market_data:BTC:orderbook",
    "trades": "market_data:BTC:trades",
    "ohlc": "market_data:BTC:ohlc",
    "price": "aggregated_data:BTC",
    "ticker": "multi_ticker:BTC",
    "multi_orderbook": "multi_orderbook:BTC",
    "symbols": "market_data:BTC:symbols",
}


def test_every_command_about_the_market_has_a_key_but_for_the_cores_own_status() -> None:
    assert {*KEYS, "health"} <= set(QUESTIONS)
    assert "status" not in QUESTIONS


@pytest.mark.parametrize(("verb", "key"), KEYS.items())
def test_a_question_has_a_key_that_stands_for_it_in_any_spelling(verb: str, key: str) -> None:
    question = question_of(verb, b'{"symbol":" btc ","limit":3,"depth":7}')
    assert question.key == key
    for spelling in (key, key.lower(), key.upper(), key.replace(":", "."), f" {key} "):
        assert read_key(spelling) == Question(verb, "BTC")
    assert read_key(key).request.model_dump(exclude_defaults=True) == {"symbol": "BTC"}


@pytest.mark.parametrize("symbol", ["BTC/USDT", "BTC/USDT:USDT", "BTC-PERPETUAL", "BTCUSDT.P", "币安"])
@pytest.mark.parametrize("verb", [*KEYS])
def test_symbols_with_marks_keep_their_key(verb: str, symbol: str) -> None:
    key = Question(verb, symbol).key
    assert fold(read_key(key).key) == fold(key)
    assert DropRequest(keys=(key.replace(":", "."),)).matcher()(key)


def test_questions_without_a_symbol_are_all() -> None:
    assert question_of("symbols", b"{}").key == question_of("symbols", b"").key == "market_data:all:symbols"
    assert read_key("market_data.ALL.symbols") == Question("symbols", None)
    assert read_key("market_data:all:health").request.model_dump(exclude_defaults=True) == {}


@pytest.mark.parametrize(
    "text",
    [
        *("", "BTC", "market_data", "market_data:BTC", "market_data::raw", "market_data:BTC:", "multi_ticker:"),
        *("market_data:BTC:status", "market_data:BTC:nothing", "market_data:BTC:health", "other:BTC:raw"),
    ],
)
def test_what_is_no_key_is_refused_with_what_is_supported(text: str) -> None:
    with pytest.raises(InvalidParameterError) as refused:
        read_key(text)
    assert refused.value.details["parameter"] == "key"
    assert "multi_ticker:{symbol}" in str(refused.value.details["supported_keys"])


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("market_data:BTC:*", {"market_data:BTC:raw", "market_data:BTC:whale"}),
        ("market_data.btc.*", {"market_data:BTC:raw", "market_data:BTC:whale"}),
        ("*:raw", {"market_data:BTC:raw", "market_data:BTC/USDT:USDT:raw"}),
        ("multi_*", {"multi_ticker:BTC"}),
        ("*", {"market_data:BTC:raw", "market_data:BTC:whale", "market_data:BTC/USDT:USDT:raw", "multi_ticker:BTC"}),
        ("market_data:BTC", set()),
        ("*" * 64 + "x", set()),
    ],
)
def test_a_pattern_means_the_keys_that_it_fits_as_a_whole(pattern: str, meant: set[str]) -> None:
    matches = DropRequest(pattern=pattern).matcher()
    keys = ["market_data:BTC:raw", "market_data:BTC:whale", "market_data:BTC/USDT:USDT:raw", "multi_ticker:BTC"]
    assert {key for key in keys if matches(key)} == meant


@pytest.mark.parametrize("fields", [{}, {"keys": ("a",), "pattern": "b"}, {"pattern": ""}, {"pattern": "x" * 129}])
def test_a_drop_means_either_keys_or_a_pattern(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DropRequest.model_validate(fields)


def test_fetched_candles_answer_the_usual_spellings_of_their_symbol() -> None:
    perp = keys_of_candles("market_data.binanceusdm.BTC.USDT.perp.ohlc.1h.1700000000000000000.True")
    assert {"market_data:BTC/USDT:USDT:ohlc", "market_data:BTC:ohlc", "market_data:XBT:ohlc"} < set(perp)
    spot = keys_of_candles("own_candles.kraken.ETH.USD.spot.1h")
    assert {"market_data:ETH/USD:ohlc", "market_data:ETHUSD:ohlc", "market_data:ETH-USD:ohlc"} < set(spot)
