"""The cached state has one definition: the cache writes what the models say, and the market core reads that.

Both ends have their structs from `contracts.state`, and nobody else writes its fields down again.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import BaseModel

from consumers.cache import feeds, instruments, tallies
from consumers.cache.core import StateCache
from consumers.market import documents
from contracts import codec, state, subjects
from contracts.instrument import make_instrument
from contracts.state import DOCUMENTS

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests/contracts/golden"
TAIL = "binance.BTC.USDT.spot"
SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND
BODIES = {subjects.STATE_BOOK: "book", subjects.STATE_FUNDING: "funding", subjects.STATE_INTEREST: "interest"}
WRITERS: dict[type[BaseModel], Any] = {
    state.TickerState: instruments._TICKER_STATE,
    state.TradesState: instruments._TRADES_STATE,
    state.TradesPage: instruments._TRADES_PAGE,
    state.WhalesState: tallies._WHALES,
    state.LiquidationsState: tallies._LIQUIDATIONS,
    state.LiquidationEntry: tallies._ENTRY,
    state.LiquidationTotals: tallies._TOTALS,
    state.FeedHealth: feeds._HEALTH,
    state.LatencyState: feeds._LATENCY,
}
Make = Callable[..., Any]


def golden(kind: str) -> bytes:
    return json.dumps(json.loads((GOLDEN / f"{kind}.v1.json").read_text())).encode()


def tail_of(body: bytes) -> str:
    event = json.loads(body)
    return make_instrument(event["venue"], event["symbol"], event["venue_symbol"]).tail


@pytest.fixture
def written(trade: Make, ticker: Make, liquidation: Make, status: Make) -> dict[str, bytes]:
    """What a cache that read an event of each kind, every field filled, writes: by the prefix of the key."""
    cache = StateCache()
    figures = dict.fromkeys(state.TickerFigures.model_fields, "12.5")
    cache.fold_feeds([("feed.v1.binance", status("live")), ("", status("gap", channel="book", symbol="BTC/USDT"))], 7)
    cache.on_silence_limits({"binance": {"trade": 5 * SECOND}})
    cache.fold_tickers([(subjects.TICKER + TAIL, ticker(START, **figures))], START + 1000)
    cache.fold_trades([(subjects.TRADE + TAIL, trade(number)) for number in range(1, 13)], START + 1000)
    for prefix, kind in BODIES.items():
        about, body = codec.KIND_SUBJECTS[kind], golden(kind)
        cache.fold_bodies(about, [(about + tail_of(body), body)], START)
        assert prefix in DOCUMENTS
    cache.fold_liquidations([("", liquidation(1)), ("", liquidation(2, position_side=None, amount=None))], START)
    cache.fold_whales([("", codec.decoder(codec.EVENTS["whale"]).decode(golden("whale")))], 9)
    drained = cache.drain(START + SECOND)
    return {
        prefix: next(body for key, body in drained.items() if body is not None and key.startswith(prefix))
        for prefix in DOCUMENTS
    }


@pytest.mark.parametrize("prefix", DOCUMENTS)
def test_what_the_cache_writes_is_what_the_model_says(prefix: str, written: dict[str, bytes]) -> None:
    body, model = written[prefix], DOCUMENTS[prefix]
    document = model.model_validate_json(body)
    assert list(json.loads(body)) == list(model.model_fields)
    assert json.loads(document.model_dump_json()) == json.loads(body)
    assert list(exact(model, json.loads(body))) == []


def exact(model: type[BaseModel], body: dict[str, Any]) -> Iterator[str]:
    """Name the fields, nested ones too, that a body has and its model has not, or the other way round."""
    left_out = {name for name, info in model.model_fields.items() if info.exclude_if is not None}
    yield from (set(model.model_fields) ^ set(body)) - (left_out - set(body))
    nested: dict[str, type[BaseModel]] = {
        "trades": codec.EVENTS["trade"],
        "whales": codec.EVENTS["whale"],
        "recent": state.LiquidationEntry,
        "totals": state.LiquidationTotals,
        "venue_latency": state.LatencyState,
        "bus_latency": state.LatencyState,
    }
    for name, part in nested.items():
        held = body.get(name, {})
        if name in model.model_fields:
            assert held, name
            items = held.values() if name == "totals" else held if isinstance(held, list) else [held]
            for item in items:
                yield from exact(part, item)


@pytest.mark.parametrize("prefix", DOCUMENTS)
def test_the_market_core_reads_every_field_of_it(prefix: str, written: dict[str, bytes]) -> None:
    assert json.loads(codec.encode(documents.decode(prefix, written[prefix]))) == json.loads(written[prefix])


def find_key(prefix: str, written: dict[str, bytes]) -> str:
    """The key of what was written."""
    names = {subjects.STATE_FEED: "binance", subjects.STATE_WHALES: "BTC", subjects.STATE_TRADES_PAGE: f"1.{TAIL}"}
    return prefix + (tail_of(written[prefix]) if prefix in BODIES else names.get(prefix, TAIL))


@pytest.mark.parametrize("prefix", DOCUMENTS)
def test_a_cache_that_restores_it_writes_the_same_again(prefix: str, written: dict[str, bytes]) -> None:
    if prefix == subjects.STATE_LIQUIDATIONS:
        return  # folded again from their stream
    cache = StateCache()
    key = find_key(prefix, written)
    cache.restore(key, written[prefix])
    if prefix == subjects.STATE_TRADE:
        cache.restore(find_key(subjects.STATE_TRADES_PAGE, written), written[subjects.STATE_TRADES_PAGE])
    cache.show_all()
    found, before = json.loads(cache.drain(START + SECOND)[key] or b""), json.loads(written[prefix])
    if prefix == subjects.STATE_FEED:  # figures since the start of the process
        for name in ("events", "channels", "venue_latency", "bus_latency", "hops", "clock_offset", "reason", "state"):
            del found[name], before[name]
    assert found == before


@pytest.mark.parametrize(("model", "struct"), WRITERS.items())
def test_both_ends_have_the_struct_of_the_model(model: type[BaseModel], struct: Any) -> None:
    assert struct is codec.fast(model)
    assert struct.__struct_fields__ == codec.trusted(model).__struct_fields__ == tuple(model.model_fields)


def test_no_other_struct_repeats_a_document() -> None:
    """A struct of three or more fields, all of them of one document's model, is that document written down again."""
    models = [*WRITERS, *DOCUMENTS.values()]
    names = {frozenset(model.model_fields) for model in models}
    for path in (path for room in ("consumers", "contracts", "deploy") for path in sorted((ROOT / room).rglob("*.py"))):
        if path.name == "__main__.py":
            continue
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and not kind.__name__.startswith("Fast"):
                fields = frozenset(kind.__struct_fields__)
                assert len(fields) < 3 or not any(fields <= of for of in names), f"{path}: {kind.__name__}"


def test_a_price_of_zero_that_was_written_by_an_older_version_is_no_price() -> None:
    body = b'{"venue":"v","symbol":"A/B","venue_symbol":null,"ts_recv":1,"quality":"live","sim":false,"last":"0",'
    body += b'"bid":"0.00","ask":"0.10","high_24h":"10","low_24h":"0.0","volume_24h":"0"}'
    ticker = documents.decode(subjects.STATE_TICKER, body)
    assert (ticker.last, ticker.bid, ticker.ask, ticker.high_24h, ticker.low_24h) == (None, None, "0.10", "10", None)
    assert ticker.volume_24h == "0"
