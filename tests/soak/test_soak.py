"""What a soak makes of samples: slopes, rates, and the table of a run that was ended; parts by their command lines."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from pymongo import MongoClient

from consumers.kept import KeptMetrics
from deploy.parts import METRICS_AFTER
from runtime.health import Health
from runtime.monitor import monitor
from runtime.servers.document_user import find_document_python
from runtime.servers.embedded import document_server
from tests.soak.__main__ import main
from tests.soak.filling import DATABASE, fill_documents
from tests.soak.measuring import MIB, Part, Slope, Taken, find_parts
from tests.soak.observing import Sample, Samples, find_kept, read_samples
from tests.soak.small import FASTEST, Measured, next_rate


def record(path: Path, *, grows: float = 0.0, slower: bool = False, seconds: int = 3600, part: str = "api") -> Samples:
    """Samples of a run: `part` grows so much an hour; half as many messages at the end if `slower`."""
    samples = Samples(path)
    samples.begin()
    sent = 0
    for at in range(0, seconds + 1, 60):
        sent += 60 * (50 if slower and at > seconds * 0.6 else 100)
        size = int((100 + grows * at / 3600) * MIB)
        parts = {part: Taken(size, size, at * 0.3), "producers.simulator": Taken(at * MIB, at * MIB, at * 0.9)}
        samples.add(Sample(float(at), parts, sent, sent, 12.0))
    return samples


def test_memory_that_grows_fails_the_soak(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(tmp_path / "flat", grows=0.5)
    record(tmp_path / "growing", grows=4.0)
    assert main(["--table", str(tmp_path / "flat")]) == 0
    assert "| api | 100.0 | 100.5 | +0.50 ±0.00 | +0.50 ±0.00 | 0.30 |" in capsys.readouterr().out
    assert main(["--table", str(tmp_path / "growing")]) == 1
    assert "+4.00 ±0.00 | +4.00 ±0.00 **grows**" in capsys.readouterr().out


@pytest.mark.parametrize(("part", "uncollected"), [("consumers", 0), ("nats-server", 2)])
def test_what_a_part_keeps_is_shown_and_the_rest_is_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], part: str, uncollected: int
) -> None:
    def kept(path: Path, says: float) -> Path:
        whole = record(tmp_path / "whole", grows=9.0, part=part)
        samples = Samples(path)
        samples.begin()
        for one in whole.all:
            kinds = {"candles bars": MIB, "whales ids": int(says * one.at / 3600 * MIB)}
            taken, in_use = one.parts[part], one.parts[part].own
            parts = {**one.parts, part: replace(taken, own=in_use * (1 + uncollected))}
            samples.add(replace(one, parts=parts, kept={part: kinds, "other": {}}, in_use=in_use))
        return path

    assert main(["--table", str(kept(tmp_path / "named", 8.5))]) == 0
    shown = capsys.readouterr().out
    slope = f"+{9 + 9 * uncollected}.00 ±0.00"
    assert f"| {part} | 100.0 | 109.0 | {slope} | {slope} | 0.30 |" in shown
    assert f"| {part}, beyond what is kept | 99.0 | 99.5 | +0.50 ±0.00 | +0.50 ±0.00 | |" in shown
    assert "| kept: whales ids | 0.0 | 8.5 | +8.50 ±0.00 | +8.50 ±0.00 | |" in shown
    assert main(["--table", str(kept(tmp_path / "unnamed", 7.0))]) == 1
    assert "beyond what is kept | 99.0 | 101.0 | +2.00 ±0.00 | +2.00 ±0.00 **grows** |" in capsys.readouterr().out
    assert main(["--table", str(tmp_path / "whole")]) == 1, "where they say nothing, all of it is judged"


async def test_what_consumers_keep_is_asked_of_their_figures() -> None:
    registry = CollectorRegistry()
    kept = KeptMetrics(registry)
    kept.add("candles", lambda: {"bars": 12_345_678, "trade_ids": 0})
    async with monitor("127.0.0.1", 0, Health(), registry) as port:
        asked = port - METRICS_AFTER["consumers"]
        assert await asyncio.to_thread(find_kept, asked) == {"candles bars": 12_345_678, "candles trade_ids": 0}
    assert await asyncio.to_thread(find_kept, asked) == {}


def test_garbage_between_collections_is_no_growth() -> None:
    part = Part(own=[(float(at), (100 + at % 60 * 3) * MIB) for at in range(0, 3600, 5)])
    assert part.slope(600).mib == pytest.approx(0.0)
    assert len(part.lows(600)) == 50


def test_a_slope_is_above_a_bar_where_its_noise_is_too() -> None:
    def swing(grows: float) -> Slope:
        rng = random.Random(7)
        sizes = [(at, 300 + grows * at / 3600 + rng.gauss(0, 10)) for at in range(0, 3600, 60)]
        return Part(own=[(float(at), int(size * MIB)) for at, size in sizes]).slope(0)

    assert 3 < 2 * swing(0).error < 15
    assert not swing(0).is_from(1.0)
    assert not swing(4).is_from(1.0)
    assert swing(40).is_from(1.0)
    assert abs(swing(40).mib - 40) < 2 * swing(40).error


def test_a_bus_that_carries_less_at_the_end_fails_the_soak(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(tmp_path / "slower", slower=True)
    assert main(["--table", str(tmp_path / "slower")]) == 1
    assert "first whale 12 s after the start" in capsys.readouterr().out


def test_bars_are_of_what_is_not_simulated(tmp_path: Path) -> None:
    record(tmp_path / "run", seconds=600)
    table = ["--table", str(tmp_path / "run")]
    assert main([*table, "--bar-mib", "101", "--bar-cores", "0.31"]) == 0
    assert main([*table, "--bar-mib", "99"]) == 1
    assert main([*table, "--bar-cores", "0.2"]) == 1


def test_a_run_that_was_killed_has_its_table(tmp_path: Path) -> None:
    whole = record(tmp_path / "run")
    with whole.path.open("a") as file:
        file.write('{"at": 3660.0, "siz')
    assert read_samples(whole.path).all == whole.all


@pytest.mark.skipif(find_document_python() is None, reason="no document server for this Python")
@pytest.mark.timeout(300)  # each write waits for the disk, which other tests keep busy
async def test_documents_that_fill_the_cache_are_in_a_database_of_their_own(tmp_path: Path) -> None:
    async with document_server(tmp_path) as server:  # its own: what is half written when this fails goes with it
        with MongoClient[dict[str, Any]](server.url) as client:
            assert DATABASE not in client.list_database_names()
            await asyncio.to_thread(fill_documents, server.url, 240)
            assert DATABASE in client.list_database_names()
            assert client[DATABASE]["filled"].count_documents({"n": {"$gte": 0}}) == 240
            assert client[DATABASE]["filled"].count_documents({"n": None}) == 256
            assert sorted(client[DATABASE]["filled"].distinct("n", {"n": {"$gte": 238}})) == [238, 239]
            assert client[DATABASE]["filled"].count_documents({"sent": True}) == 48


def test_parts_are_named_by_module_or_program(tmp_path: Path) -> None:
    script = tmp_path / "secantusd-py"
    script.write_text("import sys; print(flush=True); sys.stdin.read()")
    commands = ([sys.executable, str(script)], [sys.executable, "-m", "http.server", "0", "--bind", "127.0.0.1"])
    started = [subprocess.Popen(one, stdin=-1, stdout=-1, stderr=-1, env={"PYTHONUNBUFFERED": "1"}) for one in commands]
    try:
        assert all(one.stdout is not None and one.stdout.readline() for one in started)
        found = find_parts([one.pid for one in started])
    finally:
        for one in started:
            one.kill()
            one.communicate()
    assert set(found) == {"secantusd-py", "http.server"}
    assert all(taken.size > taken.own > MIB for taken in found.values())


def test_the_small_machines_rate_is_found_in_steps() -> None:
    assert next_rate(0.4, 0.8) == pytest.approx(0.5)
    assert next_rate(0.4, 0.1) == pytest.approx(0.8)  # too few to be believed
    assert next_rate(0.4, 1.6) == pytest.approx(0.25)
    assert next_rate(40, 0.5) == FASTEST


def test_the_small_machines_table_judges_each_bar(tmp_path: Path) -> None:
    text = "\n".join(Measured(record(tmp_path / "run", seconds=120), 0.5, 70.0, "on the page").lines())
    assert "| MiB, the most at once | 100 | at most 1024 | met |" in text
    assert "| cores | 0.30 | at most 1.2 | met |" in text
    assert "| events/s | 100 | 3000 | **not met** |" in text
    assert "| first whale on the page | 70 s | within 60 s | **not met** |" in text
    assert "simulator |" not in text
