"""A real filesystem that is full: what is said, what goes on, and that everything flows again by itself."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from shlex import quote
from typing import Any

import nats
import pytest
from nats.aio.client import Client
from nats.errors import Error as NatsError

from contracts import streams, subjects
from deploy.disk import NoRoomError, needed_bytes, require_room
from deploy.part_log import PartLog
from runtime.config.settings.retention import RetentionSettings
from tests.deploy.filesystem import fill, small_disk

ROOT = Path(__file__).parents[2]
PARTS = Path(__file__).with_name("parts")
STAND_IN = Path(__file__).with_name("stand_in.py")
TRADE = f"{subjects.TRADE}example.BTC.USDT.spot"
HEALED_WITHIN = 10.0
PROCFILE = f"""
provision: python -m runtime.provision $PROVISION_OPTIONS
producers: python {quote(str(PARTS / "sleeper.py"))}
consumers: python -m consumers market
api: python -m api
"""


class Copy:
    """A launcher on a disk of its own, with the real bus, documents, provisioner and API."""

    def __init__(self, data: Path, procfile: Path, out: Path) -> None:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GPT_API_", "HYDROPHONE_", "NATS_", "MONGO_"))
        }
        settings = {"HYDROPHONE_DATA": str(data), "HYDROPHONE_STREAM_SCALE": "0.05", "PYTHONPATH": str(ROOT)}
        self.data, self.out = data, out
        with out.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(STAND_IN), str(procfile), "run"],
                env={**kept, **settings},
                cwd=out.parent,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def facts(self) -> dict[str, Any]:
        return json.loads((self.data / "run.json").read_text())

    def said(self, text: str) -> bool:
        return text in self.out.read_text()

    def ready(self) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"{self.facts()['api']['url']}/health/ready", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path, 1100) as place:
        yield place


@pytest.fixture
def copy(disk: Path, tmp_path: Path) -> Iterator[Copy]:
    procfile = tmp_path / "Procfile"
    procfile.write_text(PROCFILE)
    started = Copy(disk / "data", procfile, tmp_path / "out")
    yield started
    started.process.terminate()
    started.process.wait(30)


async def until(check: Callable[[], bool], seconds: float, what: str) -> float:
    began = time.monotonic()
    while not check():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.1)
    return time.monotonic() - began


async def is_kept(bus: Client) -> bool:
    try:
        await bus.jetstream().publish(TRADE, bytes(9000), timeout=0.5, stream=streams.MARKET)
    except (NatsError, TimeoutError):
        return False
    return True


async def until_kept(bus: Client, wanted: bool, seconds: float) -> float:
    began = time.monotonic()
    while await is_kept(bus) is not wanted:
        assert time.monotonic() - began < seconds, f"not within {seconds} s: writes are {wanted}"
        await asyncio.sleep(0.1)
    return time.monotonic() - began


@pytest.mark.nats
@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_full_disk_is_announced_and_everything_flows_again_by_itself(copy: Copy, disk: Path) -> None:
    await until((copy.data / "run.json").exists, 90, "run.json")
    bus = await nats.connect(copy.facts()["nats"]["admin_url"], max_reconnect_attempts=-1, reconnect_time_wait=0.1)
    assert await is_kept(bus)
    await until(lambda: copy.ready()[0] == 200, 30, "ready")

    filler = fill(disk)
    rows = [("writes refused", await until_kept(bus, wanted=False, seconds=10))]
    rows.append(("said", await until(lambda: copy.said("is full: make room"), 10, "the line that it is full")))
    rows.append(("not ready", await until(lambda: copy.ready()[0] == 503, 10, "/health/ready 503")))
    assert "bus that can write" in copy.ready()[1]
    killed = int(copy.facts()["pids"]["producers"])
    os.kill(killed, signal.SIGKILL)
    rows.append(("part restarted", await until(lambda: copy.said("producers runs again"), 10, "a part's restart")))
    assert copy.process.poll() is None

    filler.unlink()
    rows.append(("writes kept", await until_kept(bus, wanted=True, seconds=HEALED_WITHIN)))
    rows.append(("ready", await until(lambda: copy.ready()[0] == 200, HEALED_WITHIN, "ready again")))
    rows.append(("said so", await until(lambda: copy.said("the bus writes again"), HEALED_WITHIN, "the line")))
    await until(lambda: int(copy.facts()["pids"]["producers"]) != killed, 10, "run.json with the new pid")
    await bus.close()
    print("\n" + "\n".join(f"{what:16} {seconds:5.1f} s" for what, seconds in rows))


def settings(scale: str = "1") -> RetentionSettings:
    return RetentionSettings.model_validate({"HYDROPHONE_STREAM_SCALE": scale})


def test_too_small_a_disk_is_one_sentence_with_the_setting_that_helps(disk: Path) -> None:
    with pytest.raises(NoRoomError) as caught:
        require_room(disk, disk / "run", settings())
    text = str(caught.value)
    assert "\n" not in text
    assert f"{needed_bytes(settings()) // 1_000_000} MB" in text
    assert "HYDROPHONE_STREAM_SCALE=0.01 needs" in text  # of the scales it names, the largest that fits
    require_room(disk, disk / "run", settings("0.01"))
    with pytest.raises(NoRoomError):
        require_room(disk, disk / "run", settings("0.1"))


def test_small_disk_ends_the_start_with_that_sentence(tmp_path: Path) -> None:
    procfile = tmp_path / "Procfile"
    procfile.write_text(PROCFILE)
    with small_disk(tmp_path, 100) as place:
        copy = Copy(place / "data", procfile, tmp_path / "out")
        assert copy.process.wait(60) == 1
    assert "no HYDROPHONE_STREAM_SCALE makes that little enough" in copy.out.read_text()


def test_log_on_a_full_disk_drops_lines_and_says_so_and_goes_on_afterwards(tmp_path: Path) -> None:
    said: list[str] = []
    with small_disk(tmp_path, 20) as place:
        log = PartLog(place / "part.log", said.append)
        filler = fill(place)
        code = "import os\nfor number in range(400): os.write(1, b'x' * 1000)"
        run(log, code)
        assert any("cannot be written" in line for line in said)
        filler.unlink()
        run(log, "print('later')")
        assert "later" in log.tail()
        assert any("is written again" in line for line in said)


@pytest.mark.parametrize("size", [700, 50_000, 65_536])
def test_log_is_rotated_by_renaming(tmp_path: Path, size: int) -> None:
    log = PartLog(tmp_path / "part.log", lambda _: None, limit=100_000)
    text = b"".join(b"%d %s\n" % (number, b"y" * 995) for number in range(300))
    for at in range(0, len(text), size):
        log._save(text[at : at + size])
    files = [log.path.with_suffix(".log.1"), log.path]
    written = [path.read_bytes() for path in files if path.exists()]
    assert all(len(one) <= 100_000 for one in written)
    assert text.endswith(b"".join(written))
    assert [line.split()[0] for line in log.tail().splitlines()] == [str(number) for number in range(288, 300)]


def test_what_a_process_writes_is_in_the_log(tmp_path: Path) -> None:
    log = PartLog(tmp_path / "part.log", lambda _: None)
    run(log, "import os\nfor number in range(300): os.write(1, b'y' * 999 + b'\\n')")
    assert log.path.stat().st_size == 300_000


def run(log: PartLog, code: str) -> None:
    sink = log.open()
    subprocess.run([sys.executable, "-c", code], stdout=sink, check=True)
    os.close(sink)
    log.wait(10.0)
