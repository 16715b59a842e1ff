"""The worker of backtests: same result as in this process, and nothing in it reaches out of it."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts import subjects
from contracts.errors import InvalidParameterError
from runtime.backtests.job import Job, JobRun, Row, check
from runtime.backtests.running import run_rows
from runtime.backtests.worker import run_job
from runtime.strategies.kinds import dca, grid
from tests.runtime.backtests.simulated import DCA, GRID, SECOND, START, TAIL, market

PREFIX = {"trade": subjects.TRADE, "ticker": subjects.TICKER, "book": subjects.SAMPLE_BOOK}
OWN = """
from decimal import Decimal
from collections.abc import Sequence
from contracts.services.trading.strategy_params import ParamsModel
from runtime.strategies.protocol import Kind, State

class Curious:
    def __init__(self, setup): pass
    def begin(self): return State()
    def decide(self, state, event, now_ns, /):
        {deed}
        return state, ()

KIND = Kind("curious", Curious, ParamsModel, State)
"""


def job(**fields: Any) -> Job:
    values: dict[str, Any] = {
        "id": "00000000000000bb",
        "owner": "alice",
        "kind": "grid",
        "symbol": "BTC/USDT",
        "params": GRID,
        "exchange": "binance",
        "begin_ns": START,
        "end_ns": START + 120 * SECOND,
        "balance": {"USDT": "10000"},
        "fee_percent": "0.1",
        "min_coverage": "99",
    }
    return Job(**(values | fields))


def rows(seconds: int = 120, seed: int = 3) -> list[Row]:
    return [
        (f"{PREFIX[event.kind]}{TAIL}", event.model_dump_json().encode(), now_ns)
        for event, now_ns in market(seed, seconds)
    ]


async def parts(of: list[Row]) -> AsyncIterator[list[Row]]:
    for first in range(0, len(of), 100):
        yield of[first : first + 100]


def here(asked: Job, of: list[Row]) -> Any:
    batches: Iterator[list[Row]] = iter([of])
    return run_job(asked, batches)


async def test_a_worker_gives_the_result_that_this_process_gives() -> None:
    asked = job(with_lines=True)
    result = await run_rows(asked, parts(rows()))
    assert result == here(asked, rows())
    assert (result.status, result.coverage, result.pnl_currency) == ("done", "100.0000", "USDT")
    assert result.trades == len(result.fills) > 0
    assert len(result.lines) > 2
    assert result.decisions is not None


async def test_too_little_of_the_span_is_refused_with_the_figure_unless_it_is_asked_for() -> None:
    span = {"end_ns": START + 300 * SECOND}
    refused = here(job(**span), rows())
    assert (refused.status, refused.coverage, refused.trades) == ("refused", "59.8333", None)
    assert refused.reason == "59.8333 % of the span has data; 99 % are asked for"
    assert here(job(**span, min_coverage="59"), rows()).status == "done"
    assert here(job(), []).coverage == "0.0000"


async def test_what_the_ledger_knows_counts_in_place_of_the_events() -> None:
    known = here(job(unknown=[(START + 10 * SECOND, START + 11 * SECOND)]), rows()[:100])
    assert (known.status, known.coverage) == ("done", "99.1666")
    assert here(job(unknown=[]), []).coverage == "100.0000"
    assert here(job(unknown=[(START, START + 60 * SECOND)]), rows()).status == "refused"


async def test_messages_that_cannot_be_read_are_counted_and_left_out() -> None:
    odd = [("md.v1.trade.x", b"{", START), ("md.v1.funding.x", b"{}", START)]
    result = here(job(), [*odd, *rows()])
    assert (result.odd, result.status, result.events) == (2, "done", 240)


def curious(tmp_path: Path, deed: str) -> str:
    path = tmp_path / "curious.py"
    path.write_text(OWN.replace("{deed}", deed))
    return str(tmp_path)


@pytest.mark.parametrize(
    "deed",
    [
        "__builtins__['__import__']('socket').create_connection(('127.0.0.1', 1))",
        "__builtins__['__import__']('socket').getaddrinfo('localhost', 80)",
        "__builtins__['__import__']('subprocess').run(['true'])",
    ],
)
async def test_no_network_and_no_program_is_possible_in_a_worker(tmp_path: Path, deed: str) -> None:
    asked = job(kind="curious", own=curious(tmp_path, deed), params={})
    result = await run_rows(asked, parts(rows()))
    assert "is not possible in a backtest" in str(result.reason)


def test_the_engine_opens_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_named: Any) -> None:
        raise AssertionError("a backtest opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    running = JobRun(job(kind="dca", params=DCA), dca.KIND)
    running.take(rows())
    assert running.end().status == "done"


async def test_a_worker_that_cannot_go_on_is_a_failure_and_ends_with_whoever_feeds_it() -> None:
    async def broken() -> AsyncIterator[list[Row]]:
        yield rows(1)
        raise LookupError("the stream is gone")

    with pytest.raises(LookupError):
        await run_rows(job(), broken())
    bad = await run_rows(job(kind="nothing"), parts(rows(1)))
    assert (bad.status, bad.reason) == ("failed", "There is no strategy nothing")
    worse = await run_rows(job(fee_percent="much"), parts(rows(1)))
    assert worse.status == "failed"
    assert "status 1" in str(worse.reason)


@pytest.mark.parametrize(
    ("fields", "parameter"),
    [
        ({"balance": {"USDT": "1", "ETH": "1"}}, "balance"),
        ({"end_ns": START}, "to"),
        ({"symbol": "BTC/USDT:USDT"}, "symbol"),
        ({"symbol": "BTC"}, "symbol"),
        ({"params": GRID | {"levels": 1}}, "params.levels"),
    ],
)
def test_what_cannot_be_run_is_refused_by_name(fields: dict[str, Any], parameter: str) -> None:
    with pytest.raises(InvalidParameterError) as refused:
        check(job(**fields), grid.KIND)
    assert refused.value.details["parameter"] == parameter
