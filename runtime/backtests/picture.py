"""The equity curve of a backtest as a picture: what everything was worth, and how far that was below its height."""

from __future__ import annotations

from itertools import accumulate

from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import MaxNLocator

from contracts.services.trading.backtests import BacktestInfo
from runtime.drawing.figures import DOWN, MUTED, UP, Words, as_png, day_of, make_figure, style


def draw_equity(info: BacktestInfo) -> bytes:
    """Return a PNG of a backtest that is done, times in UTC."""
    strategy, currency = info.strategy, info.pnl_currency or ""
    head = f"{strategy.kind} {strategy.symbol} · {info.exchange}"
    words = Words(head, f"Equity, {currency}", "Below the highest, %")
    figure = make_figure(words)
    upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [3.2, 1]})
    style(upper, words.upper)
    style(lower, words.lower)
    at = [day_of(point.time) for point in info.equity]
    values = [float(point.value) for point in info.equity]
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
