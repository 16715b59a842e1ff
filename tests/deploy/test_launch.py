"""The launcher as a whole: a real bus and document server, stand-ins for the parts, signals and sudden death."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from shlex import quote
from typing import TypeVar

import nats
import pytest

from deploy.launch import decide_layout
from deploy.parts import decide_argv, part_environment, procfile_parts
from deploy.ready import reserved
from runtime.config.settings import load
from runtime.pepper import APP_SECRET_FILE
from runtime.servers.allocator import ALLOCATOR
from runtime.servers.embedded import free_port

ROOT = Path(__file__).parents[2]
STAND_IN = Path(__file__).with_name("stand_in.py")
PARTS = Path(__file__).with_name("parts")

PROCFILE = f"""
provision: python -c "import os; assert os.environ['NATS_URL']"
simulator: python {quote(str(PARTS / "simulator.py"))} $SIMULATOR_PORT $SIMULATOR_READY
producers: python {quote(str(PARTS / "sleeper.py"))}
consumers: python {quote(str(PARTS / "sleeper.py"))}
api: python {quote(str(PARTS / "ready_api.py"))}
"""

pytestmark = pytest.mark.nats


def clean_environment(data: Path) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GPT_API_", "HYDROPHONE_", "NATS_", "MONGO_"))
    }
    return {**kept, "PYTHONPATH": str(ROOT), "HYDROPHONE_DATA": str(data)}


T = TypeVar("T")
Launch = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def launched(tmp_path: Path) -> Iterator[Launch]:
    """Start a launcher: `launched("demo", GPT_API_PORT="1")`; all are ended after the test."""
    procfile = tmp_path / "Procfile"
    procfile.write_text(PROCFILE)
    started: list[subprocess.Popen[bytes]] = []

    def start(mode: str, **settings: str) -> subprocess.Popen[bytes]:
        out = (tmp_path / f"out-{len(started)}").open("wb")
        process = subprocess.Popen(
            [sys.executable, str(STAND_IN), str(procfile), mode],
            env={**clean_environment(tmp_path / "data"), **settings},
            cwd=tmp_path,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        out.close()
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


def wait_for(find: Callable[[], T | None], seconds: float = 40.0) -> T:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (found := find()) is not None:
            return found
        time.sleep(0.05)
    raise AssertionError("it never happened")


def run_file(data: Path) -> dict[str, dict[str, str]]:
    path = data / "run.json"
    return wait_for(lambda: json.loads(path.read_text()) if path.exists() else None)


def gone(pids: list[int]) -> bool | None:
    def runs(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except FileNotFoundError:
            return False

    return None if any(runs(pid) for pid in pids) else True


def test_demo_is_announced_when_ready_and_leaves_nothing_after_sigterm(launched: Launch, tmp_path: Path) -> None:
    process = launched("demo")
    run = run_file(tmp_path / "data")
    pids = [int(pid) for pid in run["pids"].values()]
    assert run["mode"] == "demo"
    assert set(run["pids"]) == {"bus", "documents", "simulator", "producers", "consumers", "api"}
    assert (tmp_path / "data" / "run.json").stat().st_mode & 0o777 == 0o600
    with urllib.request.urlopen(f"{run['api']['url']}/environment", timeout=5) as answer:
        environment = json.load(answer)
    assert run["api"]["key"] in environment["GPT_API_API_KEYS"].split(",")
    assert run["api"]["admin_key"] in environment["HYDROPHONE_ADMIN_KEYS"].split(",")
    assert environment["MONGO_URL"] == run["documents"]["url"]
    assert environment["HYDROPHONE_BINANCE_WS_URL"].startswith("ws://127.0.0.1:")
    assert "subscriber:" in run["nats"]["url"]
    assert "admin:" in run["nats"]["admin_url"]
    assert "//api:" in environment["NATS_URL"]
    asyncio.run(bus_answers(run["nats"]["url"]))
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700

    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert not (tmp_path / "data" / "run.json").exists()
    assert gone(pids)


async def bus_answers(url: str) -> None:
    bus = await nats.connect(url, connect_timeout=5)
    await bus.flush(timeout=5)
    await bus.close()


def test_run_has_no_simulator_and_no_read_key_of_its_own(launched: Launch, tmp_path: Path) -> None:
    launched("run", GPT_API_API_KEYS="key-of-mine")
    run = run_file(tmp_path / "data")
    assert "simulator" not in run["pids"]
    assert "key" not in run["api"]
    with urllib.request.urlopen(f"{run['api']['url']}/environment", timeout=5) as answer:
        environment = json.load(answer)
    assert environment["GPT_API_API_KEYS"] == "key-of-mine"
    assert "HYDROPHONE_BINANCE_WS_URL" not in environment


def test_second_copy_runs_beside_the_first(launched: Launch, tmp_path: Path) -> None:
    launched("demo")
    first = run_file(tmp_path / "data")
    launched("demo")
    second = run_file(tmp_path / "data-2")
    assert first["nats"]["url"] != second["nats"]["url"]
    assert first["api"]["url"] != second["api"]["url"]


def test_killed_launcher_leaves_no_process(launched: Launch, tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux ends children with their parent")
    process = launched("demo")
    pids = [int(pid) for pid in run_file(tmp_path / "data")["pids"].values()]
    process.kill()
    process.wait(10)
    assert wait_for(lambda: gone(pids), 10)


def test_part_that_dies_comes_back_with_its_new_pid_in_the_run_file(launched: Launch, tmp_path: Path) -> None:
    launched("demo")
    old = int(run_file(tmp_path / "data")["pids"]["producers"])
    os.kill(old, signal.SIGKILL)

    def changed() -> bool | None:
        new = run_file(tmp_path / "data")["pids"].get("producers")
        return True if new is not None and int(new) != old else None

    assert wait_for(changed)


def test_sigint_during_the_start_stops_what_was_started(launched: Launch, tmp_path: Path) -> None:
    process = launched("demo")
    log = tmp_path / "data" / "logs" / "bus.log"
    wait_for(lambda: True if log.exists() and log.stat().st_size else None)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert not (tmp_path / "data" / "run.json").exists()


def test_taken_port_that_was_asked_for_is_an_error(launched: Launch, tmp_path: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        process = launched("demo", GPT_API_PORT=str(taken.getsockname()[1]))
        assert process.wait(30) == 1
    assert "GPT_API_PORT" in (tmp_path / "out-0").read_text()


def test_wrong_settings_end_the_start_with_all_of_them(launched: Launch, tmp_path: Path) -> None:
    process = launched("demo", GPT_API_PORT="x", HYDROPHONE_BOOK_DEPTH="0")
    assert process.wait(30) == 1
    text = (tmp_path / "out-0").read_text()
    assert "GPT_API_PORT" in text
    assert "HYDROPHONE_BOOK_DEPTH" in text


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine."""
    for name in [*os.environ]:
        if name.startswith(("GPT_API_", "HYDROPHONE_", "NATS_", "MONGO_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("plain")
def test_users_bus_and_documents_are_used_where_they_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NATS_URL", "nats://bus.example.org:4222")
    monkeypatch.setenv("MONGO_URL", "mongodb://documents.example.org")
    monkeypatch.setenv("NATS_MONITOR_URLS", "http://a:8222,http://b:8222")
    monkeypatch.setenv("HYDROPHONE_REPLICAS", "3")
    layout = decide_layout("run", tmp_path, load())
    environ = part_environment(layout, {}, "api")
    assert (layout.bus_port, layout.documents_port) == (None, None)
    assert environ["NATS_URL"] == "nats://bus.example.org:4222"
    assert layout.subscriber_url == layout.admin_url == "nats://bus.example.org:4222"
    assert environ["MONGO_URL"] == "mongodb://documents.example.org"
    (provision,) = procfile_parts(layout, {}, "provision: python -m x $PROVISION_OPTIONS")
    assert provision.argv[3:] == ("--monitor", "http://a:8222", "--monitor", "http://b:8222", "--replicas", "3")


@pytest.mark.usefixtures("plain")
def test_a_copy_that_keeps_its_documents_has_one_secret_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first, again = (part_environment(decide_layout("run", tmp_path, load()), {}, "api") for _ in range(2))
    other = part_environment(decide_layout("run", tmp_path / "other", load()), {}, "api")
    assert first["APP_SECRET_KEY"] == again["APP_SECRET_KEY"] != other["APP_SECRET_KEY"]
    assert (tmp_path / APP_SECRET_FILE).stat().st_mode & 0o077 == 0
    given = "x" * 32
    with monkeypatch.context() as patch:
        patch.setenv("APP_SECRET_KEY", given)
        assert "APP_SECRET_KEY" not in part_environment(decide_layout("run", tmp_path, load()), {}, "api")
    monkeypatch.setenv("MONGO_URL", "mongodb://documents.example.org")
    assert "APP_SECRET_KEY" not in part_environment(decide_layout("run", tmp_path, load()), {}, "api")


@pytest.mark.usefixtures("plain")
def test_a_part_gives_back_large_memory_unless_the_user_says_how(tmp_path: Path) -> None:
    layout = decide_layout("demo", tmp_path, load())
    for given in ({}, {"MALLOC_ARENA_MAX": "4"}):
        for part in procfile_parts(layout, given, (ROOT / "deploy" / "Procfile").read_text()):
            assert {name: part.environ[name] for name in ALLOCATOR} == {**ALLOCATOR, **given}, part.name


@pytest.mark.usefixtures("plain")
def test_metrics_ports_of_the_parts_differ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HYDROPHONE_METRICS_PORT", "9100")
    layout = decide_layout("demo", tmp_path, load())
    ports = {
        part: part_environment(layout, dict(os.environ), part)["HYDROPHONE_METRICS_PORT"]
        for part in ("producers", "consumers", "books", "healer")
    }
    assert ports == {"producers": "9100", "consumers": "9101", "books": "9102", "healer": "9103"}


@pytest.mark.usefixtures("plain")
def test_the_committed_procfile_has_only_names_that_are_filled_in(tmp_path: Path) -> None:
    layout = decide_layout("demo", tmp_path / "with space", load())
    parts = procfile_parts(layout, {}, (ROOT / "deploy" / "Procfile").read_text())
    names = [part.name for part in parts]
    assert names == ["provision", "healer", "simulator", "telegram", "producers", "consumers", "api", "bot"]
    assert all(part.argv[0] == sys.executable for part in parts)
    assert str(layout.simulator_ready) in parts[2].argv


@pytest.mark.usefixtures("plain")
def test_books_have_a_process_only_where_producers_leave_them_to_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HYDROPHONE_BOOKS", "elsewhere")
    parts = procfile_parts(decide_layout("run", tmp_path, load()), {}, (ROOT / "deploy" / "Procfile").read_text())
    assert [part.name for part in parts] == ["provision", "healer", "producers", "books", "consumers", "api"]
    assert parts[3].argv[1:] == ("-m", "consumers", "books")


def test_unknown_name_in_a_command_is_an_error() -> None:
    with pytest.raises(KeyError, match="NOPE"):
        decide_argv("python -m x $NOPE", {})


def test_port_that_another_starting_copy_has_in_mind_is_left_to_it(tmp_path: Path) -> None:
    port = free_port()
    with reserved(port) as first, reserved(port) as second:
        assert first
        assert not second
        assert decide_layout("demo", tmp_path, load(), port_is_ours=second).api_port != load().api.port
    with reserved(port) as again:
        assert again
