"""Charts are pictures of the right size for whatever the market core replies, and are drawn beside the loop."""

from __future__ import annotations

import asyncio
import struct
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.charts import draw_candles, draw_depth, draw_map
from bot.texts import charts
from bot.texts.language import make_reader
from contracts.services.replies.liqmap import LiquidationMap
from contracts.services.replies.market import Orderbook
from contracts.services.replies.multi import OhlcReply
from contracts.timeframes import TIMEFRAMES
from runtime.drawing.figures import DPI, HEIGHT, WIDTH
from runtime.drawing.thread import Drawing
from runtime.drawing.words import Words

START = datetime(2026, 11, 21, tzinfo=UTC)
WORDS = Words("BTC/USDT", "Price", "Volume")


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def candles(prices: list[float], timeframe: str = "1h") -> OhlcReply:
    step = timedelta(seconds=TIMEFRAMES[timeframe] / 1e9)
    rows: list[dict[str, Any]] = [
        {
            "timestamp": START + at * step,
            "open": price,
            "high": price * 1.01,
            "low": price * 0.99,
            "close": price * 1.004,
        }
        | {"volume": at, "quote_volume": None, "trades": None, "closed": True, "source": "own", "whole": True}
        for at, price in enumerate(prices)
    ]
    fields = {"symbol": "BTC", "exchange": "okx", "instrument": "BTC/USDT", "quote": "USDT", "market": "spot"}
    more = {"complete": True, "reasons": [], "holes": [], "age": 0.1, "quality": "live", "sim": False}
    return OhlcReply.model_validate({**fields, **more, "timeframe": timeframe, "candles": rows})


def book(bids: list[tuple[float, float]], asks: list[tuple[float, float]]) -> Orderbook:
    sides = {
        name: [{"price": price, "amount": amount, "total": None} for price, amount in levels]
        for name, levels in (("bids", bids), ("asks", asks))
    }
    fields = {"exchange": "okx", "symbol": "BTC/USDT", "quote": "USDT", "market": "spot", "unit": "base"}
    more = {"spread": None, "imbalance": None, "seq": None, "age": 0.1, "quality": "live", "sim": False}
    return Orderbook.model_validate({**fields, **more, **sides})


def liquidation_map(buckets: list[tuple[float, float, float]], price: float | None = None) -> LiquidationMap:
    """A map of (low, long, short) of buckets 50 wide."""
    sums = {"long_usd": 1, "short_usd": 1, "unknown_usd": 0, "total_usd": 2, "count": 1, "unvalued": 0}
    rows = [
        {
            "low": low,
            "high": low + 50,
            "long_usd": long,
            "short_usd": short,
            "unknown_usd": 0,
            "count": 1,
            "unvalued": 0,
        }
        for low, long, short in buckets
    ]
    fields = {"base": "BTC", "window": "24h", "from": START, "held_from": None, "step": 50 if buckets else None}
    more = {"venues": [], "rates": [], "sampled": False, "price": price, "stale_exchanges": [], "sim": False}
    market = {"age": 0.1, "quality": "live", "totals": sums, "buckets": rows}
    return LiquidationMap.model_validate({**fields, **more, **market})


@pytest.mark.parametrize(
    "reply",
    [
        liquidation_map([(91000, 5e6, 0), (91050, 0, 2e6), (91100, 1e3, 4e5)], 91070.5),
        liquidation_map([], 5.0),
        liquidation_map([(0, 0, 0)]),
        liquidation_map([(91000, 5e6, 0), (9e8, 1, 1)], 1e-9),
    ],
    ids=["usual", "none", "without a value", "far away"],
)
def test_any_liquidation_map_is_a_picture(reply: LiquidationMap) -> None:
    assert size_of(draw_map(reply, WORDS, "none")) == (round(WIDTH * DPI), round(HEIGHT * DPI))


@pytest.mark.parametrize(
    "reply",
    [
        candles([91000.0, 90500.5, 91200.0]),
        candles([]),
        candles([5.0]),
        candles([0.0], "1w"),
        candles([1e-9, 2e-9], "1m"),
        candles([1.4e9, 1.5e9], "1d"),
    ],
    ids=["usual", "none", "one", "zero", "tiny", "rupiah"],
)
def test_any_candles_are_a_picture_for_a_phone(reply: OhlcReply) -> None:
    png = draw_candles(reply, WORDS, ZoneInfo("Asia/Jakarta"))
    assert size_of(png) == (round(WIDTH * DPI), round(HEIGHT * DPI))
    assert len(png) < 300_000


@pytest.mark.parametrize(
    "reply",
    [
        book([(90.0, 1.0), (89.0, 2.0)], [(91.0, 1.0)]),
        book([], []),
        book([(1.0, 0.0)], []),
        book([(92.0, 1)], [(91.0, 1)]),
    ],
    ids=["usual", "empty", "one side", "crossed"],
)
def test_any_book_is_a_picture(reply: Orderbook) -> None:
    assert size_of(draw_depth(reply, WORDS)) == (round(WIDTH * DPI), round(HEIGHT * DPI))


def test_a_picture_differs_where_the_candles_do() -> None:
    one, other = (draw_candles(candles(prices), WORDS, UTC) for prices in ([1.0, 2.0], [1.0, 3.0]))
    assert one != other
    assert one == draw_candles(candles([1.0, 2.0]), WORDS, UTC)


@pytest.mark.parametrize(
    ("quality", "sim", "stale", "mark"),
    [
        ("live", False, False, ""),
        ("live", True, False, "SIMULATED"),
        ("sim", False, True, "SIMULATED"),
        ("live", False, True, "STALE"),
        ("gap", False, False, "WITH GAPS"),
    ],
)
def test_a_picture_that_is_passed_on_says_that_it_is_not_live(
    quality: str, *, sim: bool, stale: bool, mark: str
) -> None:
    assert charts.watermark(quality, sim=sim, stale=stale, reader=make_reader("en")) == mark


async def test_the_loop_goes_on_while_a_picture_is_drawn() -> None:
    drawing = Drawing()
    task = asyncio.create_task(drawing.draw(draw_candles, candles([float(at) for at in range(1, 500)]), WORDS, UTC))
    turns, longest, last = 0, 0.0, (began := monotonic())
    while not task.done():
        await asyncio.sleep(0.001)
        turns, longest, last = turns + 1, max(longest, monotonic() - last), monotonic()
    size_of(await task)
    drawing.close()
    assert turns > 10
    assert longest < 0.6 * (last - began)  # drawn in the loop it would be all of it
