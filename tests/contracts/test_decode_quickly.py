"""Plainly good events are decoded without patterns, to the exact bounds; the others in full, with the exact reason.

And what is derived of a model: the struct's name, its bounds and those of the models within it, what it costs.
"""

from __future__ import annotations

import gc
import json
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import pytest
from pydantic import BaseModel, Field

from contracts import codec
from contracts.codec import EVENTS, MOST_AHEAD_NS, UNDECODABLE, decode, decode_all, find_route, schema_of, trusted
from contracts.market import BookSnapshot, Trade
from contracts.numbers import DAY_NS, PriceText
from contracts.schema.routes import BadEventError
from tests.consumers.odd_events import golden

NOW = 1_795_291_200 * 10**9
KINDS = sorted(EVENTS)
QUICK = ("trade", "ticker", "liquidation", "whale")


def message(kind: str, **fields: Any) -> tuple[bytes, bytes]:
    subject, body = golden(EVENTS[kind], NOW)
    return subject.encode(), json.dumps(body | fields, separators=(",", ":")).encode()


def reason(kind: str, now: int | None = NOW, subject: str | None = None, **fields: Any) -> str:
    """Return why one message is refused; decoding it alone and among others must agree."""
    named, body = message(kind, **fields)
    text = subject or named.decode()
    with pytest.raises(UNDECODABLE) as alone:
        decode(text, body, now)
    if now is not None:
        _, ((index, together),) = decode_all([(text.encode(), body)], now)
        assert (index, str(together), type(together)) == (0, str(alone.value), type(alone.value))
    return str(alone.value)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The subjects of what was decoded in full."""
    seen: list[str] = []
    fully = codec._decode_fully

    def noting(route: Any, body: bytes, now: int | None) -> Any:
        seen.append(route.subject)
        return fully(route, body, now)

    monkeypatch.setattr(codec, "_decode_fully", noting)
    return seen


def test_bounds_are_as_documented() -> None:
    assert MOST_AHEAD_NS == 300 * 10**9
    assert (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, KeyError) == UNDECODABLE


# ---- what is plainly good
@pytest.mark.parametrize("kind", QUICK)
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"ts_recv": NOW + MOST_AHEAD_NS},
        {"ts_event": 1},
        {"ts_event": None},
        {"ts_recv": NOW, "ts_event": NOW + DAY_NS},
    ],
    ids=repr,
)
def test_what_is_plainly_good_is_decoded_without_a_pattern(kind: str, fields: Any, slow: list[str]) -> None:
    subject, body = message(kind, **fields)
    events, faults = decode_all([(subject, body)], NOW)
    assert ([name for name, _ in events], faults, slow) == ([subject.decode()], [], [])
    assert codec.encode(events[0][1]) == codec.encode(decode(subject.decode(), body, NOW))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (
            {"ts_recv": NOW + MOST_AHEAD_NS + 1},
            f"ts_recv {NOW + MOST_AHEAD_NS + 1} is ahead of the reader's clock {NOW}",
        ),
        ({"ts_event": 0}, "ts_event"),
        ({"ts_recv": NOW, "ts_event": NOW + DAY_NS + 1}, "ts_event"),
        ({"venue": "htx"}, "venue 'htx' on the subject of 'okx'"),
        ({"symbol": "ETH/USDT"}, "symbol 'ETH/USDT' on the subject of 'BTC/USDT:USDT'"),
        ({"id": "a\tb"}, "id holds a control character"),
        ({"id": "a\x7fb"}, "id holds a control character"),
        ({"price": "01"}, "price"),
        ({"price": None}, "price"),
        ({"amount": "-1"}, "amount"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_not_is_refused_with_the_reason(fields: Any, why: str) -> None:
    assert why in reason("trade", **fields)


def test_what_is_escaped_is_looked_at_in_full(slow: list[str]) -> None:
    messages = [message("trade", id="a\\b"), message("trade", id='a"b'), message("trade", id="\u00e4")]
    plain = (messages[0][0], messages[0][1].replace(b"a\\\\b", b"a\x7fb".replace(b"\x7f", b"-")))
    events, faults = decode_all([*messages, plain], NOW)
    assert ([event.id for _, event in events], faults) == (["a\\b", 'a"b', "\u00e4", "a-b"], [])
    assert len(slow) == 3


def test_what_cannot_be_read_quickly_is_read_in_full(slow: list[str]) -> None:
    broken = [(message("trade")[0], body) for body in (b"{", b"[" * 100_000, b'{"id":"\xff"}', b"null")]
    events, faults = decode_all([broken[0], message("trade"), *broken[1:]], NOW)
    assert ([index for index, _ in faults], len(events), len(slow)) == ([0, 2, 3, 4], 1, 4)
    assert isinstance(faults[1][1], BadEventError | msgspec.DecodeError)


def test_what_is_nested_too_deeply_is_said_so() -> None:
    deep = b'{"x":' + b"[" * 20_000 + b"]" * 20_000 + b"," + message("trade")[1][1:]
    with pytest.raises(BadEventError, match=r"^nested too deeply$"):
        decode(message("trade")[0].decode(), deep, NOW)


def test_faults_are_named_by_their_place_among_all() -> None:
    good, bad = message("trade"), message("trade", price="x")
    events, faults = decode_all([good, bad, bad, good, (b"somewhere.else", b"{}")], NOW)
    assert ([index for index, _ in faults], len(events)) == ([1, 2, 4], 2)
    assert isinstance(faults[2][1], KeyError)


# ---- what is held to its subject
def test_a_recording_is_held_to_its_names_but_not_to_its_times() -> None:
    subject, body = message("trade", ts_event=0)
    assert decode(f"rp.tuesday.{subject.decode()}", body, NOW).ts_event == 0
    subject, body = message("trade", ts_recv=NOW + 2 * MOST_AHEAD_NS)
    assert decode(f"rp.tuesday.{subject.decode()}", body, NOW).price
    assert decode(subject.decode(), body).price, "without a clock there is no ahead"
    assert "on the subject of" in reason("trade", subject=f"rp.tuesday.{subject.decode()}", venue="htx")


def test_a_candle_is_held_to_its_time_frame() -> None:
    assert reason("candle", timeframe="5m") == "time frame '5m' on the subject of '1m'"


def test_a_free_text_may_hold_what_names_may_not() -> None:
    subject, body = message("feed", reason="a\tb")
    assert decode(subject.decode(), body, NOW).reason == "a\tb"
    assert reason("feed", channel="a\tb") == "channel holds a control character"
    assert reason("feed", audited=["BTC/USDT", "a\x00b"]) == "audited holds a control character"


def test_of_a_number_that_stands_twice_the_last_counts_where_nobody_has_a_clock() -> None:
    subject, body = message("trade", ts_recv=NOW)
    twice = body.replace(b'"price":', b'"price":"NaN","price":')
    event = decode(subject.decode(), twice)
    assert (event.price, type(event)) == (json.loads(body)["price"], codec.fast(EVENTS["trade"]))
    with pytest.raises(msgspec.ValidationError, match="price"):
        decode(subject.decode(), body.replace(b'"price":"', b'"price":"x'))


# ---- routes
def test_a_subject_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "_routes", {})
    subject, body = message("trade")
    route = find_route(subject.decode())
    assert find_route(subject.decode()) is route
    decode_all([(subject, body)], NOW)
    assert codec._routes == {subject.decode(): route, subject: route}
    monkeypatch.setattr(codec, "_open_raw", None)
    assert len(decode_all([(subject, body)], NOW)[0]) == 1
    assert (route.kind, route.venue, route.symbol, route.timeframe, route.replayed) == (
        *("trade", "okx", "BTC/USDT:USDT", None),
        False,
    )
    assert find_route(f"rp.x.{subject.decode()}").replayed is True


def test_the_newest_subjects_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    assert codec._MOST_ROUTES == 50_000
    monkeypatch.setattr(codec, "_MOST_ROUTES", 2)
    monkeypatch.setattr(codec, "_routes", {})
    names = [f"md.v1.trade.binance.{base}.USDT.spot" for base in ("A", "B", "C")]
    for name in names:
        find_route(name)
    assert list(codec._routes) == names[1:]


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_with_two_numbers_are_decoded_quickly(kind: str) -> None:
    subject, body = golden(EVENTS[kind], NOW)
    route = find_route(subject)
    numbers = codec._plain_numbers(EVENTS[kind])
    assert (route.quick is not None) is (len(numbers) > 1 and kind != "candle")
    if route.quick is not None:
        event = route.quick(json.dumps(body).encode())
        assert route.numbers(event) == tuple(getattr(event, name) for name in numbers)
        for name, hint in numbers.items():
            refused = json.dumps(body | {name: None}).encode()
            if hint is str:
                with pytest.raises(msgspec.ValidationError, match=name):
                    route.quick(refused)
            else:
                assert getattr(route.quick(refused), name) is None
    else:
        assert route.numbers([]) == ()


def test_the_schema_is_the_kind_and_its_version() -> None:
    assert [schema_of(EVENTS[kind]) for kind in ("trade", "consolidated_book")] == ["trade/1", "book/1"]


def test_who_reads_what_was_written_here_needs_no_patterns() -> None:
    _, body = golden(EVENTS["book"], NOW)
    odd = json.dumps(body | {"bids": [["x", "y"]], "seq": -5}).encode()
    assert msgspec.json.decode(odd, type=trusted(BookSnapshot)).bids == [("x", "y")]
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(odd, type=codec.fast(BookSnapshot))
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(json.dumps(body | {"bids": [["1"]]}).encode(), type=trusted(BookSnapshot))


# ---- what is derived of a model


class Part(BaseModel):
    """One of several."""

    number: Annotated[int, Field(ge=0, le=9)]


class Whole(BaseModel):
    """Has a field of each kind that can be bounded."""

    number: Annotated[int, Field(ge=-3, le=3)] | None
    name: Annotated[str, Field(min_length=1, max_length=2), "a mark that bounds nothing"]
    price: PriceText
    names: Annotated[list[Annotated[str, Field(min_length=1)]], Field(max_length=2)]
    parts: list[Part]


GOOD: dict[str, Any] = {"number": 3, "name": "ab", "price": "1.5", "names": ["a", "b"], "parts": [{"number": 9}]}
BAD: list[tuple[str, Any]] = [
    ("number", 4),
    ("number", -4),
    ("name", ""),
    ("name", "abc"),
    ("price", "x"),
    ("names", ["a", "b", "c"]),
    ("names", [""]),
    ("parts", [{"number": 10}]),
    ("parts", [{"number": -1}]),
]


def test_a_struct_has_the_bounds_of_its_model_and_of_those_within_it_unless_it_is_trusted() -> None:
    bounded = msgspec.json.Decoder(codec.derive(Whole, {})).decode
    trusting = msgspec.json.Decoder(codec.derive(Whole, {}, bounded=False)).decode
    for body in (GOOD, GOOD | {"number": None}):
        assert msgspec.json.decode(codec.encode(bounded(codec.encode(body)))) == body
        assert Whole.model_validate(body).price == Decimal("1.5")
    for name, value in BAD:
        raw = codec.encode(GOOD | {name: value})
        with pytest.raises(msgspec.ValidationError, match=rf"\$\.{name}"):
            bounded(raw)
        assert msgspec.json.decode(codec.encode(trusting(raw))) == GOOD | {name: value}
    for read in (bounded, trusting):
        with pytest.raises(msgspec.ValidationError, match=r"\$\.parts"):
            read(codec.encode(GOOD | {"parts": [None]}))


def test_an_event_is_named_as_its_model_cannot_be_changed_and_is_not_looked_at_by_the_collector() -> None:
    struct = codec.derive(Trade, {})
    assert (struct.__name__, struct.__doc__) == ("FastTrade", Trade.__doc__)
    event = msgspec.json.decode(codec.encode(golden(Trade, NOW)[1]), type=struct)
    book = msgspec.json.decode(codec.encode(golden(EVENTS["book"], NOW)[1]), type=codec.fast(BookSnapshot))
    assert [gc.is_tracked(held) for held in (event, book, book.bids)] == [False, False, True]
    with pytest.raises(AttributeError, match="immutable"):
        event.price = "1"
    assert codec.fast(Trade).__struct_fields__ == struct.__struct_fields__
