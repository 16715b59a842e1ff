"""Which chats an alert goes to, and as what: by filter, by snooze, by age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consumers.chats import core
from contracts.alerts import ALERT_KINDS, Alert
from contracts.schema.literals import iso
from contracts.services.chats import AlertFilter, Profile, Subscription
from contracts.services.telegram.operations import SendMessage

NOW_NS = 1_767_268_800_000_000_000
NOW = datetime.fromtimestamp(NOW_NS / 1e9, UTC)
SECOND = 1_000_000_000


def alert(kind: str = "whale", **parts: Any) -> Alert:
    fields: dict[str, Any] = {
        "id": f"{kind}.1",
        "venue": "binance",
        "symbol": "BTC/USDT",
        "venue_symbol": None,
        "ts_event": NOW_NS,
        "ts_recv": NOW_NS,
        "sim": False,
        "alert": kind,
        "rule": f"{kind}/1",
        "fired_at": NOW_NS,
        "late": False,
        "stands_for": 1,
        "causes": ["a"],
        "side": "buy",
        "usd_value": "1500000.5",
        "tier": "majors",
    }
    return Alert.model_validate({**fields, **parts})


def subscription(chat_id: int = 42, **parts: Any) -> Subscription:
    meant = AlertFilter.model_validate(parts.pop("filter", {}))
    return Subscription(chat_id=chat_id, active=parts.pop("active", True), filter=meant, **parts)


@pytest.mark.parametrize(
    ("meant", "through"),
    [
        ({}, True),
        ({"kinds": ["whale"]}, True),
        ({"kinds": ["storm"]}, False),
        ({"symbols": ["BTC"]}, True),
        ({"symbols": ["BTC/USDT"]}, True),
        ({"symbols": ["BTC/USD", "ETH"]}, False),
        ({"tiers": ["majors"]}, True),
        ({"tiers": ["mid"]}, False),
        ({"venues": ["binance"]}, True),
        ({"venues": ["okx"]}, False),
        ({"kinds": ["whale"], "symbols": ["BTC"], "tiers": ["majors"], "venues": ["okx", "binance"]}, True),
        ({"kinds": ["whale"], "symbols": ["ETH"], "tiers": ["majors"], "venues": ["binance"]}, False),
    ],
)
def test_a_filter_lets_through_what_is_in_each_of_its_lists(meant: dict[str, Any], *, through: bool) -> None:
    assert core.wants(AlertFilter.model_validate(meant), alert()) is through


def test_an_alert_over_all_exchanges_is_of_each() -> None:
    assert core.wants(AlertFilter(venues=("okx",)), alert("storm", venue="all", symbol="BTC/USD"))


def test_a_chat_that_is_off_or_snoozed_gets_nothing() -> None:
    later, before = NOW + timedelta(hours=1), NOW - timedelta(hours=1)
    some = [subscription(1, active=False), subscription(2, snoozed_until=later), subscription(3, snoozed_until=before)]
    assert [job.chat_id for job in core.jobs_of(alert(), some, NOW_NS)] == [3]


def test_an_alert_that_is_too_old_goes_nowhere_and_a_job_says_until_when_it_is_worth_sending() -> None:
    (job,) = core.jobs_of(alert(), [subscription()], NOW_NS + 899 * SECOND)
    assert job.expires == NOW_NS + 900 * SECOND
    assert core.jobs_of(alert(), [subscription()], NOW_NS + 900 * SECOND) == []


@pytest.mark.parametrize("kind", ALERT_KINDS)
@pytest.mark.parametrize("language", ["en", "id"])
def test_a_job_has_the_text_a_line_for_a_digest_and_the_same_id_each_time(kind: str, language: str) -> None:
    chat = subscription(thread_id=7, language=language, zone="Asia/Jakarta")
    (job,), (again,) = (core.jobs_of(alert(kind), [chat], NOW_NS) for _ in range(2))
    assert job.id == again.id
    assert job.thread_id == 7
    assert job.digest is not None
    assert "BTC/USDT" in job.digest
    assert "$1,500,000.50" in job.digest
    assert "<" not in job.digest
    operation = job.operation
    assert isinstance(operation, SendMessage)
    assert "WIB" in operation.text
    assert operation.buttons is not None
    assert operation.buttons[0][0].data == f"y|{kind}.1"
    assert job.priority == core.PRIORITIES.get(alert(kind).alert, "low")


def test_an_alert_links_the_page_as_it_was_where_our_own_address_is_known() -> None:
    (job,) = core.jobs_of(alert(), [subscription()], NOW_NS, "https://hydrophone.example")
    assert isinstance(job.operation, SendMessage)
    assert job.operation.buttons is not None
    why, past = job.operation.buttons[0]
    assert why.data == "y|whale.1"
    assert past.url == f"https://hydrophone.example/?as_of={iso(alert().fired_at)}&symbol=BTC"


def test_nothing_is_linked_where_our_own_address_is_not_known() -> None:
    price = alert(
        "price_alert", owner="telegram:42", telegram=-100, price="91000", condition="above", threshold="90000"
    )
    (job,), own_job = core.jobs_of(alert(), [subscription()], NOW_NS), core.own_job(price, Profile(user_id=42), NOW_NS)
    for found in (job, own_job):
        assert found is not None
        assert isinstance(found.operation, SendMessage)
        assert found.operation.buttons is not None
        assert [button.url for button in found.operation.buttons[0]] == [None]


def test_jobs_of_two_chats_or_topics_have_ids_of_their_own() -> None:
    chats = [subscription(1), subscription(2), subscription(2, thread_id=5)]
    assert len({job.id for job in core.jobs_of(alert(), chats, NOW_NS)}) == 3


def test_a_price_alert_goes_to_the_chat_that_its_owner_named() -> None:
    own = alert("price_alert", owner="telegram:42", telegram=-100, price="91000", condition="above", threshold="90000")
    profile = Profile(user_id=42, language="id", zone="Asia/Jakarta")
    job = core.own_job(own, profile, NOW_NS + 3600 * SECOND)
    assert job is not None
    assert job.chat_id == -100
    assert job.priority == "urgent"
    assert isinstance(job.operation, SendMessage)
    assert "Peringatan harga" in job.operation.text
    assert core.own_job(alert("price_alert", owner="alice"), profile, NOW_NS) is None
    assert core.own_job(own, profile, NOW_NS + 86_400 * SECOND) is None
    assert core.owner_user(own) == 42
    assert core.owner_user(alert("price_alert", owner="alice")) is None


PRICE: dict[str, Any] = {"telegram": -100, "price": "91000", "condition": "above", "threshold": "90000"}


def own(**parts: Any) -> Alert:
    return alert("price_alert", **{"owner": "telegram:42", **PRICE, **parts})


@pytest.mark.parametrize(
    ("kind", "priority"),
    [
        ("price_alert", "urgent"),
        ("storm", "urgent"),
        ("whale", "normal"),
        ("liquidation", "normal"),
        ("cluster", "normal"),
    ],
)
def test_how_urgent_an_alert_is(kind: str, priority: str) -> None:
    (job,) = core.jobs_of(alert(kind), [subscription()], NOW_NS)
    assert job.priority == priority


def test_a_kind_that_is_not_listed_is_not_urgent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "PRIORITIES", {})
    (job,) = core.jobs_of(alert(), [subscription()], NOW_NS)
    assert job.priority == "low"


def test_a_snooze_ends_at_its_time() -> None:
    chat = subscription(snoozed_until=NOW)
    assert [core.is_awake(chat, NOW_NS + after) for after in (-1000, 0, 1000)] == [False, True, True]


def test_a_price_alert_is_worth_sending_for_a_day_and_has_a_link_and_a_button() -> None:
    job = core.own_job(own(), Profile(user_id=42), NOW_NS + 86_400 * SECOND - 1, "https://hydrophone.example")
    assert job is not None
    assert (job.expires, job.thread_id, job.chat_id) == (NOW_NS + 86_400 * SECOND, None, -100)
    assert job.id == "alert.price_alert.1.-100.0"
    operation = job.operation
    assert isinstance(operation, SendMessage)
    assert operation.parse_mode == "HTML"
    assert operation.buttons is not None
    assert [button.url is not None for button in operation.buttons[0]] == [False, True]


def test_an_owner_who_chose_nothing_reads_english_in_utc() -> None:
    job = core.own_job(own(), Profile(user_id=42), NOW_NS)
    english = core.own_job(own(), Profile(user_id=42, language="en", zone="UTC"), NOW_NS)
    assert job == english
    assert job is not None
    assert isinstance(job.operation, SendMessage)
    assert "UTC" in job.operation.text


def buttons_of(alert_id: str, link: str = "") -> list[str | None] | None:
    (job,) = core.jobs_of(alert(id=alert_id), [subscription()], NOW_NS, link)
    assert isinstance(job.operation, SendMessage)
    found = job.operation.buttons
    return None if found is None else [button.data for button in found[0]]


def test_a_button_has_room_for_64_bytes_and_an_id_without_a_bar() -> None:
    assert buttons_of("a" * 62) == ["y|" + "a" * 62]
    assert buttons_of("a" * 63) is None
    assert buttons_of("a|b") is None
    assert buttons_of("a" * 63, "https://hydrophone.example") == [None]


def test_a_line_of_a_digest_is_never_longer_than_300() -> None:
    long = alert().model_copy(update={"symbol": "B" * 400 + "/USDT"})
    (job,) = core.jobs_of(long, [subscription()], NOW_NS)
    assert job.digest is not None
    assert len(job.digest) == 300


@pytest.mark.parametrize(
    ("owner", "user"), [("telegram:42", 42), ("telegram:x", None), ("other:42", None), ("telegram:", None)]
)
def test_a_telegram_owner_is_a_user_by_number(owner: str, user: int | None) -> None:
    assert core.owner_user(alert("price_alert", owner=owner)) == user


def test_an_alert_of_everybodys_has_no_owner() -> None:
    assert core.owner_user(alert()) is None
