"""A power cut: what was acknowledged is on the disk where the server syncs always, and is lost where it does not.

The server writes onto an ext4 image. The image's file has what was synced; what only the page cache has is not in it.
A copy of that file, made while commands are acknowledged, is the disk of a machine whose power went at that moment.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime.nats.bus import Bus, BusOptions
from runtime.servers.answers import nats_answers
from runtime.servers.child import Child
from runtime.servers.embedded import NatsConfig, free_port, nats_command, nats_url, save_nats_config
from tests.deploy.filesystem import small_disk
from tests.reliability.load import Load, stored

Note = Callable[[str, object], None]
pytestmark = [pytest.mark.nats, pytest.mark.long, pytest.mark.timeout(300)]
COMMANDS = 2000


def server(place: Path, *, sync_always: bool) -> tuple[Child, str]:
    config = NatsConfig(place, free_port(), free_port(), sync_always=sync_always, max_bytes=100_000_000)
    argv = nats_command(save_nats_config(config))
    ready = lambda: nats_answers(config.port, config.monitor_port)  # noqa: E731
    return Child("nats-server", argv, place.parent / "nats.log", ready), nats_url(
        config.port, "admin", config.users.admin
    )


@contextmanager
def mounted(image: Path, place: Path) -> Generator[Path]:
    place.mkdir()
    subprocess.run(["mount", "-o", "loop", image, place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


async def cut_power(folder: Path, *, sync_always: bool) -> tuple[int, int]:
    """Return how many commands were acknowledged before the cut, and how many of them are lost."""
    with small_disk(folder, 300) as place:
        child, url = server(place / "bus", sync_always=sync_always)
        await child.start()
        bus = await Bus(BusOptions(servers=(url,), name="test")).connect()
        load = Load(bus)
        await load.create()
        os.sync()  # the file system, the empty stream and its place are there before
        running = asyncio.create_task(load.run(1_000_000))
        await load.until(COMMANDS)
        os.kill(child.pid, 19)  # nothing is written after what is counted
        acked = set(load.acked)
        shutil.copyfile(folder / "disk.img", folder / "cut.img")
        running.cancel()
        await asyncio.wait({running})
        await bus.close(timeout=1)
        await child.kill()
    with mounted(folder / "cut.img", folder / "after") as place:
        child, url = server(place / "bus", sync_always=True)
        await child.start()
        bus = await Bus(BusOptions(servers=(url,), name="test")).connect()
        found = await stored(bus.client, load.stream)
        await bus.close()
        await child.kill()
    return len(acked), len(acked - found.keys())


@pytest.mark.parametrize("sync_always", [True, False], ids=["always synced", "the server's default"])
async def test_power_is_cut_while_commands_are_acknowledged(
    tmp_path: Path, record_property: Note, sync_always: bool
) -> None:
    acked, lost = await cut_power(tmp_path, sync_always=sync_always)
    record_property("figure", f"{'always synced' if sync_always else 'default'}: {lost} of {acked} acknowledged lost")
    assert acked >= COMMANDS
    assert lost == 0 if sync_always else lost > 0
