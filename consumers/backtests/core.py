"""Backtests as they are kept, as jobs for a worker, and as their owner sees them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import msgspec

from contracts.arithmetic.moments import as_datetime, read_moment
from contracts.services.trading.backtests import (
    DEFAULT_FEE_PERCENT,
    DEFAULT_MIN_COVERAGE,
    BacktestFill,
    BacktestInfo,
    BacktestStatus,
    BacktestTerms,
    CreateBacktest,
    EquityPoint,
)
from runtime.backtests.job import Job, JobFill, JobResult

MOST_BEGUN: Final = 3  # what has ended every process that worked on it is given up


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One backtest of an owner; what it came to is None until it has ended. Times are ns UTC."""

    id: str
    owner: str
    exchange: str
    status: BacktestStatus
    created_ns: int
    terms: BacktestTerms
    begun: int = 0  # how often it was worked on
    result: JobResult | None = None


def keep(request: CreateBacktest, backtest_id: str, exchange: str, now_ns: int) -> Kept:
    """Return a backtest as it begins."""
    terms = BacktestTerms.model_validate(request.model_dump())
    return Kept(id=backtest_id, owner=request.owner, exchange=exchange, status="queued", created_ns=now_ns, terms=terms)


def job_of(kept: Kept, own: str | None) -> Job:
    """Return what a worker is given."""
    terms = kept.terms
    fee, least = terms.fee_percent, terms.min_coverage
    return Job(
        id=kept.id,
        owner=kept.owner,
        kind=terms.strategy.kind,
        symbol=terms.strategy.symbol,
        params=terms.strategy.params,
        exchange=kept.exchange,
        begin_ns=read_moment(terms.from_),
        end_ns=min(read_moment(terms.to), kept.created_ns),
        balance={name: f"{amount:f}" for name, amount in terms.balance.items()},
        fee_percent=DEFAULT_FEE_PERCENT if fee is None else f"{fee:f}",
        min_coverage=DEFAULT_MIN_COVERAGE if least is None else f"{least:f}",
        own=own,
    )


def describe(kept: Kept, *, whole: bool = True) -> BacktestInfo:
    """Return a backtest as its owner sees it; not `whole` without its curve and its executions."""
    result = kept.result or JobResult(status=kept.status)
    return BacktestInfo(
        **{name: getattr(kept.terms, name) for name in BacktestTerms.model_fields if name != "exchange"},
        exchange=kept.exchange,
        id=kept.id,
        status=kept.status,
        reason=result.reason,
        created_at=as_datetime(kept.created_ns),
        coverage=_number(result.coverage),
        trades=result.trades,
        fees=None if result.fees is None else {name: Decimal(fee) for name, fee in result.fees.items()},
        pnl=_number(result.pnl),
        pnl_currency=result.pnl_currency,
        max_drawdown=_number(result.max_drawdown),
        exposure=_number(result.exposure),
        events=result.events if kept.result is not None else None,
        decisions=result.decisions,
        equity=[EquityPoint(time=as_datetime(ts), value=Decimal(value)) for ts, value in result.equity if whole],
        fills=[_fill(fill) for fill in result.fills if whole],
    )


def write_result(result: JobResult) -> str:
    """Return a result as it is kept."""
    return msgspec.json.encode(result).decode()


def read_result(text: str) -> JobResult:
    """Return the result that was kept."""
    return msgspec.json.decode(text, type=JobResult)


def _fill(fill: JobFill) -> BacktestFill:
    return BacktestFill(
        time=as_datetime(fill.ts),
        side="buy" if fill.side == "buy" else "sell",
        amount=Decimal(fill.amount),
        price=Decimal(fill.price),
        fee=Decimal(fill.fee),
        fee_currency=fill.fee_currency,
        realized_pnl=Decimal(fill.realized_pnl),
    )


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
