"""Each hop of an event's way is measured by itself: what is slow shows in its own row, and in no other."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from consumers.cache.core import StateCache
from consumers.cache.producers import read_publish_times
from contracts import codec
from contracts.market import BookSnapshot, Trade
from contracts.state import FeedHealth
from runtime.hops.metrics import HopMetrics
from runtime.hops.times import HopTimes
from runtime.nats.leases.lease import Grant

MS = 1_000_000
SECOND = 1_000 * MS
START = 1_767_268_800 * SECOND
PLAIN = {"receive": 20 * MS, "publish": 1 * MS, "fold": 2 * MS}
SUBJECTS = {"trade": "md.v1.trade.binance.BTC.USDT.spot", "book": "md.v1.book.binance.BTC.USDT.spot"}
EVENT: dict[str, Any] = {
    "venue": "binance",
    "symbol": "BTC/USDT",
    "venue_symbol": "BTCUSDT",
    "sim": False,
}
OWN: dict[str, dict[str, Any]] = {
    "trade": {"price": "91000", "amount": "1", "side": "buy"},
    "book": {"bids": [("90999", "1")], "asks": [("91000", "1")], "seq": 1, "quality": "live"},
}


def make(kind: str, number: int, ts: int, received: int) -> bytes:
    """The body of an event that the venue made at `ts` and that was received then."""
    more = {"trade_id": str(number)} if kind == "trade" else {}
    fields = {**EVENT, **OWN[kind], **more, "id": f"binance.{kind}.{number}", "ts_event": ts, "ts_recv": received}
    model: Any = {"trade": Trade, "book": BookSnapshot}[kind]
    return model.model_validate(fields).model_dump_json().encode()


def run(kind: str, hops: dict[str, int], count: int = 320) -> dict[str, dict[str, Any]]:
    """What the state says of a feed's hops after events of a kind whose hops took so long (ns)."""
    cache, publisher = StateCache(), HopTimes()
    subject = SUBJECTS[kind]
    for number in range(count):
        ts = START + number * 10 * MS
        received = ts + hops["receive"]
        written = received + hops["publish"]
        publisher.add("publish", kind, written - received, written)
        if number % 50 == 0:  # as the producer's lease is renewed
            grant = Grant("holder", 1, number, 5.0, {"publish": publisher.find()["publish"]})
            cache.on_publish_times(read_publish_times([("binance", grant)]))
        now, body = written + hops["fold"], make(kind, number, ts, received)
        if kind == "trade":
            assert not cache.fold_trades([(subject, codec.decode(subject, body))], now)
        else:
            assert not cache.fold_bodies("md.v1.book.", [(subject, body)], now)
        if number % 4 == 0:
            cache.drain(now)
    document = cache.drain(START + 10 * SECOND)["feed.binance"]
    health = codec.decoder(FeedHealth).decode(document or b"")
    return {hop: msgspec.to_builtins(kinds) for hop, kinds in health.hops.items()}


@pytest.mark.parametrize("kind", ["trade", "book"])
@pytest.mark.parametrize("slow", [None, "receive", "publish", "fold"])
def test_a_slow_hop_shows_in_its_own_row_and_in_no_other(kind: str, slow: str | None) -> None:
    planted = PLAIN if slow is None else {**PLAIN, slow: PLAIN[slow] + 500 * MS}
    found = run(kind, planted)
    assert set(found) == set(PLAIN)
    for hop, nanoseconds in planted.items():
        assert set(found[hop]) == {kind}
        for share in ("p50", "p95", "p99"):
            # a bucket is 1/16 wide, and fold has the publish hop's subtracted from it
            assert abs(found[hop][kind][share] - nanoseconds) <= (nanoseconds + planted["publish"]) / 15


def test_percentiles_are_those_of_the_samples() -> None:
    times = HopTimes()
    for number in range(1000):
        times.add("receive", "trade", number * MS, START)
    p50, p95, p99 = times.find()["receive"]["trade"]
    assert [round(value / MS / share, 1) for value, share in ((p50, 500), (p95, 950), (p99, 990))] == [1.0, 1.0, 1.0]
    times.add("receive", "trade", -5, START + 200 * SECOND)
    assert times.find()["receive"]["trade"] == (0, 0, 0)  # a clock that is behind; what is old is forgotten
    assert len(times.take()) == 1000
    assert times.take() == []


def test_a_process_shows_its_samples_as_a_histogram() -> None:
    registry = CollectorRegistry()
    metrics = HopMetrics(registry)
    for seconds in (0.0002, 0.03):
        metrics.observe("fold", "okx", "trade", seconds)
    labels = {"hop": "fold", "venue": "okx", "kind": "trade"}
    counts = {
        edge: registry.get_sample_value("hydrophone_hop_seconds_bucket", {**labels, "le": edge})
        for edge in ("0.0001", "0.00025", "0.025", "0.05")
    }
    assert list(counts.values()) == [0, 1, 1, 2]


def test_the_slowest_of_a_venues_units_counts_and_what_says_nothing_is_left_out() -> None:
    slow, quick, old = ({"publish": {"trade": [9, 9, 9]}}, {"publish": {"trade": [1, 20, 20], "book": [2, 2, 2]}}, {})
    grants = [(f"okx.{at}", Grant("h", 1, 1, 5.0, about)) for at, about in enumerate((slow, quick, old))]
    assert read_publish_times(grants) == {"okx": {"trade": (9, 9, 9), "book": (2, 2, 2)}}
