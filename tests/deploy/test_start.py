"""The order in which parts start: what others need one after another, the rest at once."""

from __future__ import annotations

import asyncio
import socket
import sys

import pytest

from deploy.launch import decide_layout, start_parts
from deploy.supervisor import Part, StartError, Supervisor
from runtime.config.settings import load
from runtime.servers.answers import HOST
from runtime.servers.embedded import free_port

SLEEPS = (sys.executable, "-c", "import time; time.sleep(60)")


@pytest.fixture
async def supervisor(tmp_path):
    made = Supervisor(tmp_path, tmp_path, lambda _line: None, grace_seconds=1.0)
    yield made
    await made.stop()


def part(name, ready=None):
    return Part(name, SLEEPS, {}, ready)


async def test_what_others_need_is_ready_before_the_next_starts(supervisor):
    async def simulator_is_alone():
        assert set(supervisor.pids()) == {"simulator"}

    async def simulator_runs():
        assert "simulator" in supervisor.pids()

    await start_parts(supervisor, [part("simulator", simulator_is_alone), part("api", simulator_runs)], lambda: None)
    assert list(supervisor.pids()) == ["simulator", "api"]


async def test_none_of_the_rest_waits_until_another_is_ready(supervisor):
    async def all_run():
        if set(supervisor.pids()) != {"producers", "api", "bot"}:
            raise OSError("not yet")

    parts = [part("producers", all_run), part("api", all_run), part("bot", all_run)]
    async with asyncio.timeout(30):
        await start_parts(supervisor, parts, lambda: None)


async def test_the_first_of_them_that_does_not_come_up_is_named(supervisor):
    async def never():
        raise OSError("nobody answers")

    failing = Part("api", (sys.executable, "-c", "raise SystemExit(3)"), {}, never)
    with pytest.raises(StartError, match="api"):
        await start_parts(supervisor, [failing, part("bot", never)], lambda: None)


def test_the_bus_says_what_it_uses_only_where_that_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("HYDROPHONE_BUS_PROFILE_PORT", "0")
    assert "prof_port" not in decide_layout("demo", tmp_path, load()).bus_config().text()
    monkeypatch.setenv("HYDROPHONE_BUS_PROFILE_PORT", str(port := free_port()))
    assert f"prof_port: {port}\n" in decide_layout("demo", tmp_path, load()).bus_config().text()
    with socket.create_server((HOST, port)), pytest.raises(OSError, match=f"{port}.*HYDROPHONE_BUS_PROFILE_PORT"):
        decide_layout("demo", tmp_path, load())
