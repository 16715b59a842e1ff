"""Captions of charts, and the words that stand in the pictures. Pure."""

from __future__ import annotations

from bot.texts.answer import Answer, freshness
from contracts.services.replies.liqmap import LiquidationMap, MapVenue
from contracts.services.replies.market import Orderbook
from contracts.services.replies.multi import OhlcReply
from runtime.texts.figures import number, usd
from runtime.texts.markup import MOST_CAPTION_UNITS, Html, fit, join
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
    lacking = sum(not bar.whole for bar in bars)
    if missing:
        parts.append(reader.say("chart.holes", count=missing))
    if lacking:
        parts.append(reader.say("chart.lacking", count=lacking, all=len(bars)))
    if not found.complete and not missing and not lacking:
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


def liquidation_map(answer: Answer[LiquidationMap], reader: Reader) -> Html:
    """Return the caption of a liquidation map: what it adds up to, and how much of it was received where."""
    found, sums = answer.reply, answer.reply.totals
    total = reader.say(
        "liq.total",
        window=found.window,
        total=usd(sums.total_usd),
        long=usd(sums.long_usd),
        short=usd(sums.short_usd),
        count=sums.count,
    )
    parts = [
        reader.say("liqmap.head", base=found.base, window=found.window),
        join([
            total,
            reader.say("liq.unknown", usd=usd(sums.unknown_usd)) if sums.unknown_usd else "",
            reader.say("liq.unvalued", count=sums.unvalued) if sums.unvalued else "",
        ]) if sums.count else reader.say("liqmap.none"),
        *([reader.say("liqmap.step", step=number(found.step))] if found.step else []),
        *([reader.say("liqmap.held_from", time=reader.moment(found.held_from))] if found.held_from else []),
        *([reader.say("liqmap.coverage", names=", ".join(_covered(venue, reader) for venue in found.venues))]
          if found.venues else []),
        *([reader.say("liq.sampled")] if found.sampled else []),
    ]  # fmt: skip
    end_line = freshness(answer, found.age, found.quality, sim=found.sim, reader=reader)
    return fit(parts, [end_line], MOST_CAPTION_UNITS)


def _covered(venue: MapVenue, reader: Reader) -> str:
    """Return an exchange with how much of the window was received of it, and whether that is a sample."""
    share = f"{number(venue.coverage.percent)} %" if venue.coverage is not None else reader.plain("liqmap.unknown")
    sample = f" ({reader.plain('liqmap.sample')})" if venue.sampled else ""
    return f"{venue.exchange} {share}{sample}"


def watermark(quality: str, *, sim: bool, stale: bool, reader: Reader) -> str:
    """Return what a picture is marked with, as it may be passed on without its caption; empty where it is live."""
    if sim or quality == "sim":
        return reader.plain("chart.simulated")
    shown = "stale" if stale else quality
    return reader.plain(f"chart.{shown}") if shown in {"stale", "gap"} else ""
