"""One backtest as a worker is given it, and what it came to: plain data that travels as JSON. Pure.

Rows are recorded messages as their streams have them: subject, body, and when the stream took them (ns UTC), which is
the time that the strategy is given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final

import msgspec
from pydantic import BaseModel, ValidationError

from contracts import subjects
from contracts.arithmetic.exact import EXACT, as_text
from contracts.errors import InvalidParameterError
from contracts.market import BookSnapshot, Candle, FeedStatus, Ticker, Trade
from runtime.backtests.decisions import line_of
from runtime.backtests.engine import LATENCY_NS, Backtest, Outcome, Terms
from runtime.strategies.protocol import Kind, Setup
from runtime.strategies.running import Decided, Definition
from runtime.trading.figures import Fees
from runtime.trading.ledger import Booked
from runtime.trading.rules import paper_rules

MOST_FILLS: Final = 1000
_HUNDRED: Final = Decimal(100)
_PLACES: Final = Decimal("0.0001")
_MODELS: Final[dict[str, type[BaseModel]]] = {
    subjects.TRADE: Trade,
    subjects.TICKER: Ticker,
    subjects.CANDLE: Candle,
    subjects.SAMPLE_BOOK: BookSnapshot,
    subjects.BOOK: BookSnapshot,
    subjects.FEED: FeedStatus,
}
Row = tuple[str, bytes, int]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What is run; times are ns UTC, decimals text. `own` is the directory of own strategies, if there is one.

    `unknown` are the parts of the span that may lack trades, disjoint, by the ledger of coverage; None where it has
    nothing of the symbol: each event stands for the minute after it then.
    """

    id: str
    owner: str
    kind: str
    symbol: str
    params: dict[str, Any]
    exchange: str
    begin_ns: int
    end_ns: int
    balance: dict[str, str]
    fee_percent: str
    min_coverage: str
    own: str | None = None
    account: str | None = None  # whose orders they would be; its own where none is given
    latency_ns: int = LATENCY_NS
    with_lines: bool = False
    unknown: list[tuple[int, int]] | None = None


class JobFill(msgspec.Struct, frozen=True):
    """One execution."""

    ts: int
    side: str
    amount: str
    price: str
    fee: str
    fee_currency: str
    realized_pnl: str


class JobResult(msgspec.Struct, frozen=True, kw_only=True):
    """What it came to; `odd` are messages that could not be read, `lines` the decisions where they were asked for."""

    status: str
    reason: str | None = None
    coverage: str | None = None
    trades: int | None = None
    fees: dict[str, str] | None = None
    pnl: str | None = None
    pnl_currency: str | None = None
    max_drawdown: str | None = None
    exposure: str | None = None
    events: int = 0
    odd: int = 0
    decisions: str | None = None
    equity: list[tuple[int, str]] = []
    fills: list[JobFill] = []
    lines: list[str] = []


def check(job: Job, kind: Kind) -> Definition:
    """Return what is run; InvalidParameterError names what cannot be."""
    rules = paper_rules(job.symbol)
    others = set(job.balance) - {rules.base, rules.quote}
    if others:
        raise InvalidParameterError(
            f"Only {rules.base} and {rules.quote} are traded here: {', '.join(sorted(others))} would not be counted",
            parameter="balance",
        )
    if job.begin_ns >= job.end_ns:
        raise InvalidParameterError("The span ends before it begins", parameter="to")
    try:
        params = kind.params.model_validate_json(msgspec.json.encode(job.params))
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, ("params", *fault["loc"])))
        raise InvalidParameterError(f"{where}: {fault['msg']}", parameter=where) from error
    return Definition(kind, Setup(job.id, job.symbol, params, job.begin_ns))


class JobRun:
    """One job at work."""

    def __init__(self, job: Job, kind: Kind) -> None:
        self._job = job
        self._digest = hashlib.sha256()
        self._lines: list[str] = []
        self._odd = 0
        fee = EXACT.divide(Decimal(job.fee_percent), _HUNDRED)
        self._backtest = Backtest(
            Terms(
                definition=check(job, kind),
                account=job.account or job.id,
                exchange=job.exchange,
                owner=job.owner,
                balance={name: Decimal(amount) for name, amount in job.balance.items()},
                fees=Fees(fee, fee),
                begin_ns=job.begin_ns,
                end_ns=job.end_ns,
                latency_ns=job.latency_ns,
            ),
            self._on_decision,
        )

    def take(self, rows: Iterable[Row]) -> None:
        """Take recorded messages, in the order of their times."""
        for subject, body, now_ns in rows:
            event = _read(subject, body)
            if event is None:
                self._odd += 1
            elif isinstance(event, FeedStatus):
                self._backtest.take_feed(event, now_ns)
            else:
                self._backtest.take(event, now_ns)

    def end(self) -> JobResult:
        """Return what it came to; refused where too little of the span has data."""
        outcome, job = self._backtest.end(), self._job
        coverage = outcome.coverage if job.unknown is None else _known_percent(job, job.unknown)
        common: dict[str, Any] = {
            "coverage": as_text(coverage),
            "events": outcome.events,
            "odd": self._odd,
        }
        if coverage < Decimal(job.min_coverage):
            reason = f"{coverage:f} % of the span has data; {job.min_coverage} % are asked for"
            return JobResult(status="refused", reason=reason, **common)
        return _result(outcome, common, self._digest.hexdigest(), self._lines)

    def _on_decision(self, decided: Decided, _digest: str) -> None:
        line = line_of(decided)
        self._digest.update(line.encode() + b"\n")
        if self._job.with_lines:
            self._lines.append(line)


def _known_percent(job: Job, unknown: list[tuple[int, int]]) -> Decimal:
    length = job.end_ns - job.begin_ns
    lost = sum(end - start for start, end in unknown)
    return (_HUNDRED * (length - lost) / length).quantize(_PLACES, ROUND_FLOOR)


def _result(outcome: Outcome, common: dict[str, Any], decisions: str, lines: list[str]) -> JobResult:
    paused = outcome.status in {"paused", "stopped"}
    return JobResult(
        status="done",
        reason=f"the strategy ended {outcome.status}: {outcome.reason}" if paused else None,
        trades=len(outcome.booked),
        fees={name: as_text(fee) for name, fee in outcome.fees.items()},
        pnl=as_text(outcome.profit),
        pnl_currency=outcome.currency,
        max_drawdown=as_text(outcome.max_drawdown),
        exposure=as_text(outcome.exposure),
        decisions=decisions,
        equity=[(ts, as_text(value)) for ts, value in outcome.curve],
        fills=[_fill(booked) for booked in outcome.booked[:MOST_FILLS]],
        lines=lines,
        **common,
    )


def _fill(booked: Booked) -> JobFill:
    one = booked.execution
    texts = (as_text(one.amount), as_text(one.price), as_text(one.fee), one.fee_currency, as_text(booked.realised))
    return JobFill(one.ts, one.side, *texts)


def _read(subject: str, body: bytes) -> Any:
    """Return the event of a message; None where it is none."""
    for prefix, model in _MODELS.items():
        if subject.startswith(prefix):
            try:
                return model.model_validate_json(body)
            except ValidationError:
                return None
    return None
