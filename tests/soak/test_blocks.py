"""What is counted of the blocks that a real nats-server writes: by their size, their most so far, and their rest."""

from __future__ import annotations

import os
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import nats
import pytest

from runtime.servers.answers import HOST, nats_answers
from runtime.servers.bus_users import ACCOUNT, ADMIN
from runtime.servers.child import Child
from runtime.servers.embedded import NatsConfig, free_port, nats_command, nats_url, save_nats_config
from tests.soak.blocks import Blocks
from tests.soak.measuring import MIB

_IN_USE = re.compile(r"^\d+: (\d+) \[[^\n]*\n((?:#[^\n]*\n)*)", re.MULTILINE)


def put(streams: Path, stream: str, *sizes: int, ago: float = 0.0) -> None:
    """Blocks of a stream, the last one written to so many seconds ago."""
    folder = streams / stream / "msgs"
    folder.mkdir(parents=True, exist_ok=True)
    for number, size in enumerate(sizes, 1):
        with (folder / f"{number}.blk").open("wb") as block:
            block.truncate(size)
        os.utime(block.name, (then := time.time() - ago, then))


def test_a_block_takes_a_buffer_of_four_sizes(tmp_path: Path) -> None:
    for name, size in (("a", 1), ("b", MIB // 4 + 1), ("c", MIB + 1), ("d", 4 * MIB + 1), ("e", 9 * MIB)):
        put(tmp_path, name, size)
    (tmp_path / "f" / "msgs").mkdir(parents=True)
    assert Blocks(tmp_path).size() == MIB // 4 + MIB + 4 * MIB + 8 * MIB + 8 * MIB


def test_the_newest_block_counts_and_takes_over_the_buffer_before(tmp_path: Path) -> None:
    blocks = Blocks(tmp_path)
    put(tmp_path, "a", *[100] * 9, MIB)
    assert blocks.size() == MIB
    put(tmp_path, "a", *[100] * 9, MIB, 100)
    assert blocks.size() == MIB
    assert Blocks(tmp_path).size() == MIB // 4


def test_a_block_that_is_not_written_to_keeps_nothing(tmp_path: Path) -> None:
    put(tmp_path, "a", 100, ago=12)
    put(tmp_path, "b", 100, ago=9)
    assert Blocks(tmp_path).size() == MIB // 4


@pytest.fixture
async def profiled(tmp_path: Path) -> AsyncIterator[tuple[NatsConfig, int]]:
    """A bus that says what its memory is used for, and the port that it says it on."""
    config = NatsConfig(data_dir=tmp_path, port=free_port(), monitor_port=free_port(), sync_always=False)
    path, port = save_nats_config(config), free_port()
    path.write_text(f"{path.read_text()}prof_port: {port}\n")
    log, argv = tmp_path / "nats.log", nats_command(path)
    child = Child("nats-server", argv, log, ready=lambda: nats_answers(config.port, config.monitor_port))
    try:
        await child.start()
        yield config, port
    finally:
        await child.stop()


@pytest.mark.nats
async def test_a_real_servers_buffers_are_those(profiled: tuple[NatsConfig, int]) -> None:
    config, port = profiled
    connection = await nats.connect(nats_url(config.port, ADMIN, config.users.admin))
    blocks = Blocks(config.store / ACCOUNT / "streams")
    async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}") as client:

        async def buffers() -> float:
            """MiB of buffers of blocks after collections: what is free is forgotten at the second one."""
            for _ in range(2):
                await client.get("/debug/pprof/heap", params={"gc": 1})
            text = (await client.get("/debug/pprof/heap", params={"debug": 1, "gc": 1})).text
            return sum(int(size) for size, stack in _IN_USE.findall(text) if "getMsgBlockBuf" in stack) / MIB

        try:
            bus = connection.jetstream()
            for one in "abcdef":
                await bus.add_stream(name=one, subjects=[f"{one}.>"], max_bytes=16 * MIB)
            for tenths, each in ((6, 1), (6, 4), (20, 4), (20, 4)):
                for _ in range(tenths):
                    for one in "abcdef":
                        await bus.publish(f"{one}.x", bytes(MIB // 10))
                assert blocks.size() == 6 * each * MIB
                # of those of 1 MiB it remembers only samples
                assert await buffers() == pytest.approx(6 * each, abs=1 if each == 4 else 6)
        finally:
            await connection.close()
