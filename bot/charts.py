"""Charts as PNG: candles with volume, and the depth of a book. The words in a picture are handed in.

Each is drawn in the one thread of `runtime.drawing.thread`: never on the loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from itertools import accumulate
from typing import Final

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import FuncFormatter, MaxNLocator

from contracts.services.replies.market import Level, Orderbook
from contracts.services.replies.multi import Bar, OhlcReply
from contracts.timeframes import DAY, TIMEFRAMES
from runtime.drawing.figures import DOWN, GRID, MUTED, UP, Words, as_png, day_of, make_figure, style, tick
from runtime.texts.figures import number

_BODY: Final = 0.72  # of a candle's length


def draw_candles(reply: OhlcReply, words: Words, zone: tzinfo) -> bytes:
    """Return a PNG of candles over their volume, times in a zone; candles that are missing leave a gap."""
    figure = make_figure(words)
    upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [3.2, 1]})
    bars = reply.candles
    days = TIMEFRAMES[reply.timeframe] / DAY
    at = [day_of(bar.timestamp) + days / 2 for bar in bars]
    colors = [UP if bar.close >= bar.open else DOWN for bar in bars]
    style(upper, words.upper)
    style(lower, words.lower)
    if bars:
        _draw_bodies(upper, bars, at, colors=colors, width=days * _BODY)
        lower.bar(at, [bar.volume for bar in bars], width=days * _BODY, color=colors, linewidth=0)
        _mark_last(upper, bars[-1].close, colors[-1])
        upper.set_xlim(at[0] - days, at[-1] + days)
    locator = AutoDateLocator(tz=zone, minticks=3, maxticks=7)
    lower.xaxis.set_major_locator(locator)
    lower.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone))
    lower.yaxis.set_major_locator(MaxNLocator(3))
    return as_png(figure)


def _draw_bodies(axes: Axes, bars: Sequence[Bar], at: list[float], *, colors: list[str], width: float) -> None:
    lows, highs = [bar.low for bar in bars], [bar.high for bar in bars]
    axes.vlines(at, lows, highs, colors=colors, linewidth=1.1)
    least = (max(highs) - min(lows)) / 400 or abs(highs[0]) * 1e-6  # a candle without a body is a line
    bottoms = [min(bar.open, bar.close) for bar in bars]
    heights = [max(abs(bar.close - bar.open), least) for bar in bars]
    axes.bar(at, heights, bottom=bottoms, width=width, color=colors, linewidth=0)


def _mark_last(axes: Axes, price: float, color: str) -> None:
    axes.axhline(price, color=color, linewidth=0.9, linestyle=(0, (4, 3)))
    box = {"boxstyle": "round,pad=0.25", "facecolor": color, "edgecolor": "none"}
    axes.annotate(
        number(price),
        (1.008, price),
        xycoords=("axes fraction", "data"),
        ha="left",
        va="center",
        color="white",
        fontsize=12,
        fontweight="bold",
        bbox=box,
    )


def draw_depth(reply: Orderbook, words: Words) -> bytes:
    """Return a PNG of a book's depth: how much is bid, and asked, up to each price."""
    figure = make_figure(words)
    axes = figure.subplots()
    style(axes, words.upper)
    for levels, color in ((reply.bids, UP), (reply.asks, DOWN)):
        if levels:
            _draw_side(axes, levels, color)
    if reply.bids and reply.asks:
        best = reply.bids[0].price, reply.asks[0].price
        axes.axvspan(min(best), max(best), color=GRID, linewidth=0)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    axes.set_xlabel(words.lower, color=MUTED, fontsize=12)
    return as_png(figure)


def _draw_side(axes: Axes, levels: Sequence[Level], color: str) -> None:
    prices = [level.price for level in levels]
    sums = list(accumulate(level.amount for level in levels))
    axes.step(prices, sums, where="post", color=color, linewidth=2)
    axes.fill_between(prices, sums, step="post", color=color, alpha=0.18, linewidth=0)
