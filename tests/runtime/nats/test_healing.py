"""The healer against a real server: a loss is said before what was lost is there again, and once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio

from contracts.streams import BucketSpec, DurableSpec, StreamSpec
from runtime.nats.announce import Announcer
from runtime.nats.bus import Bus, NoAnswerError
from runtime.nats.streams import healing
from runtime.nats.streams.api import ApiRefusalError, call
from runtime.nats.streams.healing import Healer
from runtime.nats.streams.plan import Plan
from runtime.provision import apply

pytestmark = pytest.mark.nats
MIB = 1024 * 1024
MARKET = StreamSpec("H_MARKET", ("h.md.>",), max_age=600, max_bytes=MIB)
FEEDS = StreamSpec("H_FEEDS", ("h.feed.>",), max_age=600, max_bytes=MIB)
DURABLE = DurableSpec("H_MARKET", "h_storms", "h.md.liquidation.>")
PLAN = Plan(streams=(MARKET, FEEDS), buckets=(BucketSpec("H_STATE", max_bytes=MIB),), durables=(DURABLE,), synced=True)


class Lost:
    """What was said to be lost, each with whether the stream H_MARKET was there at that time."""

    def __init__(self, bus: Bus) -> None:
        self.said: list[tuple[str, bool]] = []
        self._bus = bus

    async def on_lost(self, place: str) -> None:
        self.said.append((place, await self.is_there()))

    async def is_there(self) -> bool:
        try:
            return bool(await call(self._bus, "STREAM.INFO.H_MARKET"))
        except ApiRefusalError:
            return False


@pytest_asyncio.fixture
async def clean(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Bus]:
    monkeypatch.setattr(healing, "_ANNOUNCED_IN", "stream H_FEEDS")
    await apply(bus, PLAN)
    yield bus
    for name in ("H_MARKET", "H_FEEDS", "KV_H_STATE"):
        await bus.api(f"STREAM.DELETE.{name}")


async def test_a_loss_is_said_before_what_was_lost_is_made_again(clean: Bus) -> None:
    lost = Lost(clean)
    healer = Healer(clean, PLAN, on_lost=lost.on_lost)
    assert await healer.heal() == []
    await clean.api("STREAM.DELETE.H_MARKET")
    assert await healer.heal() == ["stream H_MARKET", "durable H_MARKET/h_storms"]
    assert lost.said == [("stream H_MARKET", False), ("durable H_MARKET/h_storms", True)]
    assert await healer.heal() == []
    assert len(lost.said) == 2


async def test_what_losses_are_published_to_is_made_first(clean: Bus) -> None:
    lost = Lost(clean)
    for name in ("H_MARKET", "H_FEEDS"):
        await clean.api(f"STREAM.DELETE.{name}")
    healed = await Healer(clean, PLAN, on_lost=lost.on_lost).heal()
    assert healed == ["stream H_FEEDS", "stream H_MARKET", "durable H_MARKET/h_storms"]
    assert lost.said[:2] == [("stream H_FEEDS", False), ("stream H_MARKET", False)]


async def test_what_was_made_though_no_answer_came_was_said_and_is_counted(
    clean: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def without_answer(bus: Bus, name: str, body: bytes = b"") -> dict[str, Any]:
        answer = await call(bus, name, body)
        if ".CREATE." in name:
            raise NoAnswerError(name)
        return answer

    lost = Lost(clean)
    healer = Healer(clean, PLAN, on_lost=lost.on_lost)
    await clean.api("STREAM.DELETE.KV_H_STATE")
    with monkeypatch.context() as patched:
        patched.setattr(healing, "call", without_answer)
        with pytest.raises(NoAnswerError):
            await healer.heal()
    assert [place for place, _ in lost.said] == ["bucket H_STATE"]
    assert await healer.heal() == ["bucket H_STATE"]
    assert await healer.heal() == []
    assert len(lost.said) == 1


class Away:
    """A bus that acknowledges nothing until it is back."""

    def __init__(self) -> None:
        self.back = asyncio.Event()
        self.published: list[str] = []

    async def publish_acked(self, subject: str, _payload: bytes, **_terms: Any) -> None:
        await self.back.wait()
        self.published.append(subject)


async def test_an_announcement_that_waits_is_waited_for_no_longer_than_said_and_published_later() -> None:
    away = Away()
    announcer = Announcer(away, "healing")  # type: ignore[arg-type]
    announcer.on_gap("lost")
    async with asyncio.timeout(10):
        await announcer.flush(0.01)
    assert away.published == []
    away.back.set()
    await announcer.flush()
    assert away.published == ["feed.v1.bus"]
