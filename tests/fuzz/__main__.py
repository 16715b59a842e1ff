"""Random operations on what is compiled, under AddressSanitizer and UBSan: `make fuzz`.

Each part is built with the sanitizers and played with in a child, its Python form beside it all the while: nothing may
differ, no memory may be misused or lost. Ends with 0 where nothing was found.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz import book_side, decimals, framing, sanitized, seen_ids, writing

PARTS = {"decimals": decimals, "framing": framing, "seen_ids": seen_ids, "writing": writing, "book_side": book_side}


class Rounds:
    """Counts so many rounds, but none that would begin later than so many seconds from now."""

    def __init__(self, most: int, seconds: float) -> None:
        self.done = 0
        self._most, self._until = most, time.monotonic() + seconds

    def __iter__(self) -> Iterator[int]:
        while self.done < self._most and time.monotonic() < self._until:
            yield self.done
            self.done += 1


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], help="default: all of them")
    parser.add_argument("--operations", type=int, default=1_000_000, help="with each part")
    parser.add_argument("--seconds", type=float, default=900, help="no operation begins later, with each part")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--play", type=Path, help="the sanitized file of the part: what the child does")
    asked = parser.parse_args(arguments)
    if asked.play is not None:
        (name,) = asked.part
        rounds = Rounds(asked.operations, asked.seconds)
        PARTS[name].play(sanitized.load(PARTS[name].NAME, asked.play), rounds, asked.seed)
        print(sanitized.PLAYED, rounds.done)
        return 0
    clean = True
    for name in asked.part or PARTS:
        began = time.monotonic()
        found = sanitized.check(name, asked.operations, asked.seed, asked.seconds)
        clean = clean and found.clean
        print(found.text, end="\n" if found.text else "")
        spent = time.monotonic() - began
        verdict = f"{found.errors} errors, {found.leaks} leaks" + (", NOT FINISHED" if found.done is None else "")
        print(f"{name}: {found.done} operations, seed {asked.seed}, {spent:.0f} s: {verdict}", flush=True)
    return int(not clean)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
