"""SymbolBook: every spelling of a symbol finds its instruments, or is refused with what it could have been."""

from __future__ import annotations

import pytest

from contracts.errors import AmbiguousSymbolError, UnknownSymbolError, UnknownVenueError
from contracts.instrument import make_instrument
from contracts.symbols import SymbolBook, find_venue

BOOK = SymbolBook(
    make_instrument(venue, symbol, venue_symbol)
    for venue, symbol, venue_symbol in [
        ("binance", "BTC/USDT", "BTCUSDT"),
        ("binance", "BTC/FDUSD", "BTCFDUSD"),
        ("binance", "币安人生/USDT", "币安人生USDT"),
        ("binanceusdm", "BTC/USDT:USDT", "BTCUSDT"),
        ("binanceusdm", "1000PEPE/USDT:USDT", "1000PEPEUSDT"),
        ("bybit", "BTC/USDT", "BTCUSDT"),
        ("bybit", "BTC/USDT:USDT", "BTCUSDT"),
        ("coinbase", "BTC/USD", "BTC-USD"),
        ("coinbase", "BTC/USDT", "BTC-USDT"),
        ("kraken", "BTC/USD", "XBT/USD"),
        ("kraken", "DOGE/USD", "XDG/USD"),
        ("krakenfutures", "BTC/USD:USD", "PF_XBTUSD"),
        ("krakenfutures", "BTC/USD:BTC", "PI_XBTUSD"),
        ("indodax", "BTC/IDR", "btc_idr"),
        ("indodax", "BTC/USDT", "btc_usdt"),
        ("okx", "BTC/USDT", "BTC-USDT"),
        ("okx", "BTC/USDT:USDT", "BTC-USDT-SWAP"),
        ("okx", "BTC/USDT:USDT-260626", "BTC-USDT-260626"),
        ("okx", "BTC/USD:BTC-260626", "BTC-USD-260626"),
        ("htx", "BTC/USDT", "btcusdt"),
        ("htx", "AB/CD", "abcd"),
        ("htx", "ABC/D", "abcd"),
    ]
)


@pytest.mark.parametrize(
    ("text", "venue", "symbol"),
    [
        ("BTC", "binance", "BTC/USDT"),
        ("btc", "coinbase", "BTC/USD"),
        ("BTC", "kraken", "BTC/USD"),
        ("BTC", "indodax", "BTC/IDR"),
        ("BTC", "binanceusdm", "BTC/USDT:USDT"),
        ("BTC", "bybit", "BTC/USDT"),
        ("btcusdt", "binance", "BTC/USDT"),
        ("BTC-USDT", "binance", "BTC/USDT"),
        ("btc_usdt", "binance", "BTC/USDT"),
        ("btc usdt", "binance", "BTC/USDT"),
        (" BTC/USDT ", "binance", "BTC/USDT"),
        ("BTCIDR", "indodax", "BTC/IDR"),
        ("btc_idr", "indodax", "BTC/IDR"),
        ("XBT/USD", "kraken", "BTC/USD"),
        ("XBT/USD", "coinbase", "BTC/USD"),
        ("XBT", "binance", "BTC/USDT"),
        ("xbtusdt", "binance", "BTC/USDT"),
        ("XDG/USD", "kraken", "DOGE/USD"),
        ("BTC/USDT:USDT", "bybit", "BTC/USDT:USDT"),
        ("btc/usdt:usdt", "okx", "BTC/USDT:USDT"),
        ("BTC-USDT-SWAP", "okx", "BTC/USDT:USDT"),
        ("BTCUSDT.P", "bybit", "BTC/USDT:USDT"),
        ("BTCUSDT-PERP", "bybit", "BTC/USDT:USDT"),
        ("PF_XBTUSD", "krakenfutures", "BTC/USD:USD"),
        ("pi_xbtusd", "krakenfutures", "BTC/USD:BTC"),
        ("BTC/USD:BTC", "krakenfutures", "BTC/USD:BTC"),
        ("BTC/USDT:USDT-260626", "okx", "BTC/USDT:USDT-260626"),
        ("BTC-USDT-260626", "okx", "BTC/USDT:USDT-260626"),
        ("BTC-USD-260626", "okx", "BTC/USD:BTC-260626"),
        ("1000PEPE", "binanceusdm", "1000PEPE/USDT:USDT"),
        ("币安人生", "binance", "币安人生/USDT"),
        ("币安人生-usdt", "binance", "币安人生/USDT"),
        ("BTC", "huobi", "BTC/USDT"),
        ("btcusdt", "HTX", "BTC/USDT"),
    ],
)
def test_spelling_finds_the_instrument_on_its_venue(text: str, venue: str, symbol: str) -> None:
    assert [item.symbol for item in BOOK.find(text, venue)] == [symbol]


@pytest.mark.parametrize("item", BOOK.instruments, ids=lambda item: f"{item.venue}:{item.symbol}")
def test_unified_symbol_finds_its_own_instrument(item: object) -> None:
    assert BOOK.find(item.symbol, item.venue) == (item,)  # type: ignore[attr-defined]


def test_bare_base_finds_each_venues_main_market() -> None:
    found = {item.venue: item.symbol for item in BOOK.find("BTC")}
    assert found == {
        "binance": "BTC/USDT",
        "binanceusdm": "BTC/USDT:USDT",
        "bybit": "BTC/USDT",
        "coinbase": "BTC/USD",
        "htx": "BTC/USDT",
        "indodax": "BTC/IDR",
        "kraken": "BTC/USD",
        "krakenfutures": "BTC/USD:USD",
        "okx": "BTC/USDT",
    }


def test_pair_finds_that_pair_wherever_it_is_listed() -> None:
    assert {item.venue for item in BOOK.find("btc-usdt")} == {
        "binance", "binanceusdm", "bybit", "coinbase", "htx", "indodax", "okx"
    }  # fmt: skip


def test_ambiguous_text_lists_the_candidates() -> None:
    with pytest.raises(AmbiguousSymbolError) as caught:
        BOOK.find("abcd")
    assert caught.value.details["candidates"] == ["htx:AB/CD", "htx:ABC/D"]


@pytest.mark.parametrize("text", ["NOPE", "BTC/NOPE", "", "/", "USDT"])
def test_unknown_text_lists_what_is_supported(text: str) -> None:
    with pytest.raises(UnknownSymbolError) as caught:
        BOOK.find(text)
    supported = caught.value.details["supported_symbols"]
    assert supported == sorted({item.symbol for item in BOOK.instruments})


def test_symbol_that_another_venue_lists_is_unknown_here() -> None:
    with pytest.raises(UnknownSymbolError):
        BOOK.find("BTC/IDR", "binance")


def test_unknown_venue_lists_what_is_supported() -> None:
    with pytest.raises(UnknownVenueError) as caught:
        BOOK.find("BTC", "mtgox")
    assert caught.value.details["supported_venues"] == sorted(BOOK.venues)


@pytest.mark.parametrize(("text", "venue"), [("huobi", "htx"), ("HUOBI", "htx"), (" Okx ", "okx")])
def test_venue_is_found_in_any_case_and_by_alias(text: str, venue: str) -> None:
    assert find_venue(text, ["okx", "htx"]) == venue


def test_bare_base_is_the_inverse_contract_where_a_venue_has_nothing_else() -> None:
    deribit = make_instrument("deribit", "BTC/USD:BTC", "BTC-PERPETUAL")
    kraken = [
        make_instrument("krakenfutures", "BTC/USD:USD", "PF_XBTUSD"),
        make_instrument("krakenfutures", "BTC/USD:BTC", "PI_XBTUSD"),
    ]
    book = SymbolBook([deribit, *kraken])
    assert {item.venue_symbol for item in book.find("BTC")} == {"BTC-PERPETUAL", "PF_XBTUSD"}
    assert {item.venue_symbol for item in book.find("BTC/USD:BTC")} == {"BTC-PERPETUAL", "PI_XBTUSD"}
