"""The command line of backtests: a strategy over what the streams recorded, its figures on standard output.

Who has the settings hands over where the bus is, and where own strategies are.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import msgspec

from contracts.arithmetic.moments import as_datetime, read_moment
from contracts.errors import HydrophoneError, NoDataError
from contracts.services.trading.backtests import DEFAULT_FEE_PERCENT, DEFAULT_MIN_COVERAGE
from runtime import clock
from runtime.backtests.job import Job, JobResult, check
from runtime.backtests.recorded import find_exchange
from runtime.backtests.running import run_recorded
from runtime.nats.bus import Bus, BusOptions
from runtime.strategies.loading import Kinds
from runtime.trading.rules import paper_rules

REFUSED: Final = 3  # the status of one that was refused for its coverage
_OWNER: Final = "command-line"


def parse(prog: str, arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; wrong ones end the process with status 2 and say why."""
    parser = argparse.ArgumentParser(prog=prog, description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("kind", help="dca, grid, tpsl, or the name of an own strategy")
    parser.add_argument("symbol", help="a spot pair, like BTC/USDT")
    parser.add_argument("--params", type=_params, default={}, help="of the strategy, as a JSON object")
    parser.add_argument("--exchange", help="whose recorded events; by default that with most trades of the symbol")
    parser.add_argument("--from", dest="begin", type=_moment, required=True, help="ISO 8601, or seconds since 1970")
    parser.add_argument("--to", dest="end", type=_moment, help="by default now")
    parser.add_argument("--balance", type=_amount, action="append", required=True, help="USDT=10000; may come again")
    parser.add_argument("--fee-percent", type=_decimal, default=DEFAULT_FEE_PERCENT, help="of each execution's value")
    parser.add_argument(
        "--min-coverage", type=_decimal, default=DEFAULT_MIN_COVERAGE, help="percent of the span that must have data"
    )
    parser.add_argument("--picture", type=Path, help="write the equity curve into this file, as PNG")
    parser.add_argument("--json", action="store_true", help="print the whole result as JSON")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace, bus: BusOptions, own: Path | None) -> int:
    """Run one, print what it came to, and return the status: 2 where it cannot be run, 3 where it is refused."""
    try:
        job, result = asyncio.run(_run(options, bus, own))
    except HydrophoneError as error:
        sys.stderr.write(f"{error.message}\n")
        return 2
    if options.json:
        sys.stdout.write(f"{msgspec.json.encode(result).decode()}\n")
    else:
        sys.stdout.write("\n".join((*_say(job, result), "")))
    if result.status == "done" and options.picture is not None:
        options.picture.write_bytes(import_module("runtime.backtests.picture").draw_result(job, result))
    return {"done": 0, "refused": REFUSED}.get(result.status, 2)


async def _run(options: argparse.Namespace, where: BusOptions, own: Path | None) -> tuple[Job, JobResult]:
    paper_rules(options.symbol)
    kind = Kinds(own).find(options.kind)
    bus = await Bus(where).connect()
    try:
        exchange = options.exchange or await find_exchange(bus, options.symbol)
        if exchange is None:
            raise NoDataError(f"No trades of {options.symbol} are recorded", symbol=options.symbol)
        now_ns = clock.now_ns()
        job = Job(
            id=secrets.token_hex(8),
            owner=_OWNER,
            kind=options.kind,
            symbol=options.symbol,
            params=options.params,
            exchange=exchange,
            begin_ns=options.begin,
            end_ns=now_ns if options.end is None else min(options.end, now_ns),
            balance=dict(options.balance),
            fee_percent=options.fee_percent,
            min_coverage=options.min_coverage,
            own=None if own is None else str(own),
        )
        check(job, kind)
        return job, await run_recorded(bus, job, kind)
    finally:
        await bus.close()


def _say(job: Job, result: JobResult) -> list[str]:
    """Return the lines that say what it came to."""
    begin, end = as_datetime(job.begin_ns), as_datetime(job.end_ns)
    lines = [
        f"{job.kind} {job.symbol} on {job.exchange}, {begin:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} UTC",
        f"status        {result.status}{'' if result.reason is None else f': {result.reason}'}",
        f"coverage      {result.coverage} %, {result.events} events",
    ]
    if result.status == "done":
        fees = ", ".join(f"{fee} {name}" for name, fee in (result.fees or {}).items())
        lines += [
            f"trades        {result.trades}",
            f"fees          {fees or 'none'}",
            f"pnl           {result.pnl} {result.pnl_currency}",
            f"max drawdown  {result.max_drawdown} %",
            f"exposure      {result.exposure} %",
            f"decisions     sha256 {result.decisions}",
        ]
    return lines


def _params(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise argparse.ArgumentTypeError(f"not a JSON object: {error}") from error


def _moment(text: str) -> int:
    return read_moment(text)


def _amount(text: str) -> tuple[str, str]:
    currency, _, amount = text.partition("=")
    if not currency:
        raise argparse.ArgumentTypeError(f"{text!r} is not like USDT=10000")
    return currency, _decimal(amount)


def _decimal(text: str) -> str:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
    if not value.is_finite() or value < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount")
    return f"{value:f}"
