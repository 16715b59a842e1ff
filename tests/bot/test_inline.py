"""Inline mode as a person uses it: prices, a chart, and a way on where there is nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest

from bot.access import Allowlist
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer
from tests.api.test_parity import serve_candles
from tests.bot.telegram_html import shown
from tests.bot.world import ANN, BOB, TIMEOUT, Person, StartBot

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]
MakePerson = Callable[..., Person]


async def ask(person: Person, text: str) -> dict[str, Any]:
    """Write `@bot …` and return what is offered."""
    before = len(await answers(person))
    await person.do("inline", query=text)
    async with asyncio.timeout(TIMEOUT):
        while len(found := await answers(person)) <= before:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return found[-1]


async def answers(person: Person) -> list[dict[str, Any]]:
    sent = (await person.client.get("/test/sent")).json()
    return [one for one in sent if one["method"] == "answerInlineQuery"]


async def test_a_symbol_offers_price_snapshot_and_spread(start_bot: StartBot, person: MakePerson) -> None:
    await start_bot()
    found = await ask(person(), "BTC")
    by_id = {one["id"]: one for one in found["results"]}
    assert {"price", "raw", "spread"} <= set(by_id)
    content = by_id["price"]["input_message_content"]
    assert content["parse_mode"] == "HTML"
    assert "90,9" in shown(content["message_text"])


async def test_a_chart_is_offered_by_its_id(start_bot: StartBot, person: MakePerson, api_nats: NatsServer) -> None:
    bus = await Bus(BusOptions(servers=(api_nats.url,), name="candles")).connect()
    await serve_candles(bus, random.Random(1))
    await start_bot()
    ann = person()
    await ann.say("/start")
    found = await ask(ann, "BTC/USDT 1h")
    await bus.close()
    chart = next(one for one in found["results"] if one["id"] == "chart")
    assert chart["type"] == "photo"
    assert (await ann.client.get(f"/test/file/{chart['photo_file_id']}")).content.startswith(b"\x89PNG")


async def test_nothing_typed_suggests_coins_and_nonsense_says_so(start_bot: StartBot, person: MakePerson) -> None:
    await start_bot()
    ann = person()
    assert [one["id"] for one in (await ask(ann, ""))["results"]] == ["price-BTC", "price-ETH"]
    assert (await ask(ann, "NOSUCH"))["results"] == []


async def test_who_may_not_use_the_bot_is_offered_nothing(start_bot: StartBot, person: MakePerson) -> None:
    await start_bot(allowlist=Allowlist(frozenset({BOB}), frozenset()))
    assert (await ask(person(ANN), "BTC"))["results"] == []
