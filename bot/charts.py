"""Charts as PNG: candles with volume, the depth of a book, a liquidation map. The words in a picture are handed in.

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

from contracts.services.replies.liqmap import LiquidationMap, MapBucket
from contracts.services.replies.market import Level, Orderbook
from contracts.services.replies.multi import Bar, OhlcReply
from contracts.timeframes import DAY, TIMEFRAMES
from runtime.drawing.figures import DOWN, GRID, MUTED, TEXT, UP, as_png, day_of, make_figure, style, tick
from runtime.drawing.words import Words
from runtime.texts.figures import number

_BODY: Final = 0.72  # of a candle's length
_BAR: Final = 0.86  # of a bucket's width
_SIDELESS: Final = "#aab2c5"
_BEYOND: Final = 0.005  # of the sum, at each end, may lie outside of a map's picture
_NEAR: Final = 0.3  # of a map's height, within which the present price is brought into the picture


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


def draw_map(reply: LiquidationMap, words: Words, sideless: str) -> bytes:
    """Return a PNG of a liquidation map: longs to the left of each price, shorts and what has no side to the right.

    `words.upper` names the longs, `words.lower` the shorts, `sideless` what has no side.
    """
    figure = make_figure(words)
    axes = figure.subplots()
    style(axes, "")
    if reply.buckets and reply.step:
        _draw_buckets(axes, reply.buckets, reply.step)
        low, high = _find_span(reply.buckets)
        near = (high - low) * _NEAR
        if reply.price is not None and low - near <= reply.price <= high + near:
            low, high = min(low, reply.price), max(high, reply.price)
            _mark_last(axes, reply.price, TEXT)
        axes.set_ylim(low - reply.step, high + reply.step)
    axes.axvline(0, color=MUTED, linewidth=0.8)
    axes.xaxis.set_major_locator(MaxNLocator(5, symmetric=True))
    axes.xaxis.set_major_formatter(FuncFormatter(_dollars))
    if any(bucket.unknown_usd for bucket in reply.buckets):
        axes.set_xlabel(f"■ {sideless}", color=_SIDELESS, fontsize=12)
    for at, align, word, color in ((0.01, "left", words.upper, DOWN), (0.99, "right", words.lower, UP)):
        axes.text(at, 1.02, word, transform=axes.transAxes, ha=align, color=color, fontsize=13, fontweight="bold")
    return as_png(figure)


def _dollars(value: float, _at: object) -> str:
    """Return what a tick says of a sum on either side: `$2.5M`."""
    size = abs(value)
    for unit, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if size >= unit:
            return f"${size / unit:,.6g}{letter}"
    return f"${size:,.6g}"


def _draw_buckets(axes: Axes, buckets: Sequence[MapBucket], step: float) -> None:
    at = [bucket.low + step / 2 for bucket in buckets]
    shorts = [bucket.short_usd for bucket in buckets]
    height = step * _BAR
    axes.barh(at, [-bucket.long_usd for bucket in buckets], height, color=DOWN, linewidth=0)
    axes.barh(at, shorts, height, color=UP, linewidth=0)
    axes.barh(at, [bucket.unknown_usd for bucket in buckets], height, left=shorts, color=_SIDELESS, linewidth=0)


def _find_span(buckets: Sequence[MapBucket]) -> tuple[float, float]:
    """Return the prices between which nearly all was liquidated: one order far away does not flatten the picture."""
    sums = [bucket.long_usd + bucket.short_usd + bucket.unknown_usd for bucket in buckets]
    beyond = sum(sums) * _BEYOND
    first = next((at for at, upto in enumerate(accumulate(sums)) if upto > beyond), 0)
    last = next((at for at, upto in enumerate(accumulate(reversed(sums))) if upto > beyond), 0)
    return buckets[first].low, buckets[len(buckets) - 1 - last].high
