"""Hypothesis strategies built from the event models themselves, so that a new field or event is tested unasked."""

from __future__ import annotations

import types
import typing
from decimal import Decimal
from typing import Annotated, Any, Literal, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from contracts.numbers import DECIMAL_PATTERN, INT64_MAX, INT64_MIN, PRICE_PATTERN, pattern_of

TEXT = st.text(max_size=12)


def decimals(pattern: str) -> st.SearchStrategy[Decimal]:
    """Give decimals that the pattern accepts, up to the most digits."""
    return st.builds(
        lambda negative, digits, exponent: Decimal((int(negative), tuple(map(int, str(digits))), exponent)),
        st.just(False) if pattern != DECIMAL_PATTERN else st.booleans(),
        st.integers(1 if pattern == PRICE_PATTERN else 0, 10**24 - 1),
        st.one_of(st.integers(-36, 0), st.just(0)),
    )


# What no field of any event accepts whole, and what some do: the codecs must agree on each of them.
WRONG = st.one_of(
    st.sampled_from(
        [None, True, False, 0, -1, 1.0, 1.5, 1e300, "", "x", [], {}, [[]], [["1"]], [["1", 2]], {"0": "1"}]
    ),
    st.sampled_from([INT64_MAX, INT64_MAX + 1, INT64_MIN, INT64_MIN - 1, 2**64, 10**30]),
    st.sampled_from(
        [
            "00",
            "01.5",
            "1.",
            ".5",
            "+1",
            "1e5",
            "1E-7",
            "NaN",
            "Infinity",
            "-0",
            "-",
            "1\n",
            " 1",
            "1,5",
            "\u0661",
            "1_000",
            "1e400",
        ]
    ),
    st.sampled_from(["0", "0.00", "-1", "9" * 24, "9" * 25, "0." + "1" * 36, "0." + "1" * 37, "1" * 80]),
    st.sampled_from(["x" * 256, "x" * 257, "x" * 4096, "x" * 4097, ["x"] * 1000, ["x"] * 1001]),
    st.sampled_from(["BUY", "Sell", "both", "usd", "bus", "live", "majors", "contracts"]),
    TEXT,
    st.lists(st.lists(st.sampled_from(["1", "0.5", "-2", "x", "", "1e3"]), max_size=3), max_size=3),
)


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Give a strategy for one annotation, as Python values that the model accepts."""
    origin = get_origin(hint)
    if origin is Annotated:
        return _annotated(hint)
    if origin in {typing.Union, types.UnionType}:
        return st.one_of([values(part) for part in get_args(hint)])
    if origin is Literal:
        return st.sampled_from(get_args(hint))
    if origin is list:
        return st.lists(values(get_args(hint)[0]), max_size=4)
    if origin is tuple:
        return st.tuples(*(values(part) for part in get_args(hint)))
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return events(hint)
    plain = {str: TEXT, int: st.integers(INT64_MIN, INT64_MAX), bool: st.booleans(), type(None): st.none()}
    return plain[hint]


def _annotated(hint: Any) -> st.SearchStrategy[Any]:
    inner, *marks = get_args(hint)
    if inner is Decimal:
        return decimals(pattern_of(hint))
    low, high, least = INT64_MIN, INT64_MAX, 0
    for rule in (rule for mark in marks if isinstance(mark, FieldInfo) for rule in mark.metadata):
        low, high = getattr(rule, "ge", low), getattr(rule, "le", high)
        least = getattr(rule, "min_length", least)
    if inner is str:
        return st.text(min_size=least, max_size=12)
    return st.integers(low, high) if inner is int else values(inner)


def events(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Give a strategy for whole events of one kind, or parts of events."""
    hints = typing.get_type_hints(model, include_extras=True)
    return st.builds(model, **{name: values(hints[name]) for name in model.model_fields})
