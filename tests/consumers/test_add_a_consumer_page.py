"""docs/ADD_A_CONSUMER.md followed to the letter: what it writes runs as a process against a real server."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nats.errors import NoRespondersError

from contracts import codec, streams, subjects
from contracts.signals import WhaleTrade
from runtime.clock import now_ns
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import ALL
from runtime.servers.embedded import nats_server

pytestmark = [pytest.mark.nats, pytest.mark.docs, pytest.mark.timeout(120)]
ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/ADD_A_CONSUMER.md").read_text()
BLOCK = re.compile(r"^`([\w/.]+)`\n```(python|diff)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def hunks(patch: str) -> Iterator[tuple[str, list[str]]]:
    """Give each line of context with the lines that follow it."""
    added: list[str] = []
    context = ""
    for line in patch.splitlines():
        if line.startswith("+"):
            added.append(line[1:])
            continue
        if added:
            yield context, added
        context, added = line[1:], []
    yield context, added


def follow(page: str, project: Path) -> list[str]:
    """Write what the page says into a copy of the project; give the files."""
    written: list[str] = []
    for name, kind, text in BLOCK.findall(page):
        path = project / name
        if kind == "python":
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        else:
            lines = path.read_text().splitlines()
            for context, added in hunks(text):
                assert lines.count(context) == 1, f"{name}: the page's line {context!r}"
                place = lines.index(context) + 1
                lines[place:place] = added
            path.write_text("\n".join(lines) + "\n")
        written.append(name)
    return written


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for package in ("contracts", "runtime", "consumers"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def whale(number: int, venue: str) -> bytes:
    fields: dict[str, Any] = dict.fromkeys(WhaleTrade.model_fields) | {
        "late": False,
        "id": f"w{number}",
        "venue": venue,
        "symbol": "BTC/USDT",
        "ts_recv": now_ns(),
        "sim": False,
        "side": "buy",
        "price": "1",
        "amount": "1",
        "usd_value": "1",
        "usd_rate": "1",
        "usd_rate_source": "peg",
        "tier": "majors",
        "threshold_usd": "1",
        "trade_ids": [f"t{number}"],
        "rule": "whale/1",
    }
    return codec.encode(codec.fast(WhaleTrade)(**fields))


async def count(bus: Bus, venue: str) -> int:
    reply = await bus.client.request("cmd.v1.pulse.count", json.dumps({"venue": venue}).encode(), timeout=5)
    return json.loads(reply.data)["whales"]


def test_the_consumer_is_short() -> None:
    handlers = {name: text for name, _, text in BLOCK.findall(PAGE)}["consumers/pulse/handlers.py"]
    assert len(handlers.splitlines()) < 40


async def test_the_pages_consumer_counts_replies_and_buries_what_it_cannot_read(project: Path) -> None:
    assert len(follow(PAGE, project)) == 9
    async with nats_server(project / "data") as server:
        environ = {**os.environ, "NATS_URL": server.url, "HYDROPHONE_DATA": str(project), "PYTHONPATH": str(project)}

        async def start(*arguments: str) -> asyncio.subprocess.Process:
            return await asyncio.create_subprocess_exec(sys.executable, "-m", *arguments, env=environ, cwd=project)

        assert await (await start("runtime.provision", "--trust-sync")).wait() == 0
        process = await start("consumers", "pulse")
        bus = await Bus(BusOptions(servers=(server.url,), name="test")).connect()
        js = bus.jetstream()
        async with asyncio.timeout(60):
            while True:
                try:
                    assert await count(bus, "okx") == 0
                    break
                except NoRespondersError:
                    assert process.returncode is None
                    await asyncio.sleep(0.1)
            await js.publish(f"{subjects.WHALE}okx.BTC.USDT.spot", b'{"id": 7}')
            for number, venue in enumerate(("okx", "okx", "kraken")):
                await js.publish(f"{subjects.WHALE}{venue}.BTC.USDT.spot", whale(number, venue))
            while (await count(bus, "okx"), await count(bus, "kraken")) != (2, 1):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        refused = json.loads((await bus.client.request("cmd.v1.pulse.count", b"{}", timeout=5)).data)
        assert refused["error"]["code"] == "INVALID_PARAMETER"
        letters = await read_past(bus, streams.DLQ, ("dlq.v1.pulse.>",), ALL)
        assert [row.payload for row in letters] == [b'{"id": 7}']
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 30) == 0
        await bus.close()
