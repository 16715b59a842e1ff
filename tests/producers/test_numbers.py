"""JSON numbers keep their digits: exponents are written out, anything else is refused by the field's name."""

from __future__ import annotations

import pytest
from msgspec import Raw

from contracts.errors import FrameError
from producers import numbers


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("42500.0", "42500.0"),
        ("0.000000000012345678901234567890", "0.000000000012345678901234567890"),
        ("1e-4", "0.0001"),
        ("4.5E-7", "0.00000045"),
        ("2e+3", "2000"),
        ("123456789012345678901234567890.5", "123456789012345678901234567890.5"),
    ],
)
def test_number_is_written_plainly_with_its_own_digits(text: str, written: str) -> None:
    assert numbers.number(Raw(text.encode()), "price") == written
    assert numbers.signed(Raw(f"-{text}".encode()), "amount") == f"-{written}"
    assert numbers.optional(Raw(text.encode()), "price") == written


@pytest.mark.parametrize("text", ['"1"', "null", "true", "[1]", "1e9999", "NaN"])
def test_what_is_no_number_is_refused_by_name(text: str) -> None:
    with pytest.raises(FrameError, match="price"):
        numbers.number(Raw(text.encode()), "price")


def test_negative_is_refused_where_it_means_nothing_and_null_is_none_where_it_may_be() -> None:
    with pytest.raises(FrameError, match="price is negative"):
        numbers.number(Raw(b"-1"), "price")
    assert numbers.optional(numbers.NULL, "price") is None
    assert numbers.optional(Raw(b"-0.5"), "change") == "-0.5"


def test_level_of_zero_in_any_spelling_is_removed() -> None:
    rows = [(Raw(b"1.5"), Raw(b"0.000")), (Raw(b"1e-7"), Raw(b"2.0"))]
    assert numbers.levels(rows, "bids") == [("1.5", "0"), ("0.0000001", "2.0")]


def test_percent_and_times_are_exact() -> None:
    assert numbers.percent("-0.0209") == "-2.09"
    assert numbers.percent("0.00000001") == "0.000001"
    assert numbers.milliseconds(Raw(b"1574697680828.2002"), "time") == 1_574_697_680_828_200_200
    assert numbers.milliseconds(Raw(b"1574697680828"), "time") == 1_574_697_680_828_000_000
