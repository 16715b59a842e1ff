"""Texts over all exchanges: spread, status; and the tone of a text. Pure."""

from __future__ import annotations

from typing import Final

from bot.texts.answer import Answer, freshness
from contracts.services.replies.market import FeedHealth, HealthReply, StatusReply
from contracts.services.replies.multi import TickerReply
from contracts.services.sentiment import SentimentReply
from runtime.texts import figures
from runtime.texts.figures import number
from runtime.texts.markup import Html, fit, join, pre
from runtime.texts.reader import Reader

_MARKS: Final = {"Bullish": "🐂", "Bearish": "🐻", "Neutral": "😐"}
_QUALITY: Final = {"live": "🟢", "stale": "🟡", "gap": "🟠", "sim": "🧪"}


def spread(answer: Answer[TickerReply], reader: Reader) -> Html:
    """Return the text of `/spread`: the best prices over exchanges, and each exchange's own."""
    found = answer.reply
    head = tuple(reader.plain(f"spread.{name}") for name in ("exchange", "bid", "ask"))
    rows = [
        (f"{row.exchange}{'' if row.used else '*'}", number(row.bid), number(row.ask))
        for row in found.exchanges
        if row.quote == found.quote and row.market == found.market
    ]
    best = reader.say(
        "spread.best",
        bid=number(found.bid),
        ask=number(found.ask),
        bid_exchange=found.bid_exchange or figures.NONE,
        ask_exchange=found.ask_exchange or figures.NONE,
    )
    parts = [
        reader.say("spread.head", symbol=found.symbol, quote=found.quote, market=found.market),
        best,
        reader.say("spread.spread", spread=number(found.spread)),
        *([reader.say("spread.crossed")] if found.crossed else []),
        *([pre([head, *rows])] if rows else []),
        *([reader.say("spread.left_out")] if any(row[0].endswith("*") for row in rows) else []),
        *(
            [reader.say("market.stale_exchanges", names=", ".join(found.stale_exchanges))]
            if found.stale_exchanges
            else []
        ),
        *([reader.say("market.outliers", names=", ".join(found.outlier_exchanges))] if found.outlier_exchanges else []),
    ]
    return fit(parts, [freshness(answer, found.age, found.quality, sim=found.sim, reader=reader)])


def sentiment(answer: Answer[SentimentReply], reader: Reader) -> Html:
    """Return the text of `/sentiment`."""
    found = answer.reply
    words = [
        reader.say("sentiment.word", mark="🔼" if word.weight > 0 else "🔽", word=word.word, weight=number(word.weight))
        for word in found.keywords
    ]
    head = reader.say(
        "sentiment.head",
        mark=_MARKS[found.sentiment],
        sentiment=reader.say(f"sentiment.{found.sentiment}"),
        share=figures.share(found.confidence),
    )
    decided = [reader.say("sentiment.words"), *words] if words else [reader.say("sentiment.none")]
    spoken = reader.say("sentiment.language", language=reader.say(f"sentiment.{found.language}"))
    return fit([head, *decided], [join([spoken, reader.moment(found.timestamp)])])


def status(core: Answer[StatusReply] | None, feeds: Answer[HealthReply] | None, reader: Reader) -> Html:
    """Return the text of `/status`; None where the core did not answer."""
    parts = [reader.say("status.head")]
    if core is None or core.stale:
        parts.append(reader.say("status.core_away"))
    else:
        parts += _core(core.reply, reader)
    if feeds is None:
        return fit(parts)
    found = feeds.reply.root
    live = sum(feed.quality in {"live", "sim"} for feed in found.values())
    rows = [_feed(name, feed, feeds, reader) for name, feed in sorted(found.items())]
    return fit([*parts, Html(""), reader.say("status.feeds", live=live, all=len(found)), *rows])


def _core(found: StatusReply, reader: Reader) -> list[Html]:
    lines = [
        reader.say(key, names=", ".join(names))
        for key, names in (("status.waiting", found.waiting_for), ("status.degraded", found.degraded))
        if names
    ]
    return lines or [reader.say("status.ok")]


def _feed(name: str, feed: FeedHealth, feeds: Answer[HealthReply], reader: Reader) -> Html:
    age = feed.last_message_age
    said = feed.state if feed.state and feed.state != "live" else ""
    why = f" · {said}" + (f" ({feed.reason})" if feed.reason else "") if said else ""
    return reader.say(
        "status.feed",
        quality=_QUALITY["stale" if feeds.stale else feed.quality],
        exchange=name,
        age=reader.say("status.silent") if age is None else reader.say("age.ago", age=figures.span(age + feeds.grown)),
        state=why,
        sim=" 🧪" if feed.sim and feed.quality != "sim" else "",
    )
