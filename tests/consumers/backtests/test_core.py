"""A backtest as it is kept, as a job and as its owner sees it, without a bus or documents."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from consumers.backtests import core
from consumers.backtests.core import Kept
from contracts.services.trading.backtests import BacktestFill, CreateBacktest, EquityPoint
from runtime.backtests.job import Job, JobFill, JobResult

SECOND = 1_000_000_000
BEGIN, END = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)
BEGIN_NS, END_NS = int(BEGIN.timestamp()) * SECOND, int(END.timestamp()) * SECOND
GRID = {"low": "1", "high": "2"}
D = Decimal
FILL = JobFill(ts=BEGIN_NS, side="buy", amount="0.5", price="100", fee="0.15", fee_currency="USDT", realized_pnl="0")
DONE = JobResult(
    status="done",
    coverage="99.5",
    trades=2,
    fees={"USDT": "0.31"},
    pnl="-1.5",
    pnl_currency="USDT",
    max_drawdown="2.5",
    exposure="40",
    events=7,
    decisions="ab",
    equity=[(BEGIN_NS, "1000"), (END_NS, "998.5")],
    fills=[FILL, JobFill(END_NS, "sell", "0.25", "101", "0.16", "USDT", "0.2")],
)


def kept(now_ns: int = END_NS, **fields: Any) -> Kept:
    values: dict[str, Any] = {
        "owner": "alice",
        "strategy": {"kind": "grid", "symbol": "BTC/USDT", "params": GRID},
        "exchange": "binance",
        "from": BEGIN.isoformat(),
        "to": END.isoformat(),
        "balance": {"USDT": "1000.50", "BTC": "1"},
    }
    return core.keep(CreateBacktest.model_validate(values | fields), "0" * 16, "okx", now_ns)


def ended(result: JobResult | None) -> Kept:
    made = kept()
    return Kept(
        id=made.id,
        owner=made.owner,
        exchange=made.exchange,
        status="done" if result is not None else "running",
        created_ns=made.created_ns,
        terms=made.terms,
        begun=1,
        result=result,
    )


def test_a_backtest_begins_queued_untried_and_without_its_owner_among_its_terms() -> None:
    made = kept()
    assert (made.id, made.owner, made.exchange, made.status, made.created_ns) == (
        "0" * 16,
        "alice",
        "okx",
        "queued",
        END_NS,
    )
    assert (made.begun, made.result) == (0, None)
    assert "owner" not in made.terms.model_dump()


def test_what_ended_every_process_is_given_up_after_three_times() -> None:
    assert core.MOST_BEGUN == 3


def test_a_job_has_the_terms_and_what_is_left_out_as_stated() -> None:
    assert core.job_of(kept(fee_percent="0.10", min_coverage="50"), "/own") == Job(
        id="0" * 16,
        owner="alice",
        kind="grid",
        symbol="BTC/USDT",
        params=GRID,
        exchange="okx",
        begin_ns=BEGIN_NS,
        end_ns=END_NS,
        balance={"USDT": "1000.50", "BTC": "1"},
        fee_percent="0.10",
        min_coverage="50",
        own="/own",
    )
    stated = core.job_of(kept(), None)
    assert (stated.fee_percent, stated.min_coverage, stated.own) == ("0.3", "99", None)


def test_a_span_that_ends_in_the_future_ends_now() -> None:
    ends = [core.job_of(kept(now_ns), None).end_ns for now_ns in (END_NS - 1, END_NS, END_NS + 1)]
    assert ends == [END_NS - 1, END_NS, END_NS]


def test_what_has_not_ended_shows_its_terms_and_nothing_else() -> None:
    shown = core.describe(ended(None))
    assert (shown.id, shown.status, shown.exchange, shown.created_at) == ("0" * 16, "running", "okx", END)
    assert (shown.from_, shown.to, shown.balance) == (BEGIN.isoformat(), END.isoformat(), {"USDT": 1000.5, "BTC": 1})
    nothing = (shown.events, shown.trades, shown.fees, shown.pnl, shown.coverage, shown.equity, shown.fills)
    assert nothing == (None, None, None, None, None, [], [])


def test_what_has_ended_shows_its_figures_its_curve_and_its_executions() -> None:
    shown = core.describe(ended(DONE))
    assert (shown.coverage, shown.pnl, shown.max_drawdown, shown.exposure) == (D("99.5"), D("-1.5"), D("2.5"), D(40))
    assert (shown.trades, shown.events, shown.pnl_currency, shown.decisions) == (2, 7, "USDT", "ab")
    assert (shown.fees, shown.reason) == ({"USDT": D("0.31")}, None)
    assert shown.equity == [EquityPoint(time=BEGIN, value=D(1000)), EquityPoint(time=END, value=D("998.5"))]
    values = {"amount": D("0.5"), "price": D(100), "fee": D("0.15"), "fee_currency": "USDT", "realized_pnl": D(0)}
    assert shown.fills[0] == BacktestFill.model_validate({"time": BEGIN, "side": "buy"} | values)
    assert [fill.side for fill in shown.fills] == ["buy", "sell"]


def test_a_list_shows_neither_curve_nor_executions() -> None:
    whole, short = core.describe(ended(DONE)), core.describe(ended(DONE), whole=False)
    assert short == whole.model_copy(update={"equity": [], "fills": []})


def test_a_run_without_events_shows_none_and_its_reason() -> None:
    shown = core.describe(ended(JobResult(status="refused", reason="too little")))
    assert (shown.events, shown.reason) == (0, "too little")


def test_a_result_is_read_as_it_was_written() -> None:
    text = core.write_result(DONE)
    assert '"status":"done"' in text
    assert core.read_result(text) == DONE
