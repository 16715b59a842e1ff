"""Whether texts are numbers of the bus, many at one go, by patterns (`decimals` beside it is what is asked). Pure.

Those that were seen before are known: markets repeat their numbers, and a pattern costs more than all else of an event.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Raw

from contracts.numbers import MOST_FRACTION_DIGITS, MOST_WHOLE_DIGITS, PRICE_PATTERN, fast_pattern

_MOST_KNOWN: Final = 50_000
_DIGITS: Final = rf"(?:0|[1-9][0-9]{{0,{MOST_WHOLE_DIGITS - 1}}}+)(?:\.[0-9]{{1,{MOST_FRACTION_DIGITS}}}+)?+"
_is_price: Final = re.compile(fast_pattern(PRICE_PATTERN)).match
_is_amount: Final = re.compile(_DIGITS).fullmatch
_are_pairs: Final = re.compile(rf"(?:,(?!0(?:\.0*+)?+,){_DIGITS},{_DIGITS})*+").fullmatch
_are_optional: Final = re.compile(rf"(?:,(?:{_DIGITS})?+)*+").fullmatch
_known: Final[set[str | None]] = {None}  # no state: what the pattern alone says
_prices: Final[set[str | None]] = set()
_amounts: Final[set[str | None]] = set()


def read_amount(raw: Raw | str) -> str | None:
    """Return the text of an unsigned number, None where it is none."""
    text = raw if isinstance(raw, str) else str(raw, "ascii", "replace")
    return text if _is_amount(text) else None


def read_price(raw: Raw | str) -> str | None:
    """Return the text of a number above zero, None where it is none."""
    text = raw if isinstance(raw, str) else str(raw, "ascii", "replace")
    return text if _is_price(text) else None


def are_prices(texts: tuple[str | None, ...]) -> bool:
    """Return whether all are good prices, None left out: above zero, and so good amounts as well."""
    if _known.issuperset(texts):
        return True
    for text in texts:
        if text not in _known:
            if text is None or not _is_price(text):
                return False
            if len(_known) > _MOST_KNOWN:
                _known.clear()
                _known.add(None)
            _known.add(text)
    return True


def are_quoted(*texts: str | None) -> bool:
    """Return whether these are prices, above zero, each with its amount, not below zero, behind it."""
    prices, amounts = texts[::2], texts[1::2]
    if _prices.issuperset(prices) and _amounts.issuperset(amounts):
        return len(prices) == len(amounts)
    joined = f",{','.join(map(str, texts))}"
    if len(prices) != len(amounts) or joined.count(",") != len(texts) or not _are_pairs(joined):
        return False
    if len(_prices) > _MOST_KNOWN or len(_amounts) > _MOST_KNOWN:
        _prices.clear()
        _amounts.clear()
    _prices.update(prices)
    _amounts.update(amounts)
    return True


def are_optional(texts: list[str] | tuple[str, ...]) -> bool:
    """Return whether all are plain unsigned numbers, or empty."""
    joined = f",{','.join(texts)}"
    return not texts or (joined.count(",") == len(texts) and _are_optional(joined) is not None)


def sum_up(prices: list[str], amounts: list[str]) -> tuple[str, str, int, int] | None:  # noqa: ARG001 - as the compiled one
    """Return the exact sum of amounts, that of their values, and where the highest and lowest price is.

    None where whoever asks has to do it with decimals: always, but the compiled form does it for numbers of usual size.
    """
    return None
