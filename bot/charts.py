"""Charts as PNG: candles with volume, and the depth of a book. The words in a picture are handed in.

Each is drawn on a figure of its own without pyplot's global state, in the one thread of `Drawing`: never on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, tzinfo
from io import BytesIO
from itertools import accumulate
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from contracts.services.replies.market import Level, Orderbook
from contracts.services.replies.multi import Bar, OhlcReply
from contracts.timeframes import DAY, TIMEFRAMES
from runtime.texts.figures import number

WIDTH: Final = 7.2  # inches; 1080 pixels across, as wide as a phone's screen
HEIGHT: Final = 5.4
DPI: Final = 150
_UP: Final = "#0a9f6b"
_DOWN: Final = "#d6344b"
_GRID: Final = "#e6e8ee"
_TEXT: Final = "#1d2433"
_MUTED: Final = "#6b7385"
_BILLION: Final = 1e9
_DAY_SECONDS: Final = 86_400
_BODY: Final = 0.72  # of a candle's length


@dataclass(frozen=True, slots=True)
class Words:
    """What stands in a picture: its head, the names of its axes, and a mark across it where it is not live."""

    head: str
    upper: str
    lower: str
    mark: str = ""


def draw_candles(reply: OhlcReply, words: Words, zone: tzinfo) -> bytes:
    """Return a PNG of candles over their volume, times in a zone; candles that are missing leave a gap."""
    figure = _figure(words)
    upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [3.2, 1]})
    bars = reply.candles
    days = TIMEFRAMES[reply.timeframe] / DAY
    at = [_day(bar.timestamp) + days / 2 for bar in bars]
    colors = [_UP if bar.close >= bar.open else _DOWN for bar in bars]
    _style(upper, words.upper)
    _style(lower, words.lower)
    if bars:
        _draw_bodies(upper, bars, at, colors=colors, width=days * _BODY)
        lower.bar(at, [bar.volume for bar in bars], width=days * _BODY, color=colors, linewidth=0)
        _mark_last(upper, bars[-1].close, colors[-1])
        upper.set_xlim(at[0] - days, at[-1] + days)
    locator = AutoDateLocator(tz=zone, minticks=3, maxticks=7)
    lower.xaxis.set_major_locator(locator)
    lower.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone))
    lower.yaxis.set_major_locator(MaxNLocator(3))
    return _png(figure)


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
    figure = _figure(words)
    axes = figure.subplots()
    _style(axes, words.upper)
    for levels, color in ((reply.bids, _UP), (reply.asks, _DOWN)):
        if levels:
            _draw_side(axes, levels, color)
    if reply.bids and reply.asks:
        best = reply.bids[0].price, reply.asks[0].price
        axes.axvspan(min(best), max(best), color=_GRID, linewidth=0)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(_tick))
    axes.set_xlabel(words.lower, color=_MUTED, fontsize=12)
    return _png(figure)


def _draw_side(axes: Axes, levels: Sequence[Level], color: str) -> None:
    prices = [level.price for level in levels]
    sums = list(accumulate(level.amount for level in levels))
    axes.step(prices, sums, where="post", color=color, linewidth=2)
    axes.fill_between(prices, sums, step="post", color=color, alpha=0.18, linewidth=0)


def _figure(words: Words) -> Figure:
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    figure.subplots_adjust(left=0.025, right=0.845, top=0.87, bottom=0.12, hspace=0.22)
    figure.suptitle(words.head, x=0.025, y=0.975, ha="left", color=_TEXT, fontsize=16, fontweight="bold")
    if words.mark:
        figure.text(
            0.5, 0.55, words.mark, ha="center", va="center", color="#9aa1b1", alpha=0.3, fontsize=54, rotation=20
        )
    return figure


def _style(axes: Axes, label: str) -> None:
    axes.set_facecolor("white")
    axes.grid(color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_MUTED, labelsize=12, length=0)
    axes.yaxis.tick_right()
    axes.yaxis.set_major_formatter(FuncFormatter(_tick))
    axes.set_title(label, loc="left", color=_MUTED, fontsize=12)
    for side in ("top", "left", "right", "bottom"):
        axes.spines[side].set_visible(False)


def _tick(value: float, _at: Any = None) -> str:
    """Return what a tick says: `91,000`, from a billion on `1.4562B`."""
    return f"{value / _BILLION:,.8g}B" if abs(value) >= _BILLION else f"{value:,.10g}"


def _day(at: datetime) -> float:
    return at.timestamp() / _DAY_SECONDS


def _png(figure: Figure) -> bytes:
    out = BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


class Drawing:
    """Draws in a thread of its own, one picture at a time."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="charts")

    async def draw(self, how: Callable[..., bytes], *what: Any) -> bytes:
        """Return the picture that a function of this module draws."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: how(*what))

    def close(self) -> None:
        """End the thread; what waits is not drawn."""
        self._thread.shutdown(wait=False, cancel_futures=True)
