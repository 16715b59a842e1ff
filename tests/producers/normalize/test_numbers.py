"""JSON numbers keep their digits: exponents are written out, anything else is refused by the field's name."""

from __future__ import annotations

import json
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from contracts.errors import FrameError
from contracts.instrument import make_instrument
from producers.normalize import numbers, sizes


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("42500.0", "42500.0"),
        ("0.000000000012345678901234567890", "0.000000000012345678901234567890"),
        ("1e-4", "0.0001"),
        ("4.5E-7", "0.00000045"),
        ("2e+3", "2000"),
        ("123456789012345678901234.5", "123456789012345678901234.5"),
    ],
)
def test_number_is_written_plainly_with_its_own_digits(text: str, written: str) -> None:
    assert numbers.number(Raw(text.encode()), "price") == written
    assert numbers.signed(Raw(f"-{text}".encode()), "amount") == f"-{written}"
    assert numbers.optional(Raw(text.encode()), "price") == written


ODD = [
    "1e400",
    "1e-400",
    "1_000",
    " 1",
    "1 ",
    "00012",
    ".5",
    "5.",
    "+1",
    "1,5",
    "1\n",
    "\u0661",
    "\u00b2",
    "9" * 80,
    "0." + "1" * 80,
]


@pytest.mark.parametrize("text", ['"1"', "null", "true", "[1]", "1e9999", "NaN", "", *ODD])
def test_what_is_no_number_is_refused_by_name(text: str) -> None:
    with pytest.raises(FrameError, match="price"):
        numbers.number(Raw(text.encode()), "price")


def test_negative_is_refused_where_it_means_nothing_and_null_is_none_where_it_may_be() -> None:
    with pytest.raises(FrameError, match="price is negative"):
        numbers.number(Raw(b"-1"), "price")
    assert numbers.optional(numbers.NULL, "price") is None
    assert numbers.optional(Raw(b"-0.5"), "change") == "-0.5"


@pytest.mark.parametrize("text", ODD)
def test_what_the_contract_refuses_is_refused_where_it_is_read(text: str) -> None:
    checks = (numbers.unsigned, numbers.price_text, numbers.optional_price_text, numbers.plain)
    for check in checks:
        with pytest.raises(FrameError, match="amount"):
            check(text, "amount")
    with pytest.raises(FrameError, match="bids"):
        numbers.text_levels([("1", "1"), ("2", text)], "bids")
    assert not numbers.are_unsigned(("1", text, "2"))
    assert not numbers.are_optional(("1", text, ""))


@pytest.mark.parametrize("zero", ["0", "0.0", "0.00000000"])
def test_price_of_zero_is_no_price(zero: str) -> None:
    assert numbers.optional_price_text(zero, "bid") is None
    assert numbers.optional_price(Raw(zero.encode()), "bid") is None
    assert numbers.positive(zero) is None
    with pytest.raises(FrameError, match="last is zero"):
        numbers.price_text(zero, "last")
    assert numbers.text_levels([(zero, "1"), ("0.1", zero), ("10", "1.00")], "b") == [("0.1", "0"), ("10", "1.00")]


@pytest.mark.parametrize("text", ["0.01", "10", "100.0", "1.000"])
def test_price_with_zeros_in_it_is_a_price(text: str) -> None:
    assert numbers.optional_price_text(text, "bid") == numbers.price_text(text, "bid") == numbers.positive(text) == text


def test_level_of_zero_in_any_spelling_is_removed() -> None:
    rows = [(Raw(b"1.5"), Raw(b"0.000")), (Raw(b"1e-7"), Raw(b"2.0"))]
    assert numbers.levels(rows, "bids") == [("1.5", "0"), ("0.0000001", "2.0")]


def test_percent_and_times_are_exact() -> None:
    assert numbers.percent("-0.0209") == "-2.09"
    assert numbers.percent("0.00000001") == "0.000001"
    assert numbers.milliseconds(Raw(b"1574697680828.2002"), "time") == 1_574_697_680_828_200_200
    assert numbers.milliseconds(Raw(b"1574697680828"), "time") == 1_574_697_680_828_000_000


def test_malformed_level_is_left_out_of_a_whole_book_only() -> None:
    rows = [("1.5", "0.000"), ("x", "1"), ("2", "-1"), ("3", "0.-1"), ("0", "5"), ("4", "7")]
    assert numbers.whole_levels(rows, "bids") == [("1.5", "0"), ("4", "7")]
    with pytest.raises(FrameError, match="bids"):
        numbers.text_levels(rows, "bids")


def test_amount_made_of_contracts_has_the_digits_that_the_contract_allows() -> None:
    contract = make_instrument("gate", "A/USDT:USDT", "A_USDT", contract_size="1000")
    assert sizes.amount(contract, "9" * 21, "1") == "9" * 21 + "000"
    with pytest.raises(FrameError, match="amount has more than 24 digits"):
        sizes.amount(contract, "9" * 22, "1")


def test_figures_are_checked_together_and_written_plainly() -> None:
    names = ("bid", "ask", "last")
    assert numbers.figures(("1.50", None, ""), names) == ["1.50", "", ""]
    assert numbers.figures(("1e2", "0.0", None), names) == ["100", "0.0", ""]
    with pytest.raises(FrameError, match="ask is no number"):
        numbers.figures(("1", "1,2", "3"), names)
    assert numbers.quote("0.00", "7") == (None, None)
    assert numbers.quote("0.5", "") == ("0.5", None)


def test_text_levels_leave_out_a_price_of_zero_and_refuse_what_is_no_number() -> None:
    rows = [("0.10", "0"), ("10", "0.5"), ("0", "1")]
    assert numbers.text_levels(rows[:2], "bids") == rows[:2]
    assert numbers.text_levels(rows, "bids") == rows[:2]
    assert numbers.text_levels([("0.000", "1"), ("1", "0.00")], "bids") == [("1", "0")]
    for row in (("1;2,3", "4"), ("1,2", "3"), ("", "1"), ("1", "-1"), ("01", "1"), ("1", ".5"), ("1_0", "1")):
        for rows in ([row], [("5", "5"), row]):
            with pytest.raises(FrameError, match="bids"):
                numbers.text_levels(rows, "bids")


def test_quotes_and_trades_are_checked_together() -> None:
    names = ("bid", "bid_amount", "ask", "ask_amount")
    assert numbers.quotes(("0.50", "0", "0.6", "0.0"), names) == ("0.50", "0", "0.6", "0.0")
    assert numbers.quotes(("0.00", "1", "1e1", ""), names) == (None, None, "10", None)
    assert numbers.quotes((None, None, "0", None), names) == (None, None, None, None)
    for odd in (("1", "1", "1,1", "1"), ("1", "1", "0,1", ""), ("01", "1", "1", "1"), ("1", "-1", "1", "1")):
        with pytest.raises(FrameError, match=r"bid|ask"):
            numbers.quotes(odd, names)
    assert numbers.traded("0.1", "2", ("price", "size")) == ("0.1", "2")
    assert numbers.traded("1e-8", "2", ("price", "size")) == ("0.00000001", "2")
    for price, size in (("0.0", "1"), ("0", "1"), ("0.", "1"), ("1", "1,1"), ("1", ""), ("", "1"), ("1_0", "1")):
        with pytest.raises(FrameError, match=r"price|size"):
            numbers.traded(price, size, ("price", "size"))


amounts = st.sampled_from(["0", "0.0", "0.00000000", "1", "0.5", "12.50", "00.1", "1e5", "-1", "", "x", "0.10"])


@given(st.lists(st.tuples(amounts, amounts), max_size=5), st.sampled_from([(",", ":"), (", ", ": ")]), st.booleans())
def test_levels_that_stay_as_they_came_are_those_that_are_read_one_by_one(rows, separators, whole) -> None:
    raw = Raw(json.dumps(rows, separators=separators).encode())
    plain = [tuple(row) for row in rows]
    try:
        expected = numbers.whole_levels(plain, "b") if whole else numbers.text_levels(plain, "b")
    except FrameError as error:
        with pytest.raises(FrameError, match=re.escape(error.message)):
            numbers.raw_levels(raw, "b", whole=whole)
        return
    found = numbers.raw_levels(raw, "b", whole=whole)
    assert numbers.rows_of(found) == expected
    if isinstance(found, Raw):
        assert bytes(found) == bytes(raw) == msgspec.json.encode(expected)


@pytest.mark.parametrize("text", ["null", "{}", '[["1"]]', "[[1,2]]", '[["1","2"'])
def test_levels_of_another_shape_name_their_field(text: str) -> None:
    with pytest.raises((FrameError, msgspec.DecodeError)):
        numbers.raw_levels(Raw(text.encode()), "data.b")
