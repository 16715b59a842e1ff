"""Pictures as PNG: the figure that every chart is drawn on, its style and its words.

Each figure is its own, without pyplot's global state.
"""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from runtime.drawing.words import Words

WIDTH: Final = 7.2  # inches; 1080 pixels across, as wide as a phone's screen
HEIGHT: Final = 5.4
DPI: Final = 150
UP: Final = "#0a9f6b"
DOWN: Final = "#d6344b"
GRID: Final = "#e6e8ee"
TEXT: Final = "#1d2433"
MUTED: Final = "#6b7385"
_BILLION: Final = 1e9
_DAY_SECONDS: Final = 86_400


def make_figure(words: Words) -> Figure:
    """Return a figure as wide as a phone's screen, with its head and its mark."""
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    figure.subplots_adjust(left=0.025, right=0.845, top=0.87, bottom=0.12, hspace=0.22)
    figure.suptitle(words.head, x=0.025, y=0.975, ha="left", color=TEXT, fontsize=16, fontweight="bold")
    if words.mark:
        figure.text(
            0.5, 0.55, words.mark, ha="center", va="center", color="#9aa1b1", alpha=0.3, fontsize=54, rotation=20
        )
    return figure


def style(axes: Axes, label: str) -> None:
    """Give axes the style of every chart, the figures on the right."""
    axes.set_facecolor("white")
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=MUTED, labelsize=12, length=0)
    axes.yaxis.tick_right()
    axes.yaxis.set_major_formatter(FuncFormatter(tick))
    axes.set_title(label, loc="left", color=MUTED, fontsize=12)
    for side in ("top", "left", "right", "bottom"):
        axes.spines[side].set_visible(False)


def tick(value: float, _at: Any = None) -> str:
    """Return what a tick says: `91,000`, from a billion on `1.4562B`."""
    return f"{value / _BILLION:,.8g}B" if abs(value) >= _BILLION else f"{value:,.10g}"


def day_of(at: datetime) -> float:
    """Return a time in days since 1970, as axes count it."""
    return at.timestamp() / _DAY_SECONDS


def as_png(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    out = BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()
