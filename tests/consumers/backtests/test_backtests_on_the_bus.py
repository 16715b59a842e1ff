"""Backtests by command on a real bus with documents: recorded streams in, figures and a picture out."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
import pytest_asyncio

from consumers.backtests.core import MOST_BEGUN, job_of, keep
from consumers.backtests.handlers import BacktestsPlan, run
from consumers.backtests.store import BacktestStore
from contracts import subjects
from contracts.errors import InvalidParameterError, LimitReachedError, NoDataError, NotFoundError
from contracts.services.trading import backtests as words
from runtime import clock
from runtime.backtests.recorded import find_exchange, read_recorded, sources_of
from runtime.clients.command_client import CommandClient
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer
from runtime.store import Store
from tests.consumers.execution.conftest import until
from tests.consumers.portfolio.conftest import database
from tests.running import running
from tests.runtime.backtests.simulated import GRID, SECOND, START, SYMBOL, TAIL, market

pytestmark = pytest.mark.nats
PREFIX = {"trade": subjects.TRADE, "ticker": subjects.TICKER, "book": subjects.SAMPLE_BOOK}
ROOT = Path(__file__).parents[3]
SECONDS = 40


async def record(bus: Bus, pace: float = 0.0) -> None:
    """Publish a market as the streams take it, an event in so many seconds."""
    for event, _ in market(3, SECONDS):
        body = event.model_dump_json().encode()
        await bus.jetstream().publish(f"{PREFIX[event.kind]}{TAIL}", body)
        await asyncio.sleep(pace)


@pytest_asyncio.fixture
async def documents_at(documents_url: str) -> str:
    return database(documents_url)


@pytest_asyncio.fixture
async def serving(server: NatsServer, documents_at: str) -> AsyncGenerator[None]:
    bus = await Bus(BusOptions(servers=(server.url,), name="backtests")).connect()
    async with running(bus, "backtests", partial(run, plan=BacktestsPlan(documents=documents_at, tick_seconds=0.05))):
        yield
    await bus.close()


def wanted(**fields: Any) -> words.CreateBacktest:
    now = datetime.now(UTC)
    values: dict[str, Any] = {
        "owner": "alice",
        "strategy": {"kind": "grid", "symbol": SYMBOL, "params": GRID},
        "from": (now - timedelta(seconds=60)).isoformat(),
        "to": (now + timedelta(seconds=60)).isoformat(),
        "balance": {"USDT": "10000"},
        "min_coverage": "0",
    }
    return words.CreateBacktest.model_validate(values | fields)


async def ended(client: CommandClient, owner: str, backtest_id: str) -> words.BacktestInfo:
    async def find() -> words.BacktestInfo | None:
        query = words.FindBacktest(owner=owner, id=backtest_id)
        info = await client.request("backtests.find", query, words.BacktestInfo)
        return info if info.status not in {"queued", "running"} else None

    return await until(find, 45)


@pytest.mark.usefixtures("serving")
async def test_a_backtest_is_run_over_what_the_streams_recorded(own: Bus) -> None:
    client = CommandClient(own)
    with pytest.raises(NoDataError, match="No trades of BTC/USDT are recorded"):
        await client.request("backtests.create", wanted(), words.BacktestInfo)
    await record(own, pace=0.02)
    created = await client.request("backtests.create", wanted(), words.BacktestInfo)
    assert (created.status, created.exchange, created.equity) == ("queued", "binance", [])
    strict = await client.request("backtests.create", wanted(min_coverage=None), words.BacktestInfo)
    info = await ended(client, "alice", created.id)
    assert (info.status, info.events, info.pnl_currency) == ("done", 2 * SECONDS, "USDT")
    assert info.trades == len(info.fills) > 0
    assert info.equity[-1].value - info.equity[0].value == info.pnl
    assert info.coverage is not None
    assert 0 < info.coverage < 99
    refused = await ended(client, "alice", strict.id)
    assert (refused.status, refused.trades) == ("refused", None)
    assert "99 % are asked for" in str(refused.reason)
    await check_faces(client, info, refused)


async def check_faces(client: CommandClient, info: words.BacktestInfo, refused: words.BacktestInfo) -> None:
    page = await client.request("backtests.list", words.ListBacktests(owner="alice"), words.BacktestPage)
    assert [item.id for item in page.items] == [refused.id, info.id]
    assert page.items[1] == info.model_copy(update={"equity": [], "fills": []})
    query = words.FindEquity(owner="alice", id=info.id)
    picture = await client.request("backtests.equity", query, words.EquityPicture)
    assert base64.b64decode(picture.png).startswith(b"\x89PNG\r\n")
    query = words.FindEquity(owner="alice", id=refused.id)
    with pytest.raises(NotFoundError, match="has no curve"):
        await client.request("backtests.equity", query, words.EquityPicture)
    with pytest.raises(NotFoundError):
        await client.request("backtests.find", words.FindBacktest(owner="bob", id=info.id), words.BacktestInfo)
    for fields in ({"balance": {"ETH": "1"}}, {"strategy": {"kind": "nothing", "symbol": SYMBOL}}):
        with pytest.raises(InvalidParameterError):
            await client.request("backtests.create", wanted(**fields), words.BacktestInfo)


async def test_what_was_begun_by_a_process_that_is_gone_is_run_once_more(
    server: NatsServer, own: Bus, documents_at: str
) -> None:
    await record(own)
    request = wanted()
    documents = Store(documents_at)
    store = BacktestStore(documents)
    kept = keep(request, token_hex(8), "binance", clock.now_ns())
    await store.create(kept)
    await store.begin(kept.id)
    hopeless = keep(request, token_hex(8), "binance", clock.now_ns())
    await store.create(hopeless)
    for _ in range(MOST_BEGUN):
        await store.begin(hopeless.id)
    bus = await Bus(BusOptions(servers=(server.url,), name="backtests")).connect()
    async with running(bus, "backtests", partial(run, plan=BacktestsPlan(documents=documents_at, tick_seconds=0.05))):
        assert (await ended(CommandClient(own), "alice", kept.id)).status == "done"
        given_up = await ended(CommandClient(own), "alice", hopeless.id)
        assert (given_up.status, given_up.reason) == ("failed", "it was begun 3 times and never ended")
    for _ in range(words.MOST_WAITING):
        await store.create(keep(request, token_hex(8), "binance", clock.now_ns() + 10**18))
    async with running(bus, "backtests", partial(run, plan=BacktestsPlan(documents=documents_at, tick_seconds=60))):
        with pytest.raises(LimitReachedError):
            await CommandClient(own).request("backtests.create", request, words.BacktestInfo)
    await bus.close()
    await documents.close()


async def test_recorded_rows_come_in_the_order_in_which_the_streams_took_them(own: Bus) -> None:
    begin = clock.now_ns()
    await record(own)
    assert await find_exchange(own, SYMBOL) == "binance"
    assert await find_exchange(own, "ETH/USDT") is None
    sources = sources_of("binance", SYMBOL, ("ticker", "candle.1m"))
    rows = [row async for part in read_recorded(own, sources, (begin, clock.now_ns())) for row in part]
    assert [row[1] for row in rows] == [event.model_dump_json().encode() for event, _ in market(3, SECONDS)]
    assert rows == sorted(rows, key=lambda row: row[2])
    half = rows[len(rows) // 2][2]
    early = [row async for part in read_recorded(own, sources, (begin, half)) for row in part]
    assert early == [row for row in rows if row[2] < half]


def test_terms_that_are_left_out_are_the_stated_ones() -> None:
    kept = keep(wanted(**{"min_coverage": None, "from": str(START // SECOND)}), "00" * 8, "okx", 1)
    job = job_of(kept, None)
    assert (job.fee_percent, job.min_coverage, job.begin_ns, job.exchange) == ("0.3", "99", START, "okx")
    assert job.end_ns == kept.created_ns  # the end that was asked for is still to come
    assert Decimal(job.balance["USDT"]) == 10_000


async def test_the_command_line_prints_the_figures_and_writes_the_picture(
    server: NatsServer, own: Bus, tmp_path: Path
) -> None:
    await record(own, pace=0.02)
    begin = (datetime.now(UTC) - timedelta(seconds=30)).isoformat()
    picture = tmp_path / "equity.png"
    said = await command_line(server, "--from", begin, "--min-coverage", "0", "--picture", str(picture))
    assert said[0] == 0
    assert f" %, {2 * SECONDS} events" in said[1]
    assert "max drawdown" in said[1]
    assert picture.read_bytes().startswith(b"\x89PNG\r\n")


async def command_line(server: NatsServer, *arguments: str) -> tuple[int | None, str]:
    given = ("grid", SYMBOL, "--params", json.dumps(GRID), "--balance", "USDT=10000", *arguments)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "consumers.strategies", "backtest", *given),
        cwd=ROOT,
        env={**os.environ, "NATS_URL": server.url_of("backtests")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, out.decode()
