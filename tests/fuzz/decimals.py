"""The compiled checks and sums of numbers: random texts, judged as patterns do and added up as decimals are."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from decimal import Decimal, localcontext
from types import ModuleType
from typing import Any, Final

from msgspec import Raw

from contracts.arithmetic import patterns
from contracts.arithmetic.exact import EXACT

NAME: Final = "contracts.compiled.decimals"
CHARACTERS: Final = "0123456789" * 3 + "..0-+eE_, \n\x00\u0661\u00b2\ud800é"
ODD: Final = (
    "",
    "0",
    "0.",
    ".5",
    "00",
    "01",
    "1,2",
    "1" * 24,
    "1" * 25,
    "0." + "1" * 36,
    "0." + "1" * 37,
    "nan",
    "0.0",
)
NO_TEXTS: Final = (1, 1.5, b"1", ["1"], object())
SHORT: Final = 12  # characters of a number that is added up by the compiled form in any case


def exact_sums(prices: list[str], amounts: list[str]) -> tuple[str, str, int, int]:
    """Return by decimals what `sum_up` does: the amount, the value, and where the highest and lowest price is."""
    with localcontext(EXACT):
        figures = [(Decimal(price), Decimal(amount)) for price, amount in zip(prices, amounts, strict=True)]
        amount, value = figures[0][1], figures[0][0] * figures[0][1]
        for other_price, other_amount in figures[1:]:
            amount, value = amount + other_amount, value + other_price * other_amount
    found = [price for price, _ in figures]
    return format(amount, "f"), format(value, "f"), found.index(max(found)), found.index(min(found))


class Texts:
    """Random texts: good numbers, good ones with a character changed, and any characters."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def number(self, digits: int = 28) -> str:
        """Return a number of the contract, or one that is a little too long."""
        rng = self._rng
        whole = rng.randrange(10 ** rng.randint(0, min(digits, 26)) + 1)
        behind = rng.choice((0, 0, 1, 2, 8, min(digits, 38)))
        return f"{whole}.{rng.randrange(10**behind):0{behind}d}" if behind else str(whole)

    def any(self) -> str:
        """Return a text of any sort."""
        rng, drawn = self._rng, self._rng.random()
        if drawn < 0.6:
            return self.number()
        if drawn < 0.75:
            return rng.choice(ODD)
        if drawn < 0.9:
            text = self.number()
            at = rng.randrange(len(text) + 1)
            return text[:at] + rng.choice(CHARACTERS) + text[at + rng.randint(0, 1) :]
        return "".join(rng.choices(CHARACTERS, k=rng.randint(0, 45)))

    def maybe(self) -> str | None:
        """Return such a text, or None."""
        return None if self._rng.random() < 0.1 else self.any()


def said(do: Callable[..., Any], *given: Any) -> Any:
    """Return what it returned, or the type of what it raised."""
    try:
        return do(*given)
    except (TypeError, ValueError) as error:
        return type(error)


def play(module: ModuleType, rounds: Iterable[int], seed: int) -> None:
    """Do an operation each round; raises AssertionError where both forms differ."""
    compiled: Any = module
    rng = random.Random(seed)
    texts = Texts(rng)
    for done in rounds:
        count, which = rng.choice((0, 1, 1, 2, 2, 3, 4, 8)), rng.randrange(5)
        if which == 0:
            given: Any = tuple(texts.maybe() for _ in range(count))
            if rng.random() < 0.01:
                given = (*given, rng.choice(NO_TEXTS))
            names = ("are_prices", (given,))
        elif which == 1:
            names = ("are_quoted", tuple(texts.maybe() for _ in range(count)))
        elif which == 2:
            given = [texts.any() for _ in range(count)]
            if rng.random() < 0.01:
                given.insert(0, rng.choice(NO_TEXTS))  # the pattern joins them all before it judges any
            names = ("are_optional", (given if rng.random() < 0.5 else tuple(given),))
        elif which == 3:
            text = texts.any()
            raw = text.encode(errors="replace")
            names = (rng.choice(("read_amount", "read_price")), (text if rng.random() < 0.5 else Raw(raw),))
        else:
            _add_up(compiled, texts, count, rng)
            continue
        name, arguments = names
        found = [said(getattr(form, name), *arguments) for form in (compiled, patterns)]
        assert found[0] == found[1], (seed, done, name, arguments, found)


def _add_up(compiled: Any, texts: Texts, count: int, rng: random.Random) -> None:
    if rng.random() < 0.05:  # what was never checked is no error of memory
        said(compiled.sum_up, [texts.any() for _ in range(count)], [texts.any() for _ in range(count)])
        said(compiled.sum_up, [rng.choice(NO_TEXTS)], [rng.choice(NO_TEXTS)])
        return
    digits = rng.choice((2, 4, 9, 26))
    prices, amounts = ([texts.number(digits) for _ in range(count + 1)] for _ in range(2))
    found = compiled.sum_up(prices, amounts)
    if found is None:
        assert any(len(text) > SHORT for text in (*prices, *amounts)), (prices, amounts)
        return
    assert found == exact_sums(prices, amounts), (prices, amounts, found)
