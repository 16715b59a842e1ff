"""What a page is tried with: a market that has everything, and what a browser did while it showed it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ConsoleMessage, Page

from contracts import subjects
from contracts.alerts import Alert
from contracts.market import Candle
from contracts.services.candles import CandlesReply, HistoryReply
from contracts.signals import WhaleTrade
from contracts.streams import COVERAGE
from contracts.timeframes import HOUR, MINUTE, find_start
from runtime.clock import now_ns
from tests.api.world import Store, origin, whale
from tests.consumers.coverage.ledger import SECOND, Kept, status
from tests.consumers.market.recorded import list_liquidations
from tests.serving import serve

BOOK = {
    "bids": [(str(91000 - step), "1.5") for step in range(20)],
    "asks": [(str(91001 + step), "0.5") for step in range(20)],
}
SHOWN = 30_000  # milliseconds until something must be there, on a machine that is busy


def candle(start: int) -> Candle:
    prices = {"open": "91000", "high": "91200", "low": "90900", "close": "91100", "volume": "12"}
    spent = {"quote_volume": None, "trades": 5, "closed": True, "start_ts": start, "timeframe": "1m"}
    return Candle.model_validate({**origin("binance", "BTC/USDT"), **prices, **spent})


async def put_market(store: Store, **origin_parts: Any) -> None:
    """Put prices, a book, feeds, lists and candles where the market core finds them."""
    for venue, price in (("binance", "91000"), ("bybit", "91002")):
        parts = {"volume_24h": "100", "change_24h": "1.5", "bid": "90999", "ask": "91001", **origin_parts}
        await store.put_ticker(venue, "BTC/USDT", price, **parts)
        await store.put_feed(venue, **origin_parts)
    await store.put_book("binance", "BTC/USDT", BOOK, **origin_parts)
    await store.put_whales("BTC", [whale("binance", "BTC/USDT", "2000000", **origin_parts)])
    await store.put_liquidations("BTC", [])
    await put_coverage(store)
    await store.publish_liquidations(list_liquidations(now_ns(), 300, 1440))
    last = find_start("1m", now_ns())
    candles = [candle(last - back * MINUTE) for back in range(300, -1, -1)]

    async def own(_body: bytes) -> bytes:
        return CandlesReply(candles=candles, since_ts=candles[0].start_ts).model_dump_json().encode()

    async def past(_body: bytes) -> bytes:
        return HistoryReply(candles=[]).model_dump_json().encode()

    await serve(store.bus, subjects.CANDLES_LIST, own)
    await serve(store.bus, subjects.HISTORY_CANDLES, past)
    await store.bus.client.flush()


async def put_coverage(store: Store) -> None:
    """Put a ledger of a day, in which an hour lacks ten minutes, and half a minute of another was filled in later."""
    now = now_ns()
    kept = Kept(now - 20 * HOUR)
    for back, seconds in ((5, 600), (3, 30)):
        lost = (now - back * HOUR, now - back * HOUR + seconds * SECOND)
        kept.say(status("down", lost[0]), status("live", lost[1]))
    kept.say(status("live", lost[1] + SECOND, "trade", "BTC/USDT", filled=[lost]))
    kept.save(now + HOUR)
    for key, body in kept.bucket.items():
        await store.put(key, body, COVERAGE)


async def publish_whale(store: Store, number: int, **parts: Any) -> str:
    """Publish one whale trade and return its id."""
    event = WhaleTrade.model_validate(
        {**whale("binance", "BTC/USDT", "1500000"), "id": f"whale-{number}", "ts_event": now_ns(), **parts}
    )
    await store.publish(f"{subjects.WHALE}{store.tails['binance', 'BTC/USDT']}", event)
    return event.id


async def publish_alert(store: Store, number: int, **parts: Any) -> str:
    """Publish one alert of everybody's and return its id."""
    fields = {"alert": "liquidation", "rule": "liquidation/1", "fired_at": now_ns(), "late": False, "stands_for": 1}
    fields |= {"causes": ["one"], "side": "long", "usd_value": "750000", "price": "91000", "tier": "majors"}
    named = {**origin("binance", "BTC/USDT"), "id": f"binance.BTC.USDT.spot.alert.liquidation.{number}"}
    event = Alert.model_validate({**named, "ts_event": now_ns(), **fields, **parts})
    await store.publish(f"{subjects.ALERT}{event.alert}.{store.tails['binance', 'BTC/USDT']}", event)
    return event.id


@dataclass
class Watched:
    """A page with what went wrong on it and whom it spoke to."""

    page: Page
    wrong: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def follow(self) -> None:
        def on_console(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                self.wrong.append(f"{message.text} {message.location.get('url', '')}")

        self.page.on("console", on_console)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        self.page.on("websocket", lambda socket: self.hosts.add(urlsplit(socket.url).netloc))

    async def shows(self, selector: str) -> None:
        await self.page.wait_for_selector(selector, timeout=SHOWN)

    async def shows_text(self, selector: str, text: str) -> None:
        await self.page.locator(selector).filter(has_text=text).first.wait_for(timeout=SHOWN)

    async def texts(self, selector: str) -> list[str]:
        return await self.page.locator(selector).all_text_contents()


async def serious_faults(watched: Watched) -> list[str]:
    """What axe-core finds that keeps somebody from using a page."""
    found = await Axe().run(watched.page)
    return [one["id"] for one in found.response["violations"] if one["impact"] in {"serious", "critical"}]


@asynccontextmanager
async def opened(browser: Browser, url: str, **context: Any) -> AsyncGenerator[Watched]:
    """A page at an address, watched from its first request on."""
    held = await browser.new_context(**context)
    watched = Watched(await held.new_page())
    watched.follow()
    await watched.page.goto(url, timeout=SHOWN)
    yield watched
    await held.close()
