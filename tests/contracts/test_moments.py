"""A time is read whatever form it has, and refused where it has none."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from contracts.arithmetic.moments import read_moment
from contracts.services.market import OhlcQuery

NOON = 1_767_268_800_000_000_000


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T12:00:00Z",
        "2026-01-01T12:00:00",
        "2026-01-01T12:00:00.000+00:00",
        "2026-01-01T14:00:00+02:00",
        "2026-01-01T14:00:00 02:00",  # a plus that a URL made a space
        "1767268800",
        "1767268800000",
    ],
)
def test_a_time_is_read_in_every_form(text: str) -> None:
    assert read_moment(text) == NOON


def test_a_day_is_its_beginning_and_milliseconds_count() -> None:
    assert read_moment("2026-01-01") == NOON - 43_200_000_000_000
    assert read_moment("2026-01-01T12:00:00.250Z") == read_moment("1767268800250") == NOON + 250_000_000


@pytest.mark.parametrize("text", ["", "now", "-5", "1e9", "2026-13-01", "1969-12-31", "9999-01-01", "9" * 30, "\u0661"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_moment(text)
    with pytest.raises(ValidationError):
        OhlcQuery.model_validate({"symbol": "BTC", "from": text})


def test_a_number_is_taken_and_the_request_is_written_by_its_names() -> None:
    query = OhlcQuery.model_validate_json('{"symbol":"BTC","from":1767268800,"to":"2026-01-02"}')
    assert query.model_dump(exclude_defaults=True) == {"symbol": "BTC", "from": "1767268800", "to": "2026-01-02"}
