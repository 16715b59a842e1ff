"""Numbers checked by the compiled form and by patterns: the same answers for every text."""

from __future__ import annotations

import importlib
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contracts.arithmetic import decimals, patterns
from contracts.arithmetic.exact import EXACT
from contracts.numbers import MOST_FRACTION_DIGITS, MOST_WHOLE_DIGITS
from deploy import extension

try:
    compiled: Any = importlib.import_module("contracts.compiled.decimals")
except ImportError:
    compiled = None
needs_compiled = pytest.mark.skipif(compiled is None, reason="not built here")

WHOLE, FRACTION = "1" * MOST_WHOLE_DIGITS, "1" * MOST_FRACTION_DIGITS
TEXTS = st.one_of(
    st.from_regex(r"\A[0-9]{0,26}\.?[0-9]{0,38}\Z"),
    st.from_regex(r"\A0?\.?0*\Z"),
    st.text(st.sampled_from("0123456789.eE+-_, \n\x00\u0661\u00b2NaInfty\ud800"), max_size=12),
    st.floats().map(str),
    st.sampled_from(["", "0", "0.", ".5", "00", "01", "1,2", WHOLE, WHOLE + "1", f"0.{FRACTION}", f"0.{FRACTION}1"]),
)
MAYBE = st.none() | TEXTS


@needs_compiled
@given(st.lists(MAYBE, max_size=5))
@example([None])
@example(["1", None])
def test_prices_are_the_same(texts: list[str | None]) -> None:
    assert compiled.are_prices(tuple(texts)) is patterns.are_prices(tuple(texts))


@needs_compiled
@given(st.lists(MAYBE, max_size=5))
@example(["0", "1"])
@example(["1", "0"])
@example(["1", "0", "1"])
@example(["1,1", "1,1", "1"])
@example([])
def test_pairs_are_the_same(texts: list[str | None]) -> None:
    for _ in range(2):  # the second time patterns know them
        assert compiled.are_quoted(*texts) is patterns.are_quoted(*texts)


@needs_compiled
@given(st.lists(TEXTS, max_size=5))
@example(["", ""])
@example(["1,2"])
def test_optional_numbers_are_the_same(texts: list[str]) -> None:
    expected = patterns.are_optional(texts)
    assert compiled.are_optional(texts) is expected
    assert compiled.are_optional(tuple(texts)) is expected


@needs_compiled
@pytest.mark.parametrize("value", [1, 1.5, b"1", ["1"]])
def test_what_is_no_text_is_an_error_of_both(value: Any) -> None:
    for check in (compiled, patterns):
        with pytest.raises(TypeError):
            check.are_prices((value,))
        with pytest.raises(TypeError):
            check.are_optional([value])


@needs_compiled
def test_the_compiled_form_is_used_and_of_the_source_as_it_is_now() -> None:
    assert decimals.are_prices is compiled.are_prices
    source = next(path for path in extension.SOURCES if path.stem == "decimals")
    assert extension.digest_of(source) == compiled.SOURCE, "stale: make venv-dev builds it again"


def test_pairs_that_patterns_remember_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "_MOST_KNOWN", 100)
    patterns._prices.clear()
    for number in range(1, 1000):
        assert patterns.are_quoted(str(number), "1")
        assert len(patterns._prices) <= 102


NUMBERS = st.one_of(
    st.decimals(min_value=0, max_value=10**9, places=3).map(lambda value: format(value, "f")),
    st.from_regex(r"\A(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?\Z"),
    st.sampled_from(["0", "0.0", "1.0", "1.00", "9" * 19, "9" * 20, f"0.{FRACTION}", WHOLE]),
)


@needs_compiled
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=8))
@example([("1.50", "3"), ("2", "0.25"), ("0.001", "10")])
@example([("9" * 19, "9" * 19)] * 8)
@example([("1.0", "1"), ("1.00", "1"), ("1", "1")])
def test_sums_are_those_of_decimals_or_none(pairs: list[tuple[str, str]]) -> None:
    prices, amounts = [price for price, _ in pairs], [amount for _, amount in pairs]
    summed = compiled.sum_up(prices, amounts)
    if all(len(text) <= 12 for pair in pairs for text in pair):
        assert summed is not None
    if summed is None:
        return
    with localcontext(EXACT):
        figures = [(Decimal(price), Decimal(amount)) for price, amount in pairs]
        amount, value = figures[0][1], figures[0][0] * figures[0][1]
        for other_price, other_amount in figures[1:]:
            amount, value = amount + other_amount, value + other_price * other_amount
        found = [price for price, _ in figures]
    assert summed == (format(amount, "f"), format(value, "f"), found.index(max(found)), found.index(min(found)))


@needs_compiled
def test_what_cannot_be_summed_up_is_none_or_an_error() -> None:
    assert patterns.sum_up(["1"], ["2"]) is None
    assert compiled.sum_up(["1e5"], ["2"]) is None
    assert compiled.sum_up(["1.2.3"], ["2"]) is None
    for wrong in (([], []), (["1"], []), ("1", "2"), ([1], ["2"])):
        with pytest.raises((TypeError, ValueError)):
            compiled.sum_up(*wrong)
