"""What a backtest's span lacks, by the ledger in its bucket and by how far back recorded trades go."""

from __future__ import annotations

import pytest

from contracts import codec, streams
from runtime.backtests.coverage import find_unknown
from runtime.backtests.job import Job
from runtime.clock import now_ns
from runtime.nats.bus import Bus
from tests.consumers.conftest import make_trade
from tests.consumers.coverage.ledger import MINUTE, SECOND, SYMBOLS, VENUE, Kept, status

pytestmark = pytest.mark.nats


def job(begin: int, end: int, symbol: str = SYMBOLS[0]) -> Job:
    return Job(
        id="00" * 8, owner="alice", kind="dca", symbol=symbol, params={}, exchange=VENUE, begin_ns=begin, end_ns=end,
        balance={"USDT": "1"}, fee_percent="0", min_coverage="99",
    )  # fmt: skip


async def test_what_is_unknown_or_was_not_recorded_is_lacking(own: Bus) -> None:
    now = now_ns()
    asked = job(now - 20 * MINUTE, now)
    assert await find_unknown(own, asked) is None
    kept = Kept(now - 60 * MINUTE)
    lost = (now - 10 * SECOND, now - 5 * SECOND)
    kept.say(status("down", lost[0]), status("live", lost[1]))
    kept.save(now)
    for key, body in kept.bucket.items():
        await own.jetstream().publish(f"$KV.{streams.COVERAGE}.{key}", body)
    assert await find_unknown(own, asked) == [(asked.begin_ns, now)]  # no trade is recorded at all
    await own.jetstream().publish("md.v1.trade.binance.BTC.USDT.spot", codec.encode(make_trade(1, now)))
    unknown = await find_unknown(own, job(now - MINUTE, now + MINUTE))
    assert unknown is not None
    assert unknown[0][0] == now - MINUTE
    assert now <= unknown[0][1] < now + 30 * SECOND
    assert len(unknown) == 1  # what the ledger lacks lies before the first that was recorded
    assert await find_unknown(own, job(now - MINUTE, now, "NEW/USDT")) is None
