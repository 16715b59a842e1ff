"""The compiled book side: random levels, whole books and broken texts, held and published as the Python side does."""

from __future__ import annotations

import random
from collections.abc import Iterable
from types import ModuleType
from typing import Final

NAME: Final = "runtime.book.compiled.book_side"
ODD: Final = ("", ".", "1.2.3", "abc", "1e5", "-1", "nan", "inf", " 1 ", "1_0", "é", "0." + "1" * 40)
BROKEN: Final = (b"", b"[", b'[["1","2"]', b'[["1","2"],]', b'[["1"]]', b"[[1,2]]", b'[["1","2"]]]', b'[["1","\xff"]]')


def play(module: ModuleType, rounds: Iterable[int], seed: int) -> None:
    """Do an operation each round; raises AssertionError where both sides differ."""
    from tests.runtime.book.book_sides import FORMS, Pair, Step, python  # noqa: PLC0415 - it loads what is compiled

    rng, forms = random.Random(seed), list(FORMS)

    def number() -> str:
        if rng.random() < 0.002:
            return rng.choice(ODD)
        return f"{rng.randint(1, 3000) / 100:.{rng.choice((0, 1, 2, 2, 2, 8, 30))}f}"

    def levels(most: int) -> list[tuple[str, str]]:
        return [(number(), "0" if rng.random() < 0.4 else number()) for _ in range(rng.randint(0, most))]

    pairs = Pair(python), Pair(module)
    for done in rounds:
        whole = rng.random() < 0.01
        step = Step(
            form=rng.choice(forms),
            levels=levels(300 if whole else 8),
            asks=rng.random() < 0.5,
            whole=whole,
            edge=rng.choice((None, None, 0.0, 5.0)),
            depth=rng.choice((None, None, None, 5, 100)),
        )
        raised = [pair.do(step) for pair in pairs]
        assert raised[0] == raised[1], (seed, done, step, raised)
        if rng.random() < 0.02:
            text, side = rng.choice(BROKEN), rng.randint(0, 1)
            for pair in pairs:
                try:
                    pair.sides[side].apply(text)
                except ValueError:
                    continue
        if done % 50 == 0:
            states = [pair.state(20) for pair in pairs]
            assert states[0] == states[1], (seed, done, step, states)
        if rng.random() < 0.0005:
            pairs = Pair(python), Pair(module)
