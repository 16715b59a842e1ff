"""The equity curve of a backtest as a picture: what everything was worth, and how far that was below its height."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate

from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import MaxNLocator

from contracts.arithmetic.moments import as_datetime
from contracts.services.trading.backtests import BacktestInfo
from runtime.backtests.job import Job, JobResult
from runtime.drawing.figures import DOWN, MUTED, UP, as_png, day_of, make_figure, style
from runtime.drawing.words import Words


def draw_equity(info: BacktestInfo) -> bytes:
    """Return a PNG of a backtest that is done, times in UTC."""
    strategy, currency = info.strategy, info.pnl_currency or ""
    points = [(point.time, float(point.value)) for point in info.equity]
    return _draw(f"{strategy.kind} {strategy.symbol} · {info.exchange}", currency, points)


def draw_result(job: Job, result: JobResult) -> bytes:
    """Return a PNG of a job that is done."""
    points = [(as_datetime(ts), float(value)) for ts, value in result.equity]
    return _draw(f"{job.kind} {job.symbol} · {job.exchange}", result.pnl_currency or "", points)


def _draw(head: str, currency: str, points: Sequence[tuple[datetime, float]]) -> bytes:
    words = Words(head, f"Equity, {currency}", "Below the highest, %")
    figure = make_figure(words)
    upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [3.2, 1]})
    style(upper, words.upper)
    style(lower, words.lower)
    at, values = [day_of(time) for time, _ in points], [value for _, value in points]
    if values:
        color = UP if values[-1] >= values[0] else DOWN
        upper.plot(at, values, color=color, linewidth=1.8)
        upper.axhline(values[0], color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
        falls = [100 * (value - top) / top if top else 0.0 for value, top in zip(values, _heights(values), strict=True)]
        lower.fill_between(at, falls, color=DOWN, alpha=0.25, linewidth=0)
    locator = AutoDateLocator(minticks=3, maxticks=7)
    lower.xaxis.set_major_locator(locator)
    lower.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    lower.yaxis.set_major_locator(MaxNLocator(3))
    return as_png(figure)


def _heights(values: list[float]) -> list[float]:
    return list(accumulate(values, max))
