"""Instruments: the unified symbol, the escape of subject tokens, and one subject for each instrument."""

from __future__ import annotations

import importlib
import json
import re
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from contracts.errors import SymbolSyntaxError
from contracts.instrument import Instrument, escape_token, main_quote, make_instrument, tail_symbol, unescape_token
from producers.venue import RestCall, Venue

LISTS = Path(__file__).resolve().parents[3] / "shared" / "frames" / "instruments"
LEGAL_TOKEN = re.compile(r"[A-Za-z0-9_=-]+")  # neither `.`, `*`, `>` nor white space; legal in key-value keys too
NAMES = st.text(st.characters(exclude_characters="/:", exclude_categories=["Cs"]), min_size=1, max_size=8)
TOKENS = st.from_regex(r"\A(?:[A-Za-z0-9_-]|=[0-9A-F]{2}){1,12}\Z")
# Venue, whose list of instruments it is.
RECORDED = [
    ("binance", "binance"),
    ("binanceusdm", "binance_futures"),
    ("bybit", "bybit"),
    ("coinbase", "coinbase"),
    ("okx", "okx"),
]


# ---- tokens
@given(NAMES)
@example("币安人生")
@example("a.b*c>d e=f\t\n")
@example("=41")
@example("\x00")
@example("é€😀")
def test_escaped_name_is_one_legal_token_and_comes_back(name: str) -> None:
    token = escape_token(name)
    assert LEGAL_TOKEN.fullmatch(token)
    assert unescape_token(token) == name


@pytest.mark.parametrize(("name", "token"), [("BTC", "BTC"), ("1INCH", "1INCH"), ("a.b", "a=2Eb"), ("币", "=E5=B8=81")])
def test_escape_leaves_plain_names_alone(name: str, token: str) -> None:
    assert escape_token(name) == token


@given(TOKENS)
@example("=41")
@example("=C0=80")
def test_no_two_tokens_mean_the_same_name(token: str) -> None:
    try:
        name = unescape_token(token)
    except SymbolSyntaxError:
        return
    assert escape_token(name) == token


@pytest.mark.parametrize("token", ["", "a.b", "=4", "=zz", "=e5", "=FF", "=41", "a b", "a\n", "币"])
def test_token_that_escape_never_writes_is_refused(token: str) -> None:
    with pytest.raises(SymbolSyntaxError):
        unescape_token(token)


def test_empty_name_is_refused() -> None:
    with pytest.raises(SymbolSyntaxError):
        escape_token("")


# ---- symbols
@pytest.mark.parametrize(
    ("symbol", "contract", "inverse"),
    [
        ("BTC/USDT", "spot", False),
        ("BTC/USDT:USDT", "perp", False),
        ("BTC/USD:BTC", "inverse", True),
        ("BTC/USDT:USDT-260626", "260626", False),
        ("BTC/USD:BTC-260626", "i260626", True),
        ("BTC/USD:BTC-300628", "i300628", True),
        ("币安人生/USDT", "spot", False),
    ],
)
def test_symbol_tells_the_contract_and_comes_back_from_the_subject(symbol: str, contract: str, inverse: bool) -> None:
    item = make_instrument("okx", symbol, "x")
    assert (item.contract, item.is_inverse) == (contract, inverse)
    assert tail_symbol(item.tail) == ("okx", symbol)


@pytest.mark.parametrize(
    "symbol",
    ["", "BTC", "BTCUSDT", "BTC/", "/USDT", "BTC/USDT:", "BTC/USD:ETH", "BTC/USDT:USDT-2606", "BTC/USDT-260626:"],
)
def test_text_in_another_form_is_refused(symbol: str) -> None:
    with pytest.raises(SymbolSyntaxError):
        make_instrument("okx", symbol, symbol)


@pytest.mark.parametrize("tail", ["", "a.b.c", "a.b.c.d.e", "okx.=FF.USD.spot"])
def test_tail_that_names_no_instrument_is_refused(tail: str) -> None:
    with pytest.raises(SymbolSyntaxError):
        tail_symbol(tail)


@pytest.mark.parametrize(
    ("venue", "quote"),
    [("coinbase", "USD"), ("kraken", "USD"), ("indodax", "IDR"), ("binance", "USDT"), ("okx", "USDT")],
)
def test_bare_base_means_the_venues_main_quote(venue: str, quote: str) -> None:
    assert main_quote(venue) == quote


def test_contract_size_says_that_the_venue_counts_in_contracts() -> None:
    assert make_instrument("okx", "BTC/USDT:USDT", "x", contract_size="0.01").sized_in_contracts
    assert make_instrument("okx", "BTC/USDT:USDT", "x", sized_in_contracts=True).contract_size is None
    assert not make_instrument("okx", "BTC/USDT", "x").sized_in_contracts


# ---- no two instruments share a subject
@st.composite
def symbols(draw: st.DrawFn) -> str:
    base, quote = draw(NAMES), draw(NAMES)
    assume(base != quote)
    settle = draw(st.sampled_from(["", f":{quote}", f":{base}", f":{quote}-260626", f":{base}-260626"]))
    return f"{base}/{quote}{settle}"


@given(st.lists(symbols(), unique=True, min_size=2, max_size=6))
@example(["A-B/C", "A/B-C", "A=2D/C", "A.B/C", "a/c", "A/C"])
def test_instruments_of_a_venue_have_subjects_of_their_own(names: list[str]) -> None:
    items = [_made(name) for name in names]
    tails = [item.tail for item in items if item is not None]
    assert len(set(tails)) == len(tails)
    assert all(len(tail.split(".")) == 4 for tail in tails)
    assert all(tail_symbol(item.tail) == ("okx", item.symbol) for item in items if item is not None)


def _made(symbol: str) -> Instrument | None:
    try:
        return make_instrument("okx", symbol, symbol)
    except SymbolSyntaxError:  # a settlement coin with a dash in its name has no unified symbol
        return None


@pytest.mark.parametrize(("venue_id", "name"), RECORDED)
def test_listed_instruments_of_a_venue_have_subjects_of_their_own(venue_id: str, name: str) -> None:
    path = LISTS / f"{name}.cryptofeed.rest.jsonl"
    if not path.exists():
        pytest.skip("the recorded lists of instruments are not on this machine")
    venue: Venue = importlib.import_module(f"producers.venues.{venue_id}").VENUE
    found = _listed(venue, path)
    if not found:
        pytest.skip("the recorded list is of an address that the venue no longer has")
    shared = {tail: count for tail, count in Counter(item.tail for item in found).items() if count > 1}
    assert shared == {}
    assert all(tail_symbol(item.tail) == (venue_id, item.symbol) for item in found)


def _listed(venue: Venue, path: Path) -> set[Instrument]:
    found: set[Instrument] = set()
    for line in path.read_text().splitlines():
        row = json.loads(line)
        for market, call in venue.rest.instrument_calls():
            if _answers(call, row["url"]):
                found.update(venue.rest.decode_instruments(market, row["raw"].encode())[0])
    return found


def _answers(call: RestCall, url: str) -> bool:
    asked = dict(parse_qsl(urlsplit(url).query))
    return urlsplit(url).path == call.path and all(
        asked[key] == value for key, value in call.params.items() if key in asked
    )
