"""Texts of backtests: that one is tried, what came of it, and lists. Pure."""

from __future__ import annotations

from bot.texts.trading.accounts import signed
from contracts.services.trading.backtests import BacktestInfo, BacktestPage
from runtime.texts.figures import number
from runtime.texts.markup import MOST_CAPTION_UNITS, Html, fit, join
from runtime.texts.reader import Reader


def queued(found: BacktestInfo, reader: Reader) -> Html:
    """Return how far a backtest is that has no result."""
    lines = [reader.say(f"backtest.{found.status}"), _head(found, reader)]
    if found.reason is not None:
        lines.append(reader.say("order.reason", reason=found.reason))
    return fit(lines)


def done(found: BacktestInfo, reader: Reader) -> Html:
    """Return what came of a backtest, as the caption of its picture."""
    fees = join([f"{number(amount)} {currency}" for currency, amount in (found.fees or {}).items()], ", ")
    lines = [
        _head(found, reader),
        reader.say("backtest.pnl", pnl=signed(found.pnl), currency=found.pnl_currency or ""),
        reader.say("backtest.trades", trades=found.trades or 0, fees=fees or "0"),
        reader.say("backtest.risk", drawdown=number(found.max_drawdown), exposure=number(found.exposure)),
        reader.say("backtest.coverage", coverage=number(found.coverage)),
    ]
    return fit(lines, most=MOST_CAPTION_UNITS)


def listed(page: BacktestPage, reader: Reader) -> Html:
    """Return a page of backtests."""
    return reader.say("backtest.head", count=page.total) if page.items else reader.say("backtest.none")


def label(found: BacktestInfo) -> str:
    """Return what the button says that shows a backtest."""
    mark = {"done": "✅", "refused": "✋", "failed": "💔"}.get(found.status, "⏳")
    return f"{mark} {found.strategy.kind} {found.strategy.symbol} · {found.from_[:16]}"


def _head(found: BacktestInfo, reader: Reader) -> Html:
    strategy = found.strategy
    return reader.say(
        "backtest.what", kind=strategy.kind, symbol=strategy.symbol, begin=found.from_[:16], end=found.to[:16]
    )
