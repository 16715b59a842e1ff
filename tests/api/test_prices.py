"""Prices of the stream: the core's answer first, then the followed market's events; neither puts an older one back."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from api.stream.prices import Prices
from runtime.clients.market_client import MarketClient
from runtime.clock import now_ns
from tests.api.test_market_client import Core, Reply

SUBJECT = "md.v1.ticker.all.BTC.USDT.spot"
NUMBERS = dict.fromkeys(("bid", "ask", "volume_24h", "change_24h", "high_24h", "low_24h"))


class TickerCore(Core):
    """A core whose ticker is `last`, `age` seconds old."""

    def __init__(self) -> None:
        super().__init__(self.answer_ticker)
        self.last, self.age, self.quality = 100, 0.5, "live"

    async def request_message(self, subject: str, payload: bytes, timeout: float) -> Reply:
        del subject, payload, timeout
        return await self.answer_ticker()

    async def answer_ticker(self) -> Reply:
        said = {"quote": "USDT", "market": "spot", "source": "binance", "stale_exchanges": [], "sim": False}
        parts = [{"exchange": "binance", "used": True}]
        figures = {"price": self.last, "age": self.age, "quality": self.quality, "exchanges": parts}
        return Reply(json.dumps({**NUMBERS, **said, **figures}).encode())


def event(last: str, ts_recv: int, quality: str = "live") -> Any:
    own = {"last": last, "ts_recv": ts_recv, "quality": quality, "sim": False, "used": ["binance"], "left_out": []}
    return SimpleNamespace(**{**NUMBERS, **own}, symbol="BTC/USDT")


async def begin() -> tuple[TickerCore, Prices, list[tuple[str, str]]]:
    sent: list[tuple[str, str]] = []
    core = TickerCore()
    prices = Prices(
        MarketClient(core, enabled=False),
        lambda _, fields: sent.append((bytes(fields["price"]).decode(), fields["quality"])),
    )
    prices.acquire("BTC")
    await prices.find("BTC")
    return core, prices, sent


async def test_the_same_data_that_became_stale_is_sent() -> None:
    _, prices, sent = await begin()
    prices.on_event(SUBJECT, event("100", now_ns() - 501_000_000, "stale"))
    assert sent == [("100", "live"), ("100", "stale")]


async def test_an_event_that_says_the_same_as_the_answer_is_not_sent() -> None:
    _, prices, sent = await begin()
    prices.on_event(SUBJECT, event("100", now_ns()))
    assert sent == [("100", "live")]


async def test_an_older_event_and_an_older_answer_change_nothing() -> None:
    core, prices, sent = await begin()
    prices.on_event(SUBJECT, event("99", now_ns() - 2_000_000_000))
    prices.on_event(SUBJECT, event("101", now_ns()))
    await prices._refresh("BTC")  # the core's state is half a second behind
    assert sent == [("100", "live"), ("101", "live")]
    core.last, core.age = 102, 0.0
    await prices._refresh("BTC")
    assert sent[-1] == ("102", "live")


async def test_an_event_of_another_market_is_not_this_symbols_price() -> None:
    _, prices, sent = await begin()
    prices.on_event("md.v1.ticker.all.BTC.USD.spot", event("7", now_ns()))
    assert sent == [("100", "live")]


async def test_a_core_that_is_away_makes_a_newer_price_stale() -> None:
    core = TickerCore()
    sent: list[tuple[str, str]] = []
    now = [0.0]
    market = MarketClient(core, now=lambda: now[0])
    prices = Prices(market, lambda _, fields: sent.append((bytes(fields["price"]).decode(), fields["quality"])))
    prices.acquire("BTC")
    await prices.find("BTC")
    prices.on_event(SUBJECT, event("101", now_ns()))
    core.connected, now[0] = False, 10.0
    await prices._refresh("BTC")
    assert sent == [("100", "live"), ("101", "live"), ("101", "stale")]


async def test_a_price_that_nobody_wants_any_more_is_not_followed() -> None:
    _, prices, sent = await begin()
    prices.acquire("BTC/USDT")
    prices.release("BTC")
    prices.release("BTC/USDT")
    prices.on_event(SUBJECT, event("102", now_ns()))
    assert sent == [("100", "live")]
    assert not prices._named
