"""The compiled ids that were seen: random ids, some of them again and some forgotten, beside Python's."""

from __future__ import annotations

import random
from collections.abc import Iterable
from types import ModuleType
from typing import Any, Final

NAME: Final = "runtime.seen.compiled.seen_ids"
LIMITS: Final = (0, 1, 2, 3, 4, 5, 7, 16, 100, 1000)
MOST: Final = 4_000  # different ids of one pair
NO_KEYS: Final = ([], {}, [1])


class _Clashing:
    """A key whose hash is that of many others, and 0 or -2 sometimes."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __hash__(self) -> int:
        return self.value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Clashing) and other.value == self.value


def play(module: ModuleType, rounds: Iterable[int], seed: int) -> None:
    """Do an operation each round; raises AssertionError where both forms differ."""
    from runtime.seen import seen_ids  # noqa: PLC0415 - it is what is played with that is loaded before

    compiled: Any = module
    rng = random.Random(seed)
    limit = rng.choice(LIMITS)
    mine, theirs = compiled.SeenIds(limit), seen_ids.SeenIds(limit)
    for done in rounds:
        if rng.random() < 0.001:
            limit = rng.choice(LIMITS)
            mine, theirs = compiled.SeenIds(limit=limit), seen_ids.SeenIds(limit)
        key = _key(rng, limit)
        chance = rng.random()
        if chance < 0.6:
            found: Any = mine.add(key), theirs.add(key)
        elif chance < 0.8:
            found = mine.discard(key), theirs.discard(key)
        else:
            found = key in mine, key in theirs
        assert found[0] == found[1], (seed, done, limit, key, found)
        if rng.random() < 0.01:
            _refused(compiled, rng, mine)
            assert 0 < mine.size() < 2**20, (seed, done, limit, mine.size())


def _key(rng: random.Random, limit: int) -> Any:
    number = rng.randrange(min(MOST, 3 * limit + 3))
    return str(number) if rng.random() < 0.5 else _Clashing((number - 3) << rng.choice((0, 0, 4, 58)))


def _refused(compiled: Any, rng: random.Random, seen: Any) -> None:
    """Give it what has no hash, or is no limit: an error, whatever it is."""
    key = rng.choice(NO_KEYS)
    for ask in (lambda: seen.add(key), lambda: seen.discard(key), lambda: key in seen, lambda: compiled.SeenIds("4")):
        try:
            ask()
        except TypeError:
            continue
        raise AssertionError(key)
