"""Every `python -m …` of the project: what goes wrong is one clear line and a status, never a traceback."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

import tests.newest.__main__ as newest
from tests.planned import plan

ROOT = Path(__file__).parents[1]
NOWHERE = {"NATS_URL": "nats://127.0.0.1:1"}
TELEGRAM = {
    "TELEGRAM_BOT_TOKEN": "123456:a-token-that-opens-nothing-at-all-0123",
    "TELEGRAM_API_BASE_URL": "http://127.0.0.1:1",
    "BOT_INTERNAL_PORT": "0",
    "BOT_INTERNAL_HOST": "127.0.0.1",
}
PATIENCE = 60.0  # loading takes long on a busy machine
pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]


class Entry(NamedTuple):
    """A command line that is right, and whether it needs the bus."""

    command: str
    arguments: tuple[str, ...] = ()
    bus: bool = False
    waits: bool = False  # stays until it is ended


ENTRIES = (
    Entry("producers", ("binance",), bus=True, waits=True),
    Entry("producers decode", ("binance",), waits=True),
    Entry("producers record", ("binance", "--into", "{tmp}/rec"), waits=True),
    Entry("producers replay", ("{tmp}/rec",)),
    Entry("producers.simulator", ("--venues", "okx", "--bases", "BTC"), waits=True),
    Entry("bot", (), bus=True, waits=True),
    Entry("bot.simulator", (), waits=True),
    Entry("consumers", (), bus=True, waits=True),
    Entry(
        "consumers.strategies",
        ("backtest", "dca", "BTC/USDT", "--from", "2026-01-01", "--balance", "USDT=1"),
        bus=True,
        waits=True,
    ),
    Entry("runtime.backtests.worker", (), waits=True),
    Entry("api", (), bus=True, waits=True),
    Entry("api.mcp", (), waits=True),
    Entry("api.graphql", ("--check",)),
    Entry("api.describe", ("--check",)),
    Entry("deploy.vendor", ()),
    Entry("runtime.provision", (), bus=True, waits=True),
    Entry("runtime.settings", ("--check",)),
    Entry("runtime.doctor", ()),
    Entry("runtime.servers.document_user", ("{tmp}/store",)),
    Entry("deploy.extension", ()),
    Entry("deploy.backup", ("check", "{tmp}/nothing")),
    Entry("deploy.launch", ("run",), waits=True),
    Entry("deploy.cluster", ("run",), waits=True),
    Entry("runtime.app.asyncapi", ("--check",)),
)
NOT_OURS = {"deploy.launch", "deploy.cluster", "deploy.vendor"}  # for wrong arguments only: servers, and npm
QUIET = [entry for entry in ENTRIES if entry.command not in NOT_OURS]


def start(entry: Entry, tmp_path: Path, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
    given = arguments or tuple(text.format(tmp=tmp_path) for text in entry.arguments)
    ours = ("GPT_API_", "HYDROPHONE_", "NATS_", "MONGO_")
    keep = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    unreachable = {"HYDROPHONE_BINANCE_WS_URL": "ws://127.0.0.1:1", "HYDROPHONE_BINANCE_REST_URL": "http://127.0.0.1:1"}
    placed = {"HYDROPHONE_DATA": str(tmp_path), "PYTHONPATH": str(ROOT), "GPT_API_PORT": "0", **unreachable}
    if entry.command == "bot":
        placed |= TELEGRAM
    return subprocess.Popen(
        [sys.executable, "-m", *entry.command.split(), *given],
        cwd=tmp_path,
        env={**keep, **placed, **more},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[bytes]) -> str:
    """Wait for its end and give all it said; a traceback fails."""
    try:
        out, error = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    said = (out + error).decode()
    assert "Traceback" not in said, said[-2000:]
    return said


def test_every_entry_is_listed_here() -> None:
    tracked = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = [name for name in tracked.split() if not name.startswith(("tests/", "examples/"))]
    found = {name for name in names if 'if __name__ == "__main__"' in (ROOT / name).read_text()}
    modules = {re.sub(r"(/__main__)?\.py$", "", name).replace("/", ".") for name in found}
    assert modules == {entry.command.split()[0] for entry in ENTRIES}


def test_every_entry_takes_debug() -> None:
    """`runtime.app.entry` takes it off the command line and sets the levels; tests/runtime/test_settings.py runs it."""
    without_logs = {"runtime.servers.document_user", "producers.simulator", "deploy.extension"}  # they may take it
    for name in {entry.command.split()[0] for entry in ENTRIES} - without_logs:
        module = ROOT.joinpath(*name.split("."))
        text = (module / "__main__.py" if module.is_dir() else module.with_suffix(".py")).read_text()
        assert re.search(r"(\bentry\.|import )run\b|\btake_arguments\(", text), name


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.command)
def test_wrong_arguments_are_said_in_words(entry: Entry, tmp_path: Path) -> None:
    process = start(entry, tmp_path, "--nonsense", "no such thing", **NOWHERE)
    said = finish(process)
    assert process.returncode == 2
    assert said.strip()


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.bus], ids=lambda entry: entry.command)
def test_without_a_bus_named_the_setting_is_named(entry: Entry, tmp_path: Path) -> None:
    process = start(entry, tmp_path)
    said = finish(process)
    assert process.returncode == 2
    assert said.startswith("NATS_URL is not set")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.bus], ids=lambda entry: entry.command)
def test_a_bus_that_is_away_is_waited_for_and_named_until_ctrl_c(entry: Entry, tmp_path: Path) -> None:
    process = start(entry, tmp_path, **NOWHERE)
    assert process.stdout is not None
    os.set_blocking(process.stdout.fileno(), False)
    seen = b""
    deadline = time.monotonic() + PATIENCE
    while b"bus.waiting" not in seen and time.monotonic() < deadline:
        assert process.poll() is None, seen
        seen += process.stdout.read() or b""
        time.sleep(0.05)
    assert b"127.0.0.1:1" in seen
    os.set_blocking(process.stdout.fileno(), True)
    process.send_signal(signal.SIGINT)
    finish(process)
    assert process.returncode in {0, -signal.SIGINT}


@pytest.mark.parametrize("moment", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("entry", [entry for entry in QUIET if entry.waits], ids=lambda entry: entry.command)
def test_ctrl_c_ends_it_without_a_traceback(entry: Entry, tmp_path: Path, moment: float) -> None:
    process = start(entry, tmp_path, **NOWHERE)
    wait_until_caught(process.pid, caught=True)  # by the interpreter, which would raise
    wait_until_caught(process.pid, caught=False)  # by nobody any more: ours is running
    time.sleep(moment)
    process.send_signal(signal.SIGINT)
    finish(process)


def wait_until_caught(pid: int, *, caught: bool) -> None:
    """Wait until the process has a handler of SIGINT, or none."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = re.search(r"SigCgt:\s*([0-9a-f]+)", Path(f"/proc/{pid}/status").read_text())
        if found is not None and bool(int(found[1], 16) & 1 << (signal.SIGINT - 1)) is caught:
            return
        time.sleep(0.001)
    pytest.fail(f"SIGINT is not {'caught' if caught else 'left'} after {PATIENCE:g} s")


@pytest.mark.parametrize("entry", QUIET, ids=lambda entry: entry.command)
def test_a_reader_that_goes_ends_it_without_a_traceback(entry: Entry, tmp_path: Path) -> None:
    process = start(entry, tmp_path, **NOWHERE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    if process.stdin is not None:
        process.stdin.close()
    deadline = time.monotonic() + (4 if entry.waits else PATIENCE)  # what does not wait ends by itself
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)  # where it had nothing to say until now
    said = process.stderr.read().decode()
    process.wait(PATIENCE)
    assert "Traceback" not in said, said[-2000:]
    assert "Error" not in said, said[-2000:]


def test_a_key_that_begins_with_a_dash_is_a_key() -> None:
    """One of 64 does."""
    planned = plan("smoke", "URL=http://127.0.0.1:1", "KEY=-dash")
    by_newest = newest.smoke("http://127.0.0.1:1", "-dash")
    for arguments in (planned[planned.index("tests.smoke") :], by_newest[by_newest.index("tests.smoke") :]):
        done = subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 1, done.stderr  # nobody answers there; wrong arguments are 2
