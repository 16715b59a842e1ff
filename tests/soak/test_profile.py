"""What a soak reads of the bus's profile: blocks by what they are for, of a real server whose blocks are known."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import nats
import pytest
from nats.js.client import JetStreamContext

from runtime.servers.answers import HOST, nats_answers
from runtime.servers.bus_users import ADMIN
from runtime.servers.child import Child
from runtime.servers.embedded import NatsConfig, free_port, nats_command, nats_url, save_nats_config
from tests.soak.measuring import MIB
from tests.soak.profile import Uses, find_uses, read_profile

WRITTEN, FULL = "blocks that are written", "blocks of full streams"
_STACK = "#\t0x1\tnats-server/server.{}+0x1\t/a.go:1\n"


@pytest.fixture
async def profiled(tmp_path: Path) -> AsyncIterator[tuple[JetStreamContext, int]]:
    """A bus that says what its memory is used for, and the port that it says it on."""
    ports = free_port(), free_port(), free_port()
    config = NatsConfig(tmp_path, ports[0], ports[1], sync_always=False, profile_port=ports[2])
    argv = nats_command(save_nats_config(config))
    child = Child("nats-server", argv, tmp_path / "nats.log", ready=lambda: nats_answers(ports[0], ports[1]))
    try:
        await child.start()
        connection = await nats.connect(nats_url(ports[0], ADMIN, config.users.admin))
        yield connection.jetstream(), ports[2]
        await connection.close()
    finally:
        await child.stop()


async def collected(port: int) -> Uses:
    """What is used after collections: buffers that are free are forgotten at the second one."""
    async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}") as client:
        for _ in range(3):
            await client.get("/debug/pprof/heap", params={"gc": 1})
    return find_uses(port)


@pytest.mark.nats
async def test_a_real_servers_memory_is_blocks_and_little_else(profiled: tuple[JetStreamContext, int]) -> None:
    bus, port = profiled
    names = "abcdef"
    for name in names:
        await bus.add_stream(name=name, subjects=[f"{name}.>"], max_bytes=16 * MIB)

    async def write(messages: int, names: str) -> None:
        for _ in range(messages):
            for name in names:
                await bus.publish(f"{name}.x", bytes(MIB // 10))

    empty = await collected(port)
    assert sum(empty.blocks.values()) <= MIB
    await write(15, names)
    written = await collected(port)
    assert written.blocks[WRITTEN] == pytest.approx(len(names) * 4 * MIB, rel=0.05), "one each, of the third size"
    assert written.blocks[FULL] == 0
    await write(40, names)
    again = await collected(port)
    assert again.blocks[WRITTEN] == pytest.approx(len(names) * 4 * MIB, rel=0.05), "the next takes over its buffer"
    await write(110, "a")
    for _ in range(200):
        await write(5, "a")
        if (full := find_uses(port)).blocks[FULL] >= 3 * MIB:
            break
    else:
        pytest.fail("a stream that is full does not read its first block")
    for uses in (empty, written, again, full):
        assert 4 * MIB < uses.all - sum(uses.blocks.values()) < 24 * MIB


def test_a_block_counts_once_by_what_it_is_for() -> None:
    def used(size: int, *stack: str) -> str:
        return f"1: {size} [9: 99] @ 0x1 0x2\n{''.join(_STACK.format(name) for name in stack)}\n"

    uses = read_profile(
        "heap profile: 7: 99 [9: 99] @ heap/1048576\n"
        + used(1, "getMsgBlockBuf", "(*msgBlock).writeMsgRecordLocked")
        + used(20, "getMsgBlockBuf", "(*msgBlock).loadMsgsWithLock", "(*fileStore).removeMsgViaLimits")
        + used(300, "StoreCompression.Decompress", "(*fileStore).removeMsgViaLimits", "(*msgBlock).writeMsgRecord")
        + used(4000, "getMsgBlockBuf", "(*fileStore).loadLast")
        + used(50000, "(*msgBlock).recompressOnDiskIfNeeded")
        + used(600000, "(*stream).storeMsgIdLocked")
        + "0: 0 [9: 99] @ 0x1 0x2\n" + _STACK.format("(*client).readLoop")
        + "\n# runtime.MemStats\n# Sys = 90000000\n# HeapSys = 20000000\n"
    )  # fmt: skip
    assert uses.blocks == {
        WRITTEN: 1,
        FULL: 320,
        "blocks that are looked in": 4000,
        "blocks that are compressed": 50000,
    }
    assert uses.all == 70654321
