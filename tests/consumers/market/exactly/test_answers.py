"""Which answers are kept and until when, what a request may be, and what the status says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from consumers.market import answering
from consumers.market.answering import MOST_BODY_BYTES, Answerer, Composed, encode, read_query
from consumers.market.core import Inside, compose_status
from consumers.market.state import Reader
from contracts import subjects
from contracts.errors import (
    InvalidParameterError,
)
from contracts.schema import literals
from contracts.schema.literals import Age
from contracts.symbols import SymbolBook
from tests.consumers.market.exactly.world import (
    LISTED,
    NOW,
    SECOND,
    SPOT,
    STALE_NS,
    World,
    key,
    ticker,
    world,
)


class Query(BaseModel):
    """A request."""

    limit: int = 5
    within: dict[str, int] = {}


def compose(reader: Reader, query: Query) -> Composed:
    found = reader.find_document(subjects.STATE_TICKER, SPOT.tail)
    return Composed({"last": found.last, "limit": query.limit}, "BTC/\u20ac", {"age": Age(NOW)})


def test_an_answer_has_its_body_its_symbol_and_what_stands_beside_at_the_time_that_it_is_given() -> None:
    answer = encode(Composed({"age": Age(NOW - SECOND)}, "BTC/\u20ac", {"x": 1})).render(NOW)
    assert json.loads(answer.body) == {"age": 1.0}
    assert answer.headers == {subjects.HEADER_SYMBOL: "BTC/%E2%82%AC", subjects.HEADER_BESIDE: '{"x":1}'}
    assert encode(Composed([1])).render(NOW).headers == {}


def test_answers_are_kept_by_request_until_the_listing_the_bus_or_a_document_changes() -> None:
    made = world(SPOT)
    answerer = Answerer(made.state)

    def ask(body: bytes = b"{}", now: int = NOW) -> tuple[int, int]:
        answerer.answer(Query, compose, body, now)
        return answerer.hits, answerer.misses

    assert (len(answerer), answerer.hits, answerer.misses) == (0, 0, 0)
    assert [ask(), ask(), ask(b'{"limit":6}'), ask(b'{"limit":6}')] == [(0, 1), (1, 1), (1, 2), (2, 2)]
    assert len(answerer) == 2
    made.state.save_symbols(SymbolBook(LISTED))
    assert ask() == (2, 3)
    made.connected = False
    assert ask() == (2, 4)
    made.held[key(SPOT)] = ticker(SPOT, "101")
    assert ask() == (2, 5)
    assert json.loads(answerer.answer(Query, compose, b"{}", NOW).body) == {"last": "101", "limit": 5}
    del made.held[key(SPOT)]
    made.held[key(SPOT)] = ticker(SPOT, "102")
    assert json.loads(answerer.answer(Query, compose, b"{}", NOW).body)["last"] == "102"


def test_an_answer_holds_until_its_time_and_no_longer() -> None:
    made = world(SPOT)
    answerer = Answerer(made.state)

    def compose_aging(reader: Reader, _query: Query) -> Composed:
        return Composed(reader.quality(reader.find_ticker(SPOT), SPOT, "ticker"))

    def ask(now: int) -> str:
        return json.loads(answerer.answer(Query, compose_aging, b"{}", now).body)

    assert [ask(NOW), ask(NOW + STALE_NS), ask(NOW + STALE_NS + 1)] == ["live", "live", "stale"]
    assert (answerer.hits, answerer.misses) == (1, 2)
    assert ask(NOW + 10 * STALE_NS) == "stale"
    assert answerer.hits == 2  # what is stale stays so


def test_what_is_kept_is_bounded_and_refusals_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert answering.MOST_KEPT == 2048
    monkeypatch.setattr(answering, "MOST_KEPT", 2)
    answerer = Answerer(world(SPOT).state)
    for number in range(5):
        answerer.answer(Query, compose, b'{"limit":%d}' % number, NOW)
        assert len(answerer) <= 2
    before = len(answerer)
    with pytest.raises(InvalidParameterError):
        answerer.answer(Query, compose, b'{"limit":"x"}', NOW)
    assert len(answerer) == before


def test_a_request_is_read_or_refused_by_name() -> None:
    assert read_query(Query, b"").limit == 5
    assert read_query(Query, b'{"limit":6}' + b" " * (MOST_BODY_BYTES - 11)).limit == 6
    with pytest.raises(InvalidParameterError, match="The request is too long") as long:
        read_query(Query, b" " * (MOST_BODY_BYTES + 1))
    assert long.value.details["maximum_bytes"] == MOST_BODY_BYTES == 8192
    with pytest.raises(InvalidParameterError, match="Parameter limit: Input should be a valid integer") as invalid:
        read_query(Query, b'{"limit":"x"}')
    assert invalid.value.details["parameter"] == "limit"
    with pytest.raises(InvalidParameterError, match=r"Parameter within\.hours: ") as inner:
        read_query(Query, b'{"within":{"hours":"x"}}')
    assert inner.value.details["parameter"] == "within.hours"
    with pytest.raises(InvalidParameterError, match="Parameter request: ") as whole:
        read_query(Query, b"[")
    assert whole.value.details["parameter"] == "request"


# ---- the status
class Mirror:
    def __init__(self, loaded: bool, changed_ns: int | None, keys: int) -> None:
        self.loaded, self.changed_ns, self.keys = loaded, changed_ns, keys

    def __len__(self) -> int:
        return self.keys


def status(made: World, *, indexing: bool, **mirrors: Mirror) -> dict[str, Any]:
    answerer = Answerer(made.state)
    answerer.hits, answerer.misses = 3, 4
    inside = Inside(made.state, answerer, mirrors, {"entries": 1}, indexing=indexing)
    return json.loads(literals.encode(compose_status(inside, NOW), NOW))


def test_the_status_says_what_is_waited_for_and_what_is_held() -> None:
    mirrors = {"STATE": Mirror(True, NOW - SECOND, 7), "LISTED": Mirror(False, None, 0)}
    found = status(World(), indexing=True, **mirrors)
    assert found["waiting_for"] == ["bucket LISTED", "index of symbols"]
    assert found["buckets"] == {
        "STATE": {"loaded": True, "keys": 7, "last_change_age": 1.0},
        "LISTED": {"loaded": False, "keys": 0, "last_change_age": None},
    }
    assert found["answers"] == {"entries": 0, "hits": 3, "misses": 4}
    assert found["fetched"] == {"entries": 1}
    assert status(World(), indexing=False)["waiting_for"] == []
    assert status(world(), indexing=True)["waiting_for"] == []
