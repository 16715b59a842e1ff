"""What a symbol means, and what is refused."""

from __future__ import annotations

import pytest

from consumers.market.listed import base_of, index_listed, shortest_pair
from consumers.market.state import MarketState
from contracts import subjects
from contracts.errors import (
    InvalidParameterError,
    NoDataError,
    NotReadyError,
    UnknownSymbolError,
    UnknownVenueError,
)
from contracts.instrument import make_instrument
from contracts.services.market import LONGEST_SYMBOL
from contracts.symbols import SymbolBook
from tests.consumers.market.exactly.world import (
    ETH,
    IDR,
    LISTED,
    PERP,
    RATE,
    SPOT,
    STALE_NS,
    World,
    key,
    ticker,
    world,
)


def test_a_listing_is_indexed_by_base_and_tail() -> None:
    listed = index_listed(SymbolBook(LISTED))
    assert listed.by_base == {"BTC": (SPOT, PERP, IDR), "USDT": (RATE,), "ETH": (ETH,)}
    assert listed.by_tail["binance.BTC.USDT.perp"] is PERP
    assert [base_of(text) for text in (" btc ", "XBT", "nope")] == ["BTC", "BTC", "NOPE"]
    assert shortest_pair((PERP, SPOT)) == "BTC/USDT"
    empty = MarketState({}, 1, lambda: True)
    assert (empty.symbols.instruments, empty.list_of_base("BTC"), empty.find_instrument("x")) == ((), (), None)


def test_a_symbol_is_a_coin_or_a_pair_and_has_the_instruments_with_data() -> None:
    made = world(SPOT, IDR)
    coin = made.state.find("btc")
    assert (coin.name, coin.base, coin.bare, coin.symbols) == ("BTC", "BTC", True, {"BTC/USDT", "BTC/IDR"})
    pair = made.state.find("BTC/USDT")
    assert (pair.name, pair.base, pair.bare, pair.instruments) == ("BTC/USDT", "BTC", False, (SPOT,))
    assert made.state.find("BTC", "indodax").instruments == (IDR,)
    made.held[key(ETH, subjects.STATE_BOOK)] = b"{}"
    assert made.state.has_data(ETH)
    assert not made.state.has_data(RATE)
    assert made.state.list_received() == [SPOT, IDR, ETH]
    assert made.state.list_supported() == ["BTC/IDR", "BTC/USDT", "ETH/USDT"]


def test_what_is_supported_is_listed_up_to_five_hundred() -> None:
    many = [make_instrument("binance", f"C{number:04}/USDT", f"C{number}") for number in range(501)]
    made = World(*many)
    made.held |= {key(item): b"{}" for item in many}
    assert len(made.state.list_supported()) == 500


def test_refusals_of_symbols_say_why_and_what_there_is() -> None:
    with pytest.raises(NotReadyError, match="No exchange has listed its instruments yet") as refused:
        World().state.find("BTC")
    assert refused.value.details["waiting_for"] == ["instruments"]
    made = world()
    for text in ("", "x" * (LONGEST_SYMBOL + 1)):
        with pytest.raises(InvalidParameterError, match=f"must have 1 to {LONGEST_SYMBOL} characters") as invalid:
            made.state.find_listed(text)
        assert invalid.value.details["parameter"] == "symbol"
    with pytest.raises(NotReadyError, match=r"^No market data has arrived yet$") as early:
        made.state.find("BTC")
    assert early.value.details["waiting_for"] == ["market data"]
    made.held[key(ETH)] = ticker(ETH)
    with pytest.raises(NoDataError, match="Symbol BTC is listed, but nothing was received of it") as nothing:
        made.state.find("BTC")
    assert nothing.value.details == {"parameter": "symbol", "supported_symbols": ["ETH/USDT"]}
    with pytest.raises(UnknownSymbolError, match="Symbol NOPE is not supported"):
        made.state.find("NOPE")
    with pytest.raises(UnknownSymbolError):
        made.state.find_listed("x" * LONGEST_SYMBOL)
    for ask in (lambda: made.state.find_listed("BTC", "nope"), lambda: made.state.find_venue("nope")):
        with pytest.raises(UnknownVenueError) as unknown:
            ask()
        assert unknown.value.details["parameter"] == "exchange"
    assert made.state.find_venue("OKX") == "okx"


def test_an_answer_depends_on_the_listing_and_on_the_bus() -> None:
    made = world()
    first = made.state.generation
    made.state.save_symbols(SymbolBook(LISTED))
    second = made.state.generation
    made.connected = False
    assert len({first, second, made.state.generation}) == 3
    assert (made.state.freshness.cut, made.state.freshness.after_ns) == (True, STALE_NS)
    past = made.state.over({}, None, made.state.listed)  # type: ignore[arg-type]
    assert (past.freshness.cut, past.freshness.after_ns, past.listed, past.bucket) == (
        False,
        STALE_NS,
        made.state.listed,
        {},
    )
    assert (past.on_unreadable, past.ledger) == (made.state.on_unreadable, None)
