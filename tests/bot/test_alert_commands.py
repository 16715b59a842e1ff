"""Alert commands as a person uses them, in both languages, with the consumer of chats; alerts are replied to here."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from consumers.chats.handlers import ChatsPlan, make_consumer
from contracts import subjects
from contracts.services.alerts import CreateAlert, Deliver, PriceAlert
from contracts.services.explaining import Comparison, Explanation
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer
from runtime.store import Store as Documents
from tests.bot.world import ANN, Person, StartBot, labels, text_of
from tests.running import running
from tests.serving import serve

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]
MakePerson = Callable[..., Person]
ALERT_ID = "1f0c9a4be1d27c35"
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def price_alert(**parts: Any) -> PriceAlert:
    fields: dict[str, Any] = {
        "id": ALERT_ID,
        "symbol": "BTC/USDT",
        "exchange": None,
        "condition": "above",
        "value": "100000",
        "window_seconds": None,
        "interval_seconds": None,
        "repeat": False,
        "hysteresis": "0.1",
        "cooldown_seconds": 300,
        "expires_at": None,
        "note": None,
        "deliver": Deliver(telegram=ANN),
        "state": "active",
        "snoozed_until": None,
        "created_at": NOW,
        "updated_at": NOW,
        "crossings": 0,
        "messages": 0,
        "waiting": 0,
        "last_fired_at": None,
        "last_fired_id": None,
        "last_price": None,
    }
    return PriceAlert.model_validate({**fields, **parts})


EXPLANATION = Explanation(
    decision="not_met",
    rule="whale/1",
    symbol="BTC/USDT",
    venue="binance",
    at=1_767_268_800_000_000_000,
    comparisons=[Comparison(what="usd_value", value="999999.5", operator=">=", limit="1000000", holds=False, at=1)],
    events=[],
    read=[],
    same=True,
)


@pytest_asyncio.fixture
async def services(api_nats: NatsServer, documents_url: str) -> AsyncGenerator[list[CreateAlert]]:
    """The consumer of chats, and replies of the contract of alerts; gives what is asked to be created."""
    bus = await Bus(BusOptions(servers=(api_nats.url,), name="chats")).connect()
    store = Documents(documents_url)
    for name in ("telegram_profiles", "telegram_subscriptions"):
        await store.collection(name).delete_many({})
    created: list[CreateAlert] = []

    async def on_create(body: bytes) -> bytes:
        created.append(CreateAlert.model_validate_json(body))
        rule = created[-1].rule
        return price_alert(condition=rule.condition, value=rule.value, repeat=rule.repeats).model_dump_json().encode()

    async def on_list(_: bytes) -> bytes:
        page = f'{{"items":[{price_alert().model_dump_json()}],"total":1,"page":1,"page_size":15,"pages":1}}'
        return page.encode()

    async def on_snooze(_: bytes) -> bytes:
        return price_alert(state="snoozed", snoozed_until=NOW).model_dump_json().encode()

    async def on_delete(_: bytes) -> bytes:
        return f'{{"id":"{ALERT_ID}"}}'.encode()

    async def on_why(_: bytes) -> bytes:
        return EXPLANATION.model_dump_json().encode()

    replies = {"create": on_create, "list": on_list, "snooze": on_snooze, "delete": on_delete}
    for verb, reply in {**replies, "why": on_why, "why_not": on_why}.items():
        await serve(bus, f"{subjects.ALERTS_COMMAND}{verb}", reply)
    async with running(bus, "chats", make_consumer(ChatsPlan(documents_url)).run):
        yield created
    await store.close()
    await bus.close()


@pytest.mark.parametrize("language", ["en", "id"])
async def test_a_chat_subscribes_filters_snoozes_and_leaves(
    start_bot: StartBot, services: list[CreateAlert], person: MakePerson, language: str
) -> None:
    await start_bot()
    ann = person(language_code=language)
    english = language == "en"
    steps = {
        "/alerts_status": ("gets no alerts", "tidak menerima peringatan"),
        "/subscribe whale storm BTC majors binance": ("This chat gets alerts", "menerima peringatan"),
        "/alerts_off_w": ("Whale alerts are off", "Peringatan paus mati"),
        "/alerts_on_w": ("Whale alerts are on", "Peringatan paus aktif"),
        "/snooze 2h": ("Silent until", "Senyap sampai"),
        "/snooze 0": ("No longer silent", "Tidak lagi senyap"),
        "/unsubscribe": ("gets no more alerts", "tidak lagi menerima"),
    }
    for text, (en, indonesian) in steps.items():
        assert (en if english else indonesian) in text_of(await ann.say(text)), text
    assert services == []
    shown = text_of(await ann.say("/subscribe whale BTC majors binance"))
    for part in ("BTC", "majors", "binance", "🐋"):
        assert part in shown


async def test_buttons_turn_alerts_on_and_off_in_place(
    start_bot: StartBot, services: list[CreateAlert], person: MakePerson
) -> None:
    await start_bot()
    ann = person()
    menu = await ann.press(await ann.say("/start"), "🔔 Alerts")
    on = await ann.press(menu, "🔔 Subscribe")
    assert "This chat gets alerts" in text_of(on)
    off = await ann.press(on, "🔕 Unsubscribe")
    assert "no more alerts" in text_of(off)
    assert off["message_id"] == menu["message_id"]
    assert services == []


async def test_language_and_zone_are_kept_for_the_user(
    start_bot: StartBot, services: list[CreateAlert], person: MakePerson
) -> None:
    await start_bot()
    ann = person(language_code="en")
    assert "berbahasa Indonesia" in text_of(await ann.say("/language id"))
    assert "WIB" not in text_of(await ann.say("/price BTC"))
    assert "Asia/Jakarta" in text_of(await ann.say("/timezone asia/jakarta"))
    answer = text_of(await ann.say("/price BTC"))
    assert "WIB" in answer
    assert "tertimbang volume" in answer
    assert "Mars" in text_of(await ann.say("/timezone Mars/Base"))
    asked = await ann.say("/language")
    assert "I speak English" in text_of(await ann.press(asked, "English"))
    assert services == []


async def test_a_price_alert_is_confirmed_by_its_direction(
    start_bot: StartBot, services: list[CreateAlert], person: MakePerson
) -> None:
    await start_bot()
    ann = person()
    asked = await ann.say("/alert BTC 100k repeat")
    assert "90,9" in text_of(asked)
    assert labels(asked)[0] == "⬆️ Above"
    made = await ann.press(asked, "⬆️ Above")
    assert "Price alert created" in text_of(made)
    rule = services[-1].rule
    assert (rule.condition, rule.value, rule.repeats) == ("above", "100000", True)
    assert services[-1].owner == f"telegram:{ANN}"
    assert services[-1].deliver.telegram == ANN
    assert "silent until" in text_of(await ann.press(made, "😴 1 h"))
    listed = await ann.say("/alerts")
    assert ALERT_ID in text_of(listed)
    assert "deleted" in text_of(await ann.press(listed, "🗑 BTC/USDT 100000"))
    cancelled = await ann.press(await ann.say("/alert BTC below 1"), "✖️ Cancel")
    assert "No price alert" in text_of(cancelled)
    assert "/alert SYMBOL" in text_of(await ann.say("/alert BTC above"))
    assert len(services) == 1


async def test_why_says_what_was_compared(start_bot: StartBot, services: list[CreateAlert], person: MakePerson) -> None:
    await start_bot()
    ann, budi = person(), person(43, language_code="id")
    for text in (f"/why {ALERT_ID}", "/why whale BTC 14:05"):
        answer = text_of(await ann.say(text))
        assert "not met" in answer
        assert "999,999.5" in answer
        assert "1,000,000" in answer
    assert "tidak terpenuhi" in text_of(await budi.say("/why x"))
    assert "/why ID" in text_of(await ann.say("/why"))
    assert services == []
