"""Events for the detectors' tests."""

from __future__ import annotations

from typing import Any

from contracts.codec import fast
from contracts.instrument import make_instrument
from contracts.market import BookSnapshot, Candle, Event, Funding, OpenInterest, Ticker

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 3600 * SECOND
START = 1_767_225_600 * SECOND  # 2026-01-01T00:00:00Z


def make(model: type[Event], ts: int, fields: dict[str, Any]) -> Any:
    """Return a fast event of an instrument at a time; what is not given is null."""
    venue, symbol = fields.get("venue", "bybit"), fields.get("symbol", "BTC/USDT:USDT")
    tail = make_instrument(venue, symbol, "").tail
    values: dict[str, Any] = dict.fromkeys(model.model_fields)
    values |= {
        "id": f"{tail}.{model.kind}.{ts}",
        "venue": venue,
        "symbol": symbol,
        "venue_symbol": "X",
        "ts_event": ts,
        "ts_recv": ts,
        "sim": False,
    }
    return fast(model)(**{**values, **fields})


def funding(ts: int, rate: str | None, **fields: Any) -> Any:
    return make(Funding, ts, {"rate": rate, **fields})


def interest(ts: int, amount: str | None, **fields: Any) -> Any:
    return make(OpenInterest, ts, {"amount": amount, **fields})


def ticker(ts: int, bid: str | None, ask: str | None, **fields: Any) -> Any:
    return make(Ticker, ts, {"bid": bid, "ask": ask, **fields})


def candle(ts: int, volume: str, **fields: Any) -> Any:
    """A closed minute that began at `ts`, received a second after its end."""
    values: dict[str, Any] = dict.fromkeys(("open", "high", "low", "close"), "100")
    own: dict[str, Any] = {"timeframe": "1m", "volume": volume, "closed": True, "start_ts": ts, "trades": 1}
    times: dict[str, Any] = {"ts_event": ts + MINUTE, "ts_recv": ts + MINUTE + SECOND}
    return make(Candle, ts, {**values, **own, **times, **fields})


def book(ts: int, bids: list[tuple[str, str]], asks: list[tuple[str, str]], **fields: Any) -> Any:
    own: dict[str, Any] = {"bids": bids, "asks": asks, "quality": "live", "unit": "base"}
    return make(BookSnapshot, ts, {**own, **fields})


def side(best: int, step: int, amounts: list[str]) -> list[tuple[str, str]]:
    """Levels from the best price on, each `step` further."""
    return [(str(best + number * step), amount) for number, amount in enumerate(amounts)]


def subject_of(event: Any, prefix: str) -> str:
    return prefix + make_instrument(event.venue, event.symbol, "").tail
