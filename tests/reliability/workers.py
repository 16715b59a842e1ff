"""Workers as processes, a bus with their durable, and jobs for them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from contracts.streams import SIGNALS
from runtime import provision
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import DocumentServer, document_server, nats_server
from tests.reliability.worker import SPEC, SUBJECT


class Bench:
    """The servers, a connection, and what the workers print."""

    def __init__(self, url: str, bus: Bus, documents: DocumentServer) -> None:
        self.url, self.bus, self.documents = url, bus, documents
        self.lines: list[str] = []

    async def publish(self, count: int) -> None:
        """Queue so many jobs, numbered from 0."""
        for number in range(count):
            headers = {"Nats-Msg-Id": f"job{number}"}
            await self.bus.publish_acked(SUBJECT, b"%d" % number, headers=headers, stream=SIGNALS)

    async def work(self, seed: int, die: float) -> None:
        """Run one worker until it has died."""
        script = str(Path(__file__).with_name("worker.py"))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, script, self.url, self.documents.url, str(seed), str(die)),
            stdout=asyncio.subprocess.PIPE,
            env={"PYTHONPATH": str(Path.cwd())},
        )
        try:
            assert process.stdout is not None
            async for line in process.stdout:
                self.lines.append(line.decode().strip())
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def left(self) -> int:
        """How many jobs are not acknowledged."""
        info = await provision.call(self.bus, f"CONSUMER.INFO.{SIGNALS}.{SPEC.name}")
        return int(info["num_pending"]) + int(info["num_ack_pending"])


@asynccontextmanager
async def bench(folder: Path) -> AsyncGenerator[Bench]:
    """Begin empty, with the durable declared."""
    async with nats_server(folder / "bus") as server, document_server(folder / "documents") as documents:
        bus = await Bus(BusOptions(servers=(server.url,), name="bench")).connect()
        await provision.apply(bus, replace(provision.declared(synced=True), durables=(SPEC,)))
        yield Bench(server.url, bus, documents)
        await bus.close()
