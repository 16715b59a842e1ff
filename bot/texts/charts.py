"""Captions of charts, and the words that stand in the pictures. Pure."""

from __future__ import annotations

from bot.texts.answer import Answer, freshness
from contracts.services.replies.market import Orderbook
from contracts.services.replies.multi import OhlcReply
from runtime.texts.figures import number
from runtime.texts.markup import MOST_CAPTION_UNITS, Html, fit
from runtime.texts.reader import Reader


def candles(answer: Answer[OhlcReply], reader: Reader) -> Html:
    """Return the caption of a chart of candles."""
    found = answer.reply
    bars = found.candles
    parts = [
        reader.say("chart.head", symbol=found.instrument, timeframe=found.timeframe, exchange=found.exchange),
    ]
    if bars:
        last = bars[-1]
        figures = {"open": last.open, "high": last.high, "low": last.low, "close": last.close}
        shown = {name: number(value) for name, value in figures.items()}
        start, end = reader.moment(bars[0].timestamp), reader.moment(last.timestamp)
        parts += [
            reader.say("chart.last", quote=found.quote, **shown),
            reader.say("chart.span", count=len(bars), start=start, end=end),
            *([] if last.closed else [reader.say("chart.open")]),
        ]
    missing = sum(hole.count for hole in found.holes)
    if missing:
        parts.append(reader.say("chart.holes", count=missing))
    elif not found.complete:
        parts.append(reader.say("chart.incomplete"))
    end_line = freshness(answer, found.age, found.quality, sim=found.sim, reader=reader)
    return fit(parts, [end_line], MOST_CAPTION_UNITS)


def depth(answer: Answer[Orderbook], reader: Reader) -> Html:
    """Return the caption of a chart of depth."""
    found = answer.reply
    return fit(
        [
            reader.say("chart.depth_head", symbol=found.symbol, exchange=found.exchange),
            reader.say("book.figures", spread=number(found.spread), imbalance=number(found.imbalance)),
        ],
        [freshness(answer, found.age, found.quality, sim=found.sim, reader=reader)],
        MOST_CAPTION_UNITS,
    )


def watermark(quality: str, *, sim: bool, stale: bool, reader: Reader) -> str:
    """Return what a picture is marked with, as it may be passed on without its caption; empty where it is live."""
    if sim or quality == "sim":
        return reader.plain("chart.simulated")
    shown = "stale" if stale else quality
    return reader.plain(f"chart.{shown}") if shown in {"stale", "gap"} else ""
