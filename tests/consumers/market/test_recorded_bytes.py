"""What is recorded for answers of the past takes the third of its bytes on disk that is reckoned with."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from consumers.cache.core import StateCache
from contracts import subjects
from contracts.streams import PAST_TRADES, STATE
from runtime.nats.bus import Bus
from runtime.nats.streams.api import call
from runtime.nats.streams.plan import COMPRESSED_TO

SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND
BLOCK = 8 * 1024 * 1024
BASES = ("BTC", "ETH", "SOL", "XRP")
Make = Callable[..., Any]


def list_documents(trade: Make, least: int) -> Iterator[tuple[str, bytes]]:
    """What the cache writes of trades at random prices, at least so many bytes of it."""
    pick, cache, written, number = random.Random(5), StateCache(), 0, 10**9
    while written < least:
        now = START + number * SECOND // 20
        for base in BASES:
            number += 1
            figures = {"price": f"{pick.uniform(100, 60_000):.2f}", "amount": f"{pick.random():.5f}"}
            of = {"symbol": f"{base}/USDT", "venue_symbol": f"{base}USDT", "side": pick.choice(["buy", "sell"])}
            one = trade(number, now + pick.randint(0, SECOND), **figures, **of)
            cache.fold_trades([(f"{subjects.TRADE}binance.{base}.USDT.spot", one)], now)
        for key, body in cache.drain(now).items():
            if body is not None and key.startswith("trade"):
                written += len(body)
                yield key, body


def list_blocks(folder: Path) -> list[int]:
    """The bytes of the stream's files, the smallest first."""
    return sorted(path.stat().st_size for path in folder.rglob(f"{PAST_TRADES}/msgs/*.blk"))


@pytest.mark.nats
async def test_versions_of_lists_of_trades_are_compressed(own: Bus, tmp_path: Path, trade: Make) -> None:
    stream = own.jetstream()
    documents = list(list_documents(trade, 9_000_000))
    for begin in range(0, len(documents), 200):
        batch = documents[begin : begin + 200]
        await asyncio.gather(*(stream.publish(f"$KV.{STATE}.{key}", body) for key, body in batch))
    state: dict[str, Any] = {}
    async with asyncio.timeout(20):
        while state.get("messages") != len(documents):
            state = (await call(own, f"STREAM.INFO.{PAST_TRADES}"))["state"]
    assert state["bytes"] > BLOCK
    blocks = list_blocks(tmp_path)
    assert len(blocks) > 1, "one is full"
    assert sum(blocks) < state["bytes"] / COMPRESSED_TO + BLOCK
    assert blocks[0] < BLOCK / COMPRESSED_TO
