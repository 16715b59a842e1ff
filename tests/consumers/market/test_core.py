"""The core without HTTP: the replies to requests, what is in them, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consumers.market.answering import Answer, Answerer
from consumers.market.core import VERBS, Inside, compose_status
from contracts import subjects
from contracts.errors import HydrophoneError, NoDataError
from contracts.schema import literals
from contracts.services.replies.commands import COMMANDS
from contracts.services.replies.market import StatusReply
from tests.consumers.market.recorded import make_ledger, make_state, read_golden

RECORDED = read_golden("state.json.gz")
ANSWERS = read_golden("answers.json.gz")
NOW = RECORDED["now_ns"]
NO_BOOK = {("orderbook", "OLD"), ("multi_orderbook", "OLD"), ("multi_orderbook", "BTC-PERPETUAL")}
REPLIES = {command.verb: command.reply for command in COMMANDS}
SAME_AS_DATA = {
    "raw": ("/gpt/raw?symbol=BTC", {"symbol": "BTC"}),
    "liq": ("/gpt/liq?symbol=ETH", {"symbol": "ETH"}),
    "orderbook": ("/gpt/orderbook?symbol=SOL", {"symbol": "SOL"}),
    "multi_orderbook": ("/multi/orderbook/BTC", {"symbol": "BTC"}),
    "health": ("/multi/health", {}),
}
SAME_LIST = {
    "whale": ("/gpt/whale?symbol=BTC", {"symbol": "BTC"}, "whales"),
    "trades": ("/multi/trades/BTC", {"symbol": "BTC"}, "trades"),
    "symbols": ("/multi/symbols", {}, "symbols"),
}
SAME_OBJECT = {
    "ticker": ("/multi/ticker/BTC?convert=true", {"symbol": "BTC", "convert": True}, {"success", "timestamp"}),
    "price": ("/api/market/price?symbol=BTC", {"symbol": "BTC"}, set[str]()),
}


def ask(verb: str, fields: dict[str, Any], *, cut: bool = False) -> Answer:
    state, _ = make_state(RECORDED, cut=cut)
    state.ledger = make_ledger(NOW).view
    entry = VERBS[verb]
    return Answerer(state).answer(entry.query, entry.compose, json.dumps(fields).encode(), NOW)


def recorded(path: str) -> str:
    status, body = ANSWERS[path]
    assert status == 200
    return body


@pytest.mark.parametrize("verb", SAME_AS_DATA)
def test_the_reply_is_the_object_that_stands_in_data(verb: str) -> None:
    path, fields = SAME_AS_DATA[verb]
    answer = ask(verb, fields)
    assert f'"data":{answer.body.decode()}' in recorded(path)
    assert answer.headers.get(subjects.HEADER_SYMBOL) == json.loads(recorded(path)).get("symbol")


@pytest.mark.parametrize("verb", SAME_LIST)
def test_a_list_is_replied_with_what_stands_beside_it(verb: str) -> None:
    path, fields, name = SAME_LIST[verb]
    reply, rest = json.loads(ask(verb, fields).body), json.loads(recorded(path))
    assert reply.pop(name) == rest.pop("data")
    assert reply == {key: value for key, value in rest.items() if key not in {"success", "symbol", "timestamp"}}


@pytest.mark.parametrize("verb", SAME_OBJECT)
def test_a_flat_reply_is_the_object_of_the_route(verb: str) -> None:
    path, fields, without = SAME_OBJECT[verb]
    rest = json.loads(recorded(path))
    assert json.loads(ask(verb, fields).body) == {key: value for key, value in rest.items() if key not in without}


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("symbol", ["BTC", "ETH", "SOL", "BTC/USDT:USDT", "BTC-PERPETUAL", "OLD", "币安"])
@pytest.mark.parametrize("verb", VERBS)
def test_every_reply_is_what_its_model_says_and_nothing_more(verb: str, symbol: str, *, cut: bool) -> None:
    if (verb, symbol) in NO_BOOK:
        with pytest.raises(NoDataError):
            ask(verb, {"symbol": symbol}, cut=cut)
        return
    REPLIES[verb].model_validate_json(ask(verb, {"symbol": symbol}, cut=cut).body, extra="forbid")


def test_the_status_is_what_its_model_says() -> None:
    state, held = make_state(RECORDED)
    fetched = {"entries": 0, "hits": 0, "misses": 0, "oldest_age": None}
    body = literals.encode(compose_status(Inside(state, Answerer(state), {}, fetched, indexing=False), NOW), NOW)
    status = StatusReply.model_validate_json(body, extra="forbid")
    assert status.degraded == ["feed coinbase: down", "feed kraken: gap"]
    assert held


@pytest.mark.parametrize(
    ("verb", "fields", "code", "parameter"),
    [
        ("raw", {}, "INVALID_PARAMETER", "symbol"),
        ("raw", {"symbol": 7}, "INVALID_PARAMETER", "symbol"),
        ("raw", {"symbol": "NOPE"}, "INVALID_SYMBOL", "symbol"),
        ("raw", {"symbol": "QUIET"}, "NO_DATA", "symbol"),
        ("whale", {"symbol": "BTC", "limit": 101}, "INVALID_PARAMETER", "limit"),
        ("whale", {"symbol": "BTC", "min_usd": "1e6"}, "INVALID_PARAMETER", "min_usd"),
        ("orderbook", {"symbol": "BTC", "exchange": "nope"}, "UNKNOWN_VENUE", "exchange"),
        ("symbols", {"listed": "yes"}, "INVALID_PARAMETER", "listed"),
    ],
)
def test_a_refusal_names_the_parameter(verb: str, fields: dict[str, Any], code: str, parameter: str) -> None:
    with pytest.raises(HydrophoneError) as refused:
        ask(verb, fields)
    assert (refused.value.code, refused.value.details["parameter"]) == (code, parameter)


def test_a_symbol_is_resolved_to_what_is_listed_of_it() -> None:
    answer = ask("symbols", {"symbol": "btc-usdt", "listed": True})
    entries = json.loads(answer.body)["symbols"]
    assert [(entry["symbol"], entry["exchanges"]) for entry in entries] == [
        ("BTC/USDT", ["binance", "bybit", "okx"]),
        ("BTC/USDT:USDT", ["binanceusdm"]),
    ]
    assert answer.headers[subjects.HEADER_SYMBOL] == "BTC/USDT"


def test_an_answer_is_kept_until_a_document_of_it_changes() -> None:
    state, held = make_state(RECORDED)
    answerer, entry, body = Answerer(state), VERBS["price"], b'{"symbol":"BTC"}'
    first = answerer.answer(entry.query, entry.compose, body, NOW)
    later = answerer.answer(entry.query, entry.compose, body, NOW + 5_000_000)
    assert (answerer.hits, answerer.misses) == (1, 1)
    assert json.loads(later.body)["age"] == pytest.approx(json.loads(first.body)["age"] + 0.005)
    held["ticker.binance.ETH.USDT.spot"] = b"{}"
    answerer.answer(entry.query, entry.compose, body, NOW)
    held["ticker.binance.BTC.USDT.spot"] = held["ticker.binance.BTC.USDT.spot"].replace(b"live", b"gap")
    answerer.answer(entry.query, entry.compose, body, NOW)
    assert (answerer.hits, answerer.misses) == (2, 2)


def test_that_no_feed_is_there_is_answered_until_one_is() -> None:
    state, held = make_state(RECORDED)
    feeds = {key: held.pop(key) for key in list(held) if key.startswith(subjects.STATE_FEED)}
    answerer, entry = Answerer(state), VERBS["health"]
    assert answerer.answer(entry.query, entry.compose, b"{}", NOW).body == b"{}"
    held |= feeds
    assert len(json.loads(answerer.answer(entry.query, entry.compose, b"{}", NOW + 1).body)) == len(feeds) > 0
