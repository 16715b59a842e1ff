"""A session on live paper, recorded, decides and executes the same when it is backtested, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runtime.store import Store
from tests.parity.session import PARAMS, compare, read, record

DAY_SECONDS = 86_400


@pytest.mark.parametrize("kind", sorted(PARAMS))
async def test_a_minute_of_a_recorded_session_gives_the_same_bytes(kind: str, tmp_path: Path, documents: Store) -> None:
    path = tmp_path / "session.jsonl"
    await record(path, kind, 60, documents)
    found = await compare(path)
    assert found.difference is None
    assert (found.events, found.decisions > 1, found.fills > 0) == (120, True, True)


async def test_a_difference_names_its_first_event(tmp_path: Path, documents: Store) -> None:
    path = tmp_path / "session.jsonl"
    await record(path, "dca", 60, documents)
    lines = list(read(path))
    at = [number for number, line in enumerate(lines) if "decision" in line]
    second = json.loads(lines[at[1]]["decision"])
    lines[at[1]] = {"decision": lines[at[1]]["decision"].replace("place", "cancel")}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    difference = (await compare(path)).difference
    assert difference is not None
    assert difference.number == 2
    assert second[2] in str(difference)  # the id of the event that it saw


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", sorted(PARAMS))
async def test_a_day_of_a_recorded_session_gives_the_same_bytes(kind: str, tmp_path: Path, documents: Store) -> None:
    path = tmp_path / "session.jsonl"
    await record(path, kind, DAY_SECONDS, documents)
    found = await compare(path)
    assert found.difference is None
    assert found.events == 2 * DAY_SECONDS
