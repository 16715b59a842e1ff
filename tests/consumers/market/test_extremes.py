"""The market core over documents at the contract's edges: every answer is made, and is JSON."""

from __future__ import annotations

import json
import random
import re
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from consumers.market.answering import encode
from consumers.market.candles import bars, ohlc
from consumers.market.core import VERBS
from consumers.market.publishing import Consolidator
from consumers.market.state import MarketState, Reader
from contracts import codec, subjects
from contracts.codec import EVENTS
from contracts.errors import HydrophoneError
from contracts.instrument import make_instrument
from contracts.market import BookSnapshot, Funding, OpenInterest
from contracts.numbers import INT64_MAX, INT64_MIN, PRICE_PATTERN
from contracts.schema import literals
from contracts.services.market import Indicator, OhlcQuery
from contracts.state import FeedHealth, LiquidationsState, TickerState, TradesState, WhalesState
from contracts.symbols import SymbolBook
from tests.consumers.odd_events import NUMBERS, golden

NOW = 1_795_291_200 * 10**9
ROUNDS = 100
VENUES = ("binance", "bybit", "okx", "kraken", "coinbase")
LISTED = [
    *(make_instrument(venue, symbol, symbol) for venue in VENUES for symbol in ("BTC/USDT", "BTC/USD", "USDT/USD")),
    *(make_instrument(venue, "BTC/USDT:USDT", "BTC-PERP") for venue in VENUES),
    *(make_instrument(venue, "BTC/EUR", "BTC-EUR") for venue in VENUES),
    *(make_instrument(venue, "USDT/EUR", "USDT-EUR") for venue in VENUES),
]
REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("raw", {"symbol": "BTC"}),
    ("price", {"symbol": "BTC"}),
    ("ticker", {"symbol": "BTC"}),
    ("ticker", {"symbol": "BTC", "convert": True}),
    ("ticker", {"symbol": "BTC/EUR", "convert": True}),
    ("multi_orderbook", {"symbol": "BTC"}),
    ("trades", {"symbol": "BTC"}),
    ("symbols", {}),
    ("orderbook", {"symbol": "BTC"}),
    ("whale", {"symbol": "BTC", "min_usd": "0"}),
    ("liq", {"symbol": "BTC"}),
    ("health", {}),
]
PRICES = [text for text in NUMBERS if isinstance(text, str) and re.fullmatch(PRICE_PATTERN, text)]
TIMES = [0, 1, NOW, NOW - 10**9, INT64_MAX]


class Documents:
    """Documents of the state by key; whatever the contract accepts of odd ones."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.held: dict[str, bytes] = {}
        for item in LISTED:
            of = {"venue": item.venue, "symbol": item.symbol, "venue_symbol": None, "sim": self.rng.random() < 0.1}
            times = {"ts_recv": self.rng.choice(TIMES), "ts_event": self.rng.choice([None, INT64_MIN, *TIMES])}
            quality = {"quality": self.rng.choice(["live", "stale", "gap", "sim"])}
            figures = {
                name: None
                for name, info in TickerState.model_fields.items()
                if not info.is_required() and "ts" not in name
            }
            self.put(subjects.STATE_TICKER + item.tail, TickerState, {**self.odd(figures), **of, **times, **quality})
            levels = {"bids": self.levels(), "asks": self.levels(), "seq": self.rng.choice([None, 0, INT64_MIN])}
            self.put(subjects.STATE_BOOK + item.tail, BookSnapshot, {"id": "b", **of, **times, **quality, **levels})
            trade = golden_of("trade") | of | times | self.odd({"price": None, "amount": None, "contracts": None})
            self.put(subjects.STATE_TRADE + item.tail, TradesState, {**of, **quality, "trades": [trade] * 2})
            for prefix, model, kind in (
                (subjects.STATE_FUNDING, Funding, "funding"),
                (subjects.STATE_INTEREST, OpenInterest, "interest"),
            ):
                body = golden_of(kind)
                wanted = {name: None for name in body if name not in {"id", *of, *times}}
                self.put(prefix + item.tail, model, body | of | times | self.odd(wanted))
        whale = golden_of("whale") | self.odd(dict.fromkeys(("price", "amount", "usd_value", "usd_rate")))
        self.put(subjects.STATE_WHALES + "BTC", WhalesState, {"base": "BTC", "whales": [whale], "seq": 1, "sim": False})
        self.put(subjects.STATE_LIQUIDATIONS + "BTC", LiquidationsState, self.liquidations())
        for venue in VENUES:
            self.put(subjects.STATE_FEED + venue, FeedHealth, self.feed(venue))

    def odd(self, names: dict[str, Any]) -> dict[str, Any]:
        return {name: self.rng.choice([*PRICES, None, *TIMES] if "ts" in name else [*PRICES, None]) for name in names}

    def levels(self) -> list[list[str]]:
        return [[self.rng.choice(PRICES), self.rng.choice(PRICES)] for _ in range(self.rng.randrange(4))]

    def liquidations(self) -> dict[str, Any]:
        entry = {"sim": False, "id": "l", "venue": "okx", "symbol": "BTC/USDT:USDT", "ts": self.rng.choice(TIMES)}
        entry |= {"position_side": None, "order_side": None, "sampled": False}
        entry |= self.odd(dict.fromkeys(("price", "amount", "usd_value")))
        sums = self.odd(dict.fromkeys(("long_usd", "short_usd", "unknown_usd"))) | {"count": 1, "unvalued": 0}
        return {"base": "BTC", "recent": [entry], "totals": {"1h": sums}, "as_of": NOW, "sampled": True, "sim": False}

    def feed(self, venue: str) -> dict[str, Any]:
        latency = {"p50": self.rng.choice([None, 0, -5, 10**30]), "p99": INT64_MAX}
        counts = {"reconnects": 0, "gaps": 0, "resyncs": 2**70, "seq": 0}
        ages = {"last_message_ts": {"trade": self.rng.choice(TIMES)}, "events": {"trade": 10**30}}
        return {
            "venue": venue,
            "connected": True,
            "state": "live",
            "reason": "\x00\u202e",
            "channels": {},
            "marks": [],
            "since": self.rng.choice([None, INT64_MIN, INT64_MAX]),
            "venue_latency": latency,
            "bus_latency": latency,
            "clock_offset": self.rng.choice([None, -(10**30)]),
            "sim": False,
            **counts,
            **ages,
        }

    def put(self, key: str, model: Any, fields: dict[str, Any]) -> None:
        """Keep a document where the contract accepts it, without the fields that it refuses where it can."""
        body = dict(fields)
        for _ in range(40):
            try:
                self.held[key] = model.model_validate_json(json.dumps(body)).model_dump_json().encode()
                return
            except ValidationError as error:
                self.mend(body, error.errors()[0]["loc"])

    def mend(self, body: Any, place: tuple[Any, ...]) -> None:
        for step in place[:-1]:
            body = body[step]
        body[place[-1]] = self.rng.choice(["1", None, NOW])

    def get(self, key: str) -> bytes | None:
        return self.held.get(key)

    def keys(self) -> list[str]:
        return list(self.held)


def golden_of(kind: str) -> dict[str, Any]:
    return golden(EVENTS[kind], NOW)[1]


@pytest.mark.timeout(240)
def test_every_route_answers_over_documents_at_the_edges() -> None:
    answered = refused = 0
    codes: set[str] = set()
    for seed in range(ROUNDS):
        documents = Documents(seed)
        state = MarketState(documents, 60 * 10**9, lambda: True)
        state.save_symbols(SymbolBook(LISTED))
        for name, fields in REQUESTS:
            verb = VERBS[name]
            query = verb.query.model_validate(fields)
            try:
                body = encode(verb.compose(Reader(state, NOW), query)).render(NOW).body
            except HydrophoneError as error:
                codes.add(error.code)
                refused += 1
            else:
                json.loads(body, parse_constant=pytest.fail)
                answered += 1
    assert codes <= {"NOT_READY", "NO_DATA"}  # nothing carried a price or a book
    print(f"market core: {answered} answers, {refused} refusals for want of data")
    assert answered > 10 * refused


@pytest.mark.parametrize("seed", range(40))
def test_candles_and_indicators_answer_over_prices_at_the_edges(seed: int) -> None:
    rng = random.Random(seed)
    documents = Documents(seed)
    state = MarketState(documents, 60 * 10**9, lambda: True)
    state.save_symbols(SymbolBook(LISTED))
    reader = Reader(state, NOW)
    asked = OhlcQuery(symbol="BTC", limit=60, indicators=get_args(Indicator))
    query = ohlc.find_wanted(reader, asked)
    window = bars.make_span("1h", NOW, (None, None), 160)
    good = ["9" * 24, "0." + "0" * 35 + "1", "1", "9" * 24 + "." + "9" * 36]
    rows = {
        start: bars.Row(start, *(rng.choice(good) for _ in range(5)), closed=True, ts_recv=NOW, sim=False)
        for start in window.starts
    }
    merged = bars.merge(window, bars.Own(rows, 0), {}, [])
    answer = ohlc.compose_ohlc(reader, query, ohlc.Collected(merged, window, 60, ()))
    json.loads(literals.encode(answer, NOW), parse_constant=pytest.fail)


def test_the_consolidated_market_over_documents_at_the_edges_is_what_the_bus_accepts() -> None:
    published: set[str] = set()
    for seed in range(ROUNDS):
        documents = Documents(seed)
        state = MarketState(documents, 60 * 10**9, lambda: True)
        state.save_symbols(SymbolBook(LISTED))
        consolidator = Consolidator(state)
        consolidator.on_listing()
        for output in consolidator.drain(NOW):
            if output is not None:
                subject, name, body = output
                event = codec.decode(subject, body)
                assert (event.venue, event.id) == ("all", name)
                published.add(subject)
        assert [output for output in consolidator.drain(NOW) if output is not None] == []
    assert {"md.v1.ticker.all.BTC.USDT.spot", "md.v1.book.all.BTC.USDT.perp"} <= published
