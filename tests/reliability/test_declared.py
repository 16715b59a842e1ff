"""The declaration of promises names tests that are there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.reliability.__main__ import PYTEST, ROOT
from tests.reliability.declared import PROMISES


@pytest.mark.parametrize("number", PROMISES)
def test_what_shows_a_promise_is_there(number: int) -> None:
    promise = PROMISES[number]
    assert promise.tests or promise.long
    for test in (*promise.tests, *promise.long):
        file, _, name = test.partition("::")
        place = Path(ROOT, file)
        assert place.exists(), test
        assert not name or f"def {name.split('[')[0]}(" in place.read_text(), test


def test_what_belongs_to_a_group_of_the_parallel_run_is_collected_without_it() -> None:
    command = [*PYTEST, "--collect-only", *PROMISES[6].long]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_there_are_twenty() -> None:
    assert list(PROMISES) == list(range(1, 21))
