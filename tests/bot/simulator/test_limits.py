"""Limits as Telegram has them: on the ledger by itself, and through the server with its clock sped up."""

from __future__ import annotations

import httpx
import pytest

from bot.simulator.limits import Limits
from bot.simulator.web.app import serving
from bot.simulator.world import Options

CHAT, GROUP = 42, -100


def spend(limits: Limits, chat_id: int, now: float, *, message: bool = True) -> int | None:
    wait = limits.check("sendMessage", chat_id, message=message, now=now)
    if wait is None:
        limits.record(chat_id, message=message, now=now)
    return wait


def test_one_a_second_in_a_chat() -> None:
    limits = Limits()
    assert [spend(limits, CHAT, now) for now in (0.0, 0.999, 1.0, 1.5, 2.0)] == [None, 1, None, 1, None]
    assert [(one.rule, one.time) for one in limits.breaches] == [("chat", 0.999), ("chat", 1.5)]


def test_twenty_a_minute_in_a_group() -> None:
    limits = Limits()
    assert [spend(limits, GROUP, now) for now in range(20)] == [None] * 20
    assert spend(limits, GROUP, 20.0) == 40
    assert spend(limits, GROUP, 59.9) == 1
    assert spend(limits, GROUP, 60.0) is None
    assert [spend(limits, CHAT, now) for now in range(70, 110)] == [None] * 40


def test_thirty_a_second_overall_members_included() -> None:
    limits = Limits()
    assert [spend(limits, number, 0.5, message=number % 2 == 0) for number in range(1, 31)] == [None] * 30
    assert spend(limits, 99, 1.4) == 1
    assert limits.breaches[-1].rule == "overall"
    assert spend(limits, 99, 1.5) is None


def test_acts_on_members_do_not_wait_for_the_chat() -> None:
    limits = Limits()
    assert [spend(limits, GROUP, 0.0, message=False) for _ in range(5)] == [None] * 5
    assert spend(limits, GROUP, 0.0) is None


def test_who_comes_before_the_time_that_it_was_given_breaks_a_limit() -> None:
    limits = Limits()
    limits.pause(CHAT, 5.0)
    assert spend(limits, CHAT, 4.0) == 1
    assert spend(limits, 43, 4.0) is None
    assert spend(limits, CHAT, 5.0) is None
    assert [one.rule for one in limits.breaches] == ["retry_after"]


async def test_a_breach_is_refused_and_recorded_and_the_clock_may_run_faster() -> None:
    async with (
        serving(Options(), speed=0.001) as (server, url),
        httpx.AsyncClient(base_url=url) as client,
    ):
        await client.post("/test/chat", json={"chat_id": CHAT})
        first, second = [
            await client.post("/bot1:t/sendMessage", json={"chat_id": CHAT, "text": text}) for text in ("one", "two")
        ]
        assert first.json()["ok"] is True
        assert second.status_code == 429
        assert second.json()["parameters"] == {"retry_after": 1}
        assert second.json()["description"] == "Too Many Requests: retry after 1"
        (breach,) = (await client.get("/test/breaches")).json()
        assert (breach["method"], breach["chat_id"], breach["rule"]) == ("sendMessage", CHAT, "chat")
        assert breach["time"] == pytest.approx(server.moment().seconds, abs=1)
        refused = await client.post("/bot1:t/sendMessage", json={"chat_id": CHAT, "text": " "})
        assert refused.status_code == 429
        server.speed = 1e9
        assert (await client.post("/bot1:t/sendMessage", json={"chat_id": CHAT, "text": "three"})).json()["ok"] is True


async def test_what_is_refused_costs_nothing() -> None:
    async with serving(Options(), speed=0.001) as (_, url), httpx.AsyncClient(base_url=url) as client:
        await client.post("/test/chat", json={"chat_id": CHAT})
        bad = await client.post("/bot1:t/sendMessage", json={"chat_id": CHAT, "text": "<b>", "parse_mode": "HTML"})
        good = await client.post("/bot1:t/sendMessage", json={"chat_id": CHAT, "text": "<b>"})
        assert (bad.status_code, good.status_code) == (400, 200)
        assert (await client.get("/test/breaches")).json() == []
