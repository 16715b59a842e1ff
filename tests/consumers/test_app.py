"""`faststream run consumers.app:app` and `faststream docs …`: the application by FastStream's own command line."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from nats.errors import NoRespondersError

from consumers.app import chosen
from consumers.registry import BY_ITSELF, CONSUMERS, NEED_DOCUMENTS, NEED_TELEGRAM
from contracts import subjects
from runtime import provision
from runtime.app.asyncapi import DOCUMENT
from runtime.config.settings import load
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import free_port, nats_server
from tests.runtime.asyncapi.valid import list_faults

ROOT = Path(__file__).resolve().parents[2]
FASTSTREAM = (sys.executable, "-m", "faststream")
QUERY = b'{"venue":"okx","symbol":"BTC/USDT","timeframe":"1m"}'


@pytest.mark.nats
@pytest.mark.timeout(120)
async def test_faststream_runs_the_consumers_that_the_settings_name_until_it_is_stopped(tmp_path: Path) -> None:
    async with nats_server(tmp_path) as server:
        bus = await Bus(BusOptions(servers=(server.url,), name="test")).connect()
        await provision.apply(bus, provision.declared(synced=True))
        environ = {**os.environ, "NATS_URL": server.url_of("consumers"), "HYDROPHONE_DATA": str(tmp_path)}
        process = await asyncio.create_subprocess_exec(
            *(*FASTSTREAM, "run", "consumers.app:app"),
            env=environ | {"HYDROPHONE_CONSUMERS": "candles,clusters"},
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(60):
            while True:
                try:
                    reply = await bus.client.request(subjects.CANDLES_LIST, QUERY, timeout=5)
                    break
                except NoRespondersError:
                    assert process.returncode is None
                    await asyncio.sleep(0.1)
        assert json.loads(reply.data)["error"] is None
        process.send_signal(signal.SIGTERM)
        output, _ = await asyncio.wait_for(process.communicate(), 40)
        assert process.returncode == 0
        ready = [line for line in output.splitlines() if b"consumer.ready" in line]
        assert sorted(name for line in ready for name in ("cache", "candles", "clusters") if name.encode() in line) == [
            "candles",
            "clusters",
        ], output.decode()
        await bus.close()


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*FASTSTREAM, *arguments],
        env={**os.environ, "NATS_URL": "nats://secret-token@127.0.0.1:4222", **environ},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("docs") / "asyncapi.json"
    done = run("docs", "gen", "consumers.app:app", "--out", str(path))
    assert done.returncode == 0, done.stderr
    assert "secret-token" not in path.read_text()
    return json.loads(path.read_text())


def test_asyncapi_of_an_application_is_the_document_of_the_bus_and_its_own_subscriptions(
    document: dict[str, Any],
) -> None:
    bus = json.loads((ROOT / DOCUMENT).read_text())
    assert document["asyncapi"] == "3.0.0"
    assert {key: document[key] for key in ("info", "servers")} == {key: bus[key] for key in ("info", "servers")}
    for message in bus["components"]["messages"].values():
        message.pop("examples", None)  # they are not where an application runs
    for kind in ("channels", "operations"):
        assert {name: document[kind][name] for name in bus[kind]} == bus[kind]
        assert {name.partition(":")[0] for name in document[kind].keys() - bus[kind]} == {
            "signal.v1.whale.>",
            "md.v1.liquidation.>",
        }
    for kind, parts in bus["components"].items():
        assert {name: document["components"][kind][name] for name in parts} == parts
    assert list_faults(document) == []


def find(document: dict[str, Any], reference: str) -> Any:
    target: Any = document
    for step in reference.removeprefix("#/").split("/"):
        target = target[unquote(step).replace("~1", "/").replace("~0", "~")]
    return target


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from [value] if key == "$ref" else references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = set(references(document))
    assert found
    for reference in found:
        assert find(document, reference)


def test_consumers_that_keep_documents_are_left_out_without_a_place_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MONGO_URL", "HYDROPHONE_CONSUMERS", "TELEGRAM_BOT_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NATS_URL", "nats://127.0.0.1:4222")
    together = set(CONSUMERS) - BY_ITSELF
    assert together - set(chosen(load())) == NEED_DOCUMENTS | NEED_TELEGRAM
    with pytest.raises(LookupError, match="analytics: documents are kept, and MONGO_URL is not set"):
        chosen(load(), ("analytics", "market"))
    with pytest.raises(LookupError, match="telegram: a bot sends, and TELEGRAM_BOT_TOKEN is not set"):
        chosen(load(), ("telegram",))
    monkeypatch.setenv("MONGO_URL", "mongodb://127.0.0.1:27017")
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "1234567:token-of-the-tests")
    assert set(chosen(load())) == together


def test_an_unknown_consumer_is_named() -> None:
    done = run("docs", "gen", "consumers.app:app", HYDROPHONE_CONSUMERS="cache,casche")
    assert done.returncode != 0
    assert "no such consumer: casche" in done.stderr + done.stdout


@pytest.mark.timeout(180)
async def test_docs_are_served() -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(*FASTSTREAM, "docs", "serve", "consumers.app:app", "--port", str(port)),
        env={**os.environ, "NATS_URL": "nats://127.0.0.1:4222"},
        cwd=ROOT,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(120):
            while True:
                assert process.returncode is None
                try:
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                    break
                except OSError:
                    await asyncio.sleep(0.1)
            writer.write(b"GET / HTTP/1.0\r\n\r\n")
            page = await reader.read()
            writer.close()
        process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.wait(), 20)
    finally:
        if process.returncode is None:
            process.kill()
    assert page.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200"))
    assert b"md.v1.trade." in page
