"""The simulator as a process of its own: ready file, control over HTTP, a clean end."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from tests.producers.simulator.client import Levels, eventually, get, read_some, read_until, truth
from tests.producers.simulator.conftest import StartSimulator


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    ready = tmp_path / "ready.json"
    command = ["-m", "producers.simulator", "--venues", "binance,okx", "--bases", "BTC", "--seed", "3", "--rate", "4"]
    child = await asyncio.create_subprocess_exec(sys.executable, *command, "--ready-file", str(ready))
    try:
        await eventually(ready.exists, 15)
        yield child, f"127.0.0.1:{json.loads(ready.read_text())['port']}"
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def test_process_serves_obeys_orders_and_ends_cleanly(process: tuple[asyncio.subprocess.Process, str]) -> None:
    child, host = process
    async with connect(f"ws://{host}/binance/ws/btcusdt@depth@100ms") as ws:
        chain: list[int] = [(await read_until(ws, lambda frame: frame["e"] == "depthUpdate"))[-1]["u"]]
        fault = await get(f"http://{host}/_control/fault?venue=binance&kind=gap&count=1")
        assert fault.body == {"ok": True}

        def is_broken(frame: Any) -> bool:
            before, chain[:] = list(chain), [frame["u"]]
            return frame["U"] != before[0] + 1

        await read_until(ws, is_broken)
        assert (await get(f"http://{host}/_control/pause")).body == {"ok": True}
        book = (await get(f"http://{host}/_control/book?venue=binance&market=spot&symbol=BTCUSDT")).body
        body = (await get(f"http://{host}/binance/api/v3/depth?symbol=BTCUSDT&limit=5000")).body
        levels = Levels()
        levels.put(body["bids"], body["asks"])
        assert book["seq"] == body["lastUpdateId"]
        assert levels.sides() == tuple([tuple(row) for row in side] for side in truth(book))
        assert (await get(f"http://{host}/_control/cut?venue=binance")).body == {"cut": True}
    child.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(child.wait(), 10) == 0


@pytest.mark.parametrize(
    ("order", "status", "name"),
    [
        ("fault?venue=binance&kind=melt", 400, "kind"),
        ("fault?kind=gap", 400, "venue"),
        ("fault?venue=okx&kind=gap", 400, "venue"),
        ("fault?venue=binance&kind=gap&count=x", 400, "count"),
        ("fault?venue=binance&kind=gap&colour=red", 400, "colour"),
        ("book?venue=binance&market=spot&symbol=NOPE", 400, "symbol"),
        ("dance", 404, "dance"),
    ],
)
async def test_bad_order_names_the_parameter(start: StartSimulator, order: str, status: int, name: str) -> None:
    sim = await start("binance")
    answer = await get(f"http://127.0.0.1:{sim.port}/_control/{order}")
    assert answer.status == status
    assert answer.body["error"].startswith(f"{name}:")


async def test_paused_market_stands_still_and_resumes(start: StartSimulator) -> None:
    sim = await start("binance")
    sim.pause()
    trades, book = dict(sim.trades), sim.book("binance", "spot", "BTCUSDT")
    async with connect(f"{sim.ws_url('binance')}/ws/btcusdt@ticker") as ws:
        await read_some(ws, lambda frame: frame["e"] == "24hrTicker", 1)
        assert (dict(sim.trades), sim.book("binance", "spot", "BTCUSDT")) == (trades, book)
        sim.resume()
        await eventually(lambda: sim.book("binance", "spot", "BTCUSDT")["seq"] > book["seq"])
