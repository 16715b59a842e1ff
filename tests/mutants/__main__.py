"""Small changes to the cores, one at a time, each by the module's own tests: `make mutants`.

Prints how many of them the tests notice, and names the others with their place. Those of `accepted.txt` change nothing
that can be observed, for the reason that stands there: one that is `killed` all the same has a reason that is not true.
Ends with 0 where every change is noticed or has its reason.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.mutants.changes import Change, File
from tests.mutants.forking import ASLEEP, KILLED, RELOAD, SURVIVED, TIMEOUT, limit_of
from tests.mutants.modules import MODULES, Module
from tests.mutants.playing import OPTIONS, FewerExamples, Play, reload, root

ASKED: Final = 1.0  # of those without a reason
UNCHANGED_SECONDS: Final = 600.0  # of a processor
ACCEPTED: Final = Path(__file__).with_name("accepted.txt")
# Loaded before anything of ours, so that a fork that loads ours again is quick.
FOREIGN: Final = ("hypothesis", "pytest_asyncio", "pydantic", "msgspec", "faststream.nats", "motor.motor_asyncio")


def read_accepted() -> dict[str, str]:
    """Return why each accepted survivor changes nothing, by its key: lines of `key | reason`."""
    lines = [line for line in ACCEPTED.read_text().splitlines() if line and not line.startswith("#")]
    pairs = (line.rpartition(" | ") for line in lines)
    return {key: reason for key, _, reason in pairs}


def files_of(module: Module) -> list[File]:
    """Parse the files of a module."""
    found: list[str] = []
    for path in module.files:
        below = sorted((root() / path).rglob("*.py")) if (root() / path).is_dir() else [root() / path]
        found.extend(str(one.relative_to(root())) for one in below)
    return [File(root(), path) for path in found]


def play(module: Module, files: list[File], only: str) -> Iterator[tuple[Change, str]]:
    """Yield each change with what became of it."""
    changes = {change.key: (file, change) for file in files for change in file.changes}
    tests = [path for path in module.tests if (root() / path).exists()]
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)

        def say(key: str, state: str) -> None:
            os.write(writing, (json.dumps([key, state]) + "\n").encode())

        plugin = Play(files, say, only)
        plugin.loading.begin()
        code = int(pytest.main([*OPTIONS, *tests], plugins=[FewerExamples(), plugin]))
        os._exit(code)
    os.close(writing)
    again: list[tuple[File, Change]] = []
    with os.fdopen(reading) as pipe:
        for key, state in map(json.loads, pipe):
            if state == RELOAD:
                again.append(changes[key])
            else:
                yield changes[key][1], state
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code:
        raise SystemExit(f"the tests could not be run: pytest ended with {code}")
    if again:
        state, seconds = reload(files[0], None, tests, UNCHANGED_SECONDS)
        if state != SURVIVED:
            raise SystemExit(f"the tests do not pass without any change where all is loaded again: {state}")
        for file, change in again:
            yield change, reload(file, change, tests, limit_of(seconds))[0]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("module", nargs="*", choices=[*MODULES, []], help="default: all of them")
    parser.add_argument("--only", default="", help="changes whose place or text has this in it")
    asked = parser.parse_args(arguments)
    os.chdir(root())
    for name in FOREIGN:
        importlib.import_module(name)
    accepted, enough, rows = read_accepted(), True, list[str]()
    for name in asked.module or MODULES:
        began = time.monotonic()
        found: Counter[str] = Counter()
        same = 0
        for change, state in play(MODULES[name], files_of(MODULES[name]), asked.only):
            found[state] += 1
            same += state == SURVIVED and change.key in accepted
            if state != KILLED or change.key in accepted:
                print(_line(change, state, accepted.get(change.key)), flush=True)
        killed = found[KILLED] + found[TIMEOUT] + found[ASLEEP]
        share = killed / max(1, found.total() - same)
        enough = enough and share >= ASKED
        rows.append(
            f"| {name} | {killed}/{found.total()} | {found[TIMEOUT]} + {found[ASLEEP]} | {same} | {share:.1%} "
            f"| {'met' if share >= ASKED else 'NOT MET'} | {time.monotonic() - began:.0f} |"
        )
        print(rows[-1], flush=True)
    print(
        f"\n| module | killed/made | of them out of processor time + asleep | accepted as the same "
        f"| killed of the rest | {ASKED:.0%} | seconds |"
    )
    print("|---|---|---|---|---|---|---|", *rows, sep="\n")
    return int(not enough)


def _line(change: Change, state: str, reason: str | None) -> str:
    place = f"{change.path}:{change.lines[0]}"
    if state == SURVIVED:
        return f"{'same' if reason else 'SURVIVED'} {place} | {change.key}{f' | {reason}' if reason else ''}"
    return f"{state} {place} | {change.key}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
