"""What a dead letter says, without a bus."""

from __future__ import annotations

import pytest

from consumers.deadletters.core import read_headers, read_letter, stream_of
from contracts import subjects
from contracts.services.deadletters import LONGEST_BODY, DeadLetter

JOB = subjects.WEBHOOK_JOB + "x"
HEADERS = {subjects.HEADER_ERROR: "ValueError: price", subjects.HEADER_DELIVERIES: "5"}


def letter(
    body: bytes = b"{}", subject: str = f"{subjects.DEAD_LETTER}webhooks.{JOB}", headers: dict[str, str] | None = None
) -> DeadLetter:
    return read_letter(12, subject, body, at=7, headers=headers or {})


def test_a_letter_says_who_could_not_handle_what_and_why() -> None:
    assert read_letter(12, f"{subjects.DEAD_LETTER}webhooks.{JOB}", b'{"a":1}', at=7, headers=HEADERS) == DeadLetter(
        id="12",
        consumer="webhooks",
        subject=JOB,
        at=7,
        error="ValueError: price",
        deliveries=5,
        body='{"a":1}',
        size=7,
        retryable=True,
    )


def test_without_headers_there_is_no_error_and_no_number_of_deliveries() -> None:
    assert (letter().error, letter().deliveries) == ("", None)


def test_a_number_of_deliveries_that_is_none_is_left_out() -> None:
    assert letter(headers={subjects.HEADER_DELIVERIES: "five"}).deliveries is None


def test_what_many_read_cannot_be_published_again() -> None:
    assert not letter(subject=f"{subjects.DEAD_LETTER}whales.{subjects.TRADE}binance.BTC.USDT.spot").retryable


@pytest.mark.parametrize("character", ["a", "\u20ac", "\U0001f40b"])
def test_a_body_shows_its_first_characters_however_many_bytes_they_have(character: str) -> None:
    body = (character * (LONGEST_BODY + 9)).encode()
    assert (letter(body).body, letter(body).size) == (character * LONGEST_BODY, len(body))


def test_what_is_not_text_is_replaced() -> None:
    assert letter(b"a\xff").body == "a\ufffd"


def test_a_message_goes_back_to_the_stream_of_its_one_reader() -> None:
    ones = (subjects.WEBHOOK_JOB, subjects.TELEGRAM_JOB, subjects.ANALYTICS, subjects.TRADE, subjects.WHALE)
    assert [stream_of(prefix + "x") for prefix in ones] == ["REMINDERS", "JOBS", "ANALYTICS", None, None]
    assert stream_of("x." + subjects.WEBHOOK_JOB) is None


def test_headers_are_read_from_their_bytes_as_they_stand_in_the_stream() -> None:
    assert read_headers(b"NATS/1.0\r\nA: b: c\r\nD:e\r\n\r\n") == {"A": "b: c", "D": "e"}
    assert read_headers(b"NATS/1.0\r\nA: \xff\r\n\r\n") == {"A": "\ufffd"}
    assert read_headers(b"") == {}
