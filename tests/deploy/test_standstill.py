"""A document server that many writers bring to a standstill: it is noticed, started again, and has what it accepted."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.launch import decide_layout
from deploy.parts import own_servers
from deploy.supervisor import Supervisor
from runtime.config.settings import load
from runtime.servers.document_user import find_document_python

pytestmark = pytest.mark.skipif(find_document_python() is None, reason="no document server for this Python")
WRITERS = 30
MOST_BATCHES = 100  # of each writer: some fifty of all are enough
BATCH = 500
INDEXES = (("ts", "number"), ("owner", "ts"), ("rule", "ts"))


def write_until_refused(url: str, writer: int) -> list[int]:
    """Write batches until the server goes away; return the numbers of the documents that it has accepted.

    The entries of all writers lie side by side in the indexes: it is by this that they keep each other waiting.
    """
    accepted: list[int] = []
    with MongoClient[dict[str, object]](url) as client:
        for batch in range(MOST_BATCHES):
            first = (writer * MOST_BATCHES + batch) * BATCH
            documents: list[dict[str, object]] = [
                {"_id": number, "number": number, "ts": number % BATCH, "owner": None, "rule": None, "text": "x" * 640}
                for number in range(first, first + BATCH)
            ]
            try:
                client["filled"]["documents"].insert_many(documents)
            except PyMongoError:
                break
            accepted += range(first, first + BATCH)
    return accepted


def missing(url: str, numbers: list[int]) -> set[int]:
    with MongoClient[dict[str, object]](url) as client:
        found = {document["_id"] for document in client["filled"]["documents"].find({}, {"_id": 1})}
        return set(numbers) - found


@pytest.fixture
async def said() -> list[str]:
    """What the supervisor said."""
    return []


@pytest.fixture
async def url(tmp_path: Path, said: list[str]) -> AsyncIterator[str]:
    """A document server that is kept running and asked each second."""
    layout = decide_layout("demo", tmp_path, load())
    supervisor = Supervisor(tmp_path / "logs", Path.cwd(), said.append, asked_every=1.0)
    for part in own_servers(layout, dict(os.environ)):
        if part.name.startswith("documents"):
            await supervisor.start(part)
    assert layout.documents_url is not None
    yield layout.documents_url
    await supervisor.stop()


@pytest.mark.timeout(180)
async def test_standstill_ends_with_a_new_start_and_nothing_accepted_is_lost(url: str, said: list[str]) -> None:
    with MongoClient[dict[str, object]](url) as client:
        for keys in INDEXES:
            client["filled"]["documents"].create_index([(key, 1) for key in keys])
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(WRITERS) as pool:
        accepted = await asyncio.gather(
            *(loop.run_in_executor(pool, write_until_refused, url, writer) for writer in range(WRITERS))
        )
    numbers = [number for of_writer in accepted for number in of_writer]
    assert numbers
    assert await asyncio.to_thread(missing, url, numbers) == set()
    assert said[0] == "documents did not answer for 6 s and is killed"
    assert said[-1] == "documents runs again"
