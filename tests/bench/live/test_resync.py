"""What the bench of resyncs reads: latencies without the book that is asked for, and states until it is live again."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

from nats.aio.msg import Msg

from contracts import codec
from contracts.market import FeedStatus
from tests.bench.live.resync import Readings, Row, percentile


def message(subject: str, data: bytes) -> Msg:
    found: Any = SimpleNamespace(subject=subject, data=data)
    return found


def status(state: Any) -> Msg:
    event: Any = codec.fast(FeedStatus)(
        id="binance.feed.1.1", venue="binance", symbol="BTC/USDT", venue_symbol=None, ts_event=None, ts_recv=1,
        sim=True, state=state, reason=None, channel="book",
    )  # fmt: skip
    return message("feed.v1.binance", codec.encode(event))


async def test_latency_is_read_of_the_others_while_a_turn_is_on() -> None:
    seen = Readings(spared=b'"BTC/USDT"')
    at = time.time_ns() - 5_000_000
    other, spared = (
        message("md.v1.trade.x", b'{"symbol":"%b","ts_recv":%d}' % (name, at)) for name in (b"A", b"BTC/USDT")
    )
    await seen.on_event(other)
    seen.times = []
    await seen.on_event(other)
    await seen.on_event(spared)
    (ms,) = seen.times
    assert 5.0 <= ms < 5000


async def test_a_book_is_healed_from_its_gap_until_it_is_live() -> None:
    seen = Readings()
    for state in ("gap", "resync"):
        await seen.on_state(status(state))
    waiting = asyncio.create_task(seen.healed(["BTC/USDT:USDT", "BTC/USDT"]))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await seen.on_state(status("live"))
    assert 0.04 <= await waiting < 10


def test_a_limit_is_met_up_to_it() -> None:
    assert "NOT met" in Row("p99", 3.001, 3.0, "s").line()
    assert "NOT met" not in Row("p99", 3.0, 3.0, "s").line()
    assert percentile([float(one) for one in range(100)], 0.99) == 99.0
