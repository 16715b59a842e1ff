"""The child servers: readiness, restart on the same store, errors that show the log, no orphans."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import nats as nats_py
import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from nats.errors import Error as NatsError

from runtime.servers.bus_users import BusUsers
from runtime.servers.child import Child, ServerNotReadyError
from runtime.servers.document_user import ENGINE_FILE
from runtime.servers.embedded import FREE_PORTS, MOST_CHANGES, NatsServer, document_server, free_port, nats_server

Eventually = Callable[[Callable[[], bool]], Awaitable[None]]


async def test_restarted_server_keeps_port_and_store(tmp_path: Path) -> None:
    async with nats_server(tmp_path) as server:
        client = await nats_py.connect(server.url)
        await client.jetstream().add_stream(name="KEPT", subjects=["kept"])
        await client.close()
        await server.kill()
        await server.start()
        client = await nats_py.connect(server.url)
        assert (await client.jetstream().stream_info("KEPT")).config.name == "KEPT"
        await client.close()


async def test_config_with_the_passwords_is_private(tmp_path: Path) -> None:
    async with nats_server(tmp_path, users=BusUsers(admin="secret-word")) as server:
        assert "secret-word" in server.url
        assert stat.S_IMODE((tmp_path / "nats.conf").stat().st_mode) == 0o600


async def test_document_server_answers_the_wire_protocol(tmp_path: Path) -> None:
    async with document_server(tmp_path) as documents:
        port = int(documents.url.split(":")[3].split("/")[0])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()


async def test_document_server_forgets_changes_that_nobody_follows(tmp_path: Path) -> None:
    async with document_server(tmp_path) as documents:
        client: Any = AsyncIOMotorClient(documents.url)
        kept = client["hydrophone"]["numbers"]
        for first in range(0, 4 * MOST_CHANGES, MOST_CHANGES):
            await kept.insert_many([{"_id": first + at} for at in range(MOST_CHANGES)])
        assert await client["local"]["oplog.rs"].count_documents({}) < 3 * MOST_CHANGES
        assert await kept.count_documents({}) == 4 * MOST_CHANGES
        client.close()


async def test_document_server_keeps_the_buffers_of_its_log_small(tmp_path: Path) -> None:
    async with document_server(tmp_path) as server:
        rows = AsyncIOMotorClient[dict[str, object]](server.url)["any"]["rows"]
        for number in range(20):
            await rows.insert_one({"n": number, "text": "x" * 100_000})
        logs = [path.stat().st_size for path in (tmp_path / "documents").glob("WiredTigerLog.*")]
        assert len(logs) > 2
        assert max(logs) < 500_000, "by default 10 MB, and 128 buffers of 256 kB"


async def test_a_store_whose_log_had_large_files_is_taken_as_it_is(tmp_path: Path) -> None:
    config = tmp_path / "documents" / ENGINE_FILE
    async with document_server(tmp_path) as server:
        await server.child.stop()
        config.unlink()
        await server.child.start()
        rows = AsyncIOMotorClient[dict[str, object]](server.url)["any"]["rows"]
        await rows.insert_many([{"_id": number, "text": "x" * 50_000} for number in range(20)])
        await server.child.kill()
    assert not config.exists()
    async with document_server(tmp_path) as server:
        rows = AsyncIOMotorClient[dict[str, object]](server.url)["any"]["rows"]
        assert config.exists()
        assert await rows.count_documents({}) == 20


async def test_wrong_password_is_refused(nats: NatsServer) -> None:
    host = nats.url.rsplit("@", 1)[1]
    with pytest.raises(NatsError, match="Authorization"):
        await nats_py.connect(f"nats://admin:wrong@{host}", allow_reconnect=False)


async def test_failed_start_shows_the_last_log_lines(tmp_path: Path) -> None:
    async def never() -> None:
        raise OSError("closed")

    child = Child("broken", [sys.executable, "-c", "print('disk is full'); exit(3)"], tmp_path / "log", never)
    with pytest.raises(ServerNotReadyError, match=r"(?s)code 3.*disk is full"):
        await child.start()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills children with their parent")
async def test_server_dies_with_its_killed_parent(tmp_path: Path, eventually: Eventually) -> None:
    code = textwrap.dedent("""
        import asyncio, sys
        from pathlib import Path
        from runtime.servers.embedded import nats_server
        async def main():
            async with nats_server(Path(sys.argv[1])) as server:
                print(server.pid, flush=True)
                await asyncio.sleep(60)
        asyncio.run(main())
    """)
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(await asyncio.to_thread(parent.stdout.readline))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    await eventually(lambda: not _alive(pid))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_a_free_port_is_given_once_and_taken_by_no_outgoing_connection() -> None:
    given = [free_port() for _ in range(200)]
    assert len(set(given)) == len(given)
    assert set(given) <= set(FREE_PORTS)
    assert FREE_PORTS.stop <= 32_768  # where Linux begins with those of outgoing connections
