"""A session of a strategy on live paper, recorded into a file, and the backtest of that file.

A line of the file is a JSON object: a recorded message (`at`, `subject`, `body`), a `decision`, a `fill`, or how the
session began (`begin`).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from contracts import subjects
from runtime.backtests.decisions import Difference, first_difference, line_of
from runtime.backtests.job import MOST_FILLS, Job, JobResult, Row
from runtime.backtests.running import run_rows
from runtime.store import Store
from runtime.trading.figures import Fees
from tests.runtime.backtests.live import LivePaper
from tests.runtime.backtests.simulated import (
    ACCOUNT,
    DCA,
    GRID,
    OWNER,
    SECOND,
    START,
    STRATEGY,
    SYMBOL,
    TAIL,
    definition,
    market,
    terms,
)

TPSL = {
    "amount": "2",
    "take_profit": [{"percent": "0.2", "share": "50"}, {"percent": "0.5", "share": "50"}],
    "stop_percent": "1",
    "trailing_percent": "0.5",
}
PARAMS: dict[str, dict[str, Any]] = {"grid": GRID, "dca": {**DCA, "interval_seconds": 20}, "tpsl": TPSL}
FEE = Decimal("0.002")
BALANCE = {"USDT": "10000", "BTC": "2"}
PREFIX = {"trade": subjects.TRADE, "ticker": subjects.TICKER, "book": subjects.BOOK}


@dataclass(frozen=True)
class Compared:
    """How a backtest of a recorded session went; `difference` is the first, None where there is none."""

    events: int
    decisions: int
    fills: int
    difference: Difference | None


async def record(path: Path, kind: str, seconds: int, store: Store, seed: int = 3) -> None:
    """Run a session on live paper and write down what it saw and did."""
    balance = {name: Decimal(amount) for name, amount in BALANCE.items()}
    asked = terms(definition(kind, PARAMS[kind]), seconds, balance=balance, fees=Fees(FEE, FEE))
    live = LivePaper(asked, store)
    events = list(market(seed, seconds))
    await live.run(events)
    with path.open("w") as out:
        lines: list[dict[str, Any]] = [{"begin": {"kind": kind, "seconds": seconds}}]
        lines += [
            {"at": now_ns, "subject": PREFIX[event.kind] + TAIL, "body": event.model_dump_json()}
            for event, now_ns in events
        ]
        lines += [{"decision": line_of(decided)} for decided, _ in live.decided]
        lines += [{"fill": [fill.side, f"{fill.amount:f}", f"{fill.price:f}", f"{fill.fee:f}"]} for fill in live.fills]
        out.writelines(json.dumps(line) + "\n" for line in lines)


async def compare(path: Path) -> Compared:
    """Backtest a recorded session in a worker, and compare decisions and executions byte for byte."""
    begin: dict[str, Any] = next(read(path))["begin"]
    result = await run_rows(_job(begin), _rows(path))
    recorded = list(read(path))
    decisions = [line["decision"] for line in recorded if "decision" in line]
    fills = [json.dumps(line["fill"]) for line in recorded if "fill" in line]
    again = [json.dumps([fill.side, fill.amount, fill.price, fill.fee]) for fill in result.fills]
    difference = (
        first_difference(decisions, result.lines) or first_difference(fills[:MOST_FILLS], again) or _failure(result)
    )
    return Compared(result.events, len(decisions), len(fills), difference)


def _failure(result: JobResult) -> Difference | None:
    return None if result.status == "done" else Difference(0, "done", f"{result.status}: {result.reason}")


def read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open() as lines:
        for line in lines:
            yield json.loads(line)


async def _rows(path: Path) -> AsyncIterator[list[Row]]:
    yield [(line["subject"], line["body"].encode(), line["at"]) for line in read(path) if "subject" in line]


def _job(begin: dict[str, Any]) -> Job:
    return Job(
        id=STRATEGY,
        owner=OWNER,
        kind=begin["kind"],
        symbol=SYMBOL,
        params=PARAMS[begin["kind"]],
        exchange="binance",
        begin_ns=START,
        end_ns=START + begin["seconds"] * SECOND,
        balance=BALANCE,
        fee_percent=f"{FEE * 100:f}",
        min_coverage="99",
        account=ACCOUNT,
        with_lines=True,
    )
