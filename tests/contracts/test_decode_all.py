"""What is accepted without patterns, one by one or together: the same events and refusals as with all of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import codec
from contracts.arithmetic import patterns
from contracts.arithmetic.decimals import are_prices
from contracts.codec import EVENTS, UNDECODABLE
from contracts.numbers import AMOUNT_PATTERN, PRICE_PATTERN, PriceText, fast_pattern, pattern_of
from tests.consumers.odd_events import NUMBERS, golden, list_odd

NOW = 1_795_291_200 * 10**9
ODD = 1500


def fully(subject: str, body: bytes, now: int) -> Any:
    return codec._decode_fully(codec.find_route(subject), body, now)


def one_by_one(messages: list[tuple[bytes, bytes]], decode: Callable[[str, bytes, int], Any] = fully) -> list[str]:
    """Give what a decoder says of each message: the event's bytes with its subject, or the error."""
    said: list[str] = []
    for subject, body in messages:
        try:
            text = subject.decode()
            said.append(f"{text} {codec.encode(decode(text, body, NOW))!r}")
        except UNDECODABLE as error:
            said.append(f"{type(error).__name__}: {error}")
    return said


def together(messages: list[tuple[bytes, bytes]]) -> list[str]:
    """Give what `decode_all` says of each message, in the same form."""
    events, faults = codec.decode_all(messages, NOW)
    refused = {index: f"{type(error).__name__}: {error}" for index, error in faults}
    good = iter([f"{subject} {codec.encode(event)!r}" for subject, event in events])
    return [refused[index] if index in refused else next(good) for index in range(len(messages))]


@pytest.mark.parametrize("kind", EVENTS)
def test_odd_messages_are_read_and_refused_as_one_by_one(kind: str) -> None:
    messages = [(subject.encode(), body) for subject, body in list_odd(kind, ODD, NOW)]
    expected = one_by_one(messages)
    assert together(messages) == expected
    assert together(messages) == expected, "what was read before is read again"
    assert one_by_one(messages, codec.decode) == expected


@pytest.mark.parametrize("value", NUMBERS, ids=repr)
@pytest.mark.parametrize("kind", EVENTS)
def test_every_odd_number_in_every_field_is_read_or_refused_as_one_by_one(kind: str, value: Any) -> None:
    subject, body = golden(EVENTS[kind], NOW)
    messages = [(subject.encode(), json.dumps(body | {name: value}).encode()) for name in body]
    assert together(messages) == one_by_one(messages, codec.decode) == one_by_one(messages)


def test_of_a_number_that_stands_twice_the_last_counts_as_with_pydantic() -> None:
    subject, body = golden(EVENTS["trade"], NOW)
    raw = json.dumps(body).encode().replace(b'"price":', b'"price":"NaN","price":')
    assert EVENTS["trade"].model_validate_json(raw)
    assert codec.decode(subject, raw, NOW).price == body["price"]
    assert one_by_one([(subject.encode(), raw)], codec.decode) == together([(subject.encode(), raw)])


def test_messages_with_more_than_subject_and_body_are_read_the_same() -> None:
    subject, body = golden(EVENTS["trade"], NOW)
    raw = json.dumps(body).encode()
    bare, _ = codec.decode_all([(subject.encode(), raw)], NOW)
    carried, faults = codec.decode_all([(subject.encode(), raw, b"$JS.ACK.x", b"NATS/1.0\r\n\r\n")], NOW)
    assert carried == bare
    assert not faults


def test_a_subject_that_is_no_text_is_refused_alone() -> None:
    subject, body = golden(EVENTS["trade"], NOW)
    raw = json.dumps(body).encode()
    events, faults = codec.decode_all([(b"md.v1.trade.\xff.BTC.USDT.spot", raw), (subject.encode(), raw)], NOW)
    assert [index for index, _ in faults] == [0]
    assert [name for name, _ in events] == [subject]


TEXTS = st.one_of(
    st.from_regex(r"\A[0-9]{0,26}\.?[0-9]{0,38}\Z"),
    st.text(st.sampled_from("0123456789.eE+-_ \n\u0661\u00b2NaInfty"), max_size=12),
    st.floats().map(str),
)


@given(TEXTS)
def test_what_is_called_a_price_is_one_by_both_codecs(text: str) -> None:
    body = json.dumps(golden(EVENTS["trade"], NOW)[1] | {"price": text, "amount": "1"}).encode()
    try:
        codec.decoder(EVENTS["trade"]).decode(body)
    except UNDECODABLE:
        assert not are_prices((text, None))
    else:
        assert are_prices((text, None))
        assert are_prices((text, None)), "known by now"


def test_a_pattern_without_groups_is_the_contract_s() -> None:
    assert "(?:" in fast_pattern(PRICE_PATTERN)
    for pattern in (PRICE_PATTERN, AMOUNT_PATTERN):
        assert fast_pattern(pattern).replace("(?:", "(").replace(r"\Z", "$") == pattern
    assert pattern_of(PriceText) == PRICE_PATTERN


def test_known_numbers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "_MOST_KNOWN", 100)
    patterns._known.clear()
    patterns._known.add(None)
    for number in range(1, 1000):
        assert patterns.are_prices((str(number), None))
        assert len(patterns._known) <= 102
