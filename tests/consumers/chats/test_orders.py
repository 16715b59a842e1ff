"""What of an owner's orders is said in the owner's chat: fills, refusals, foreign orders, trips; each once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from consumers.chats.orders import FRESH_NS, job_of
from contracts.services.chats import Profile
from contracts.services.telegram.jobs import TelegramJob
from contracts.services.telegram.operations import SendMessage
from contracts.services.trading.events import AccountEvent, ForeignOrder, OrderChanged, OrderFilled, TradingTripped
from contracts.services.trading.refusals import AT_FAULT, RefusalCode, refusal
from runtime.texts.markup import plain

GOLDEN = Path(__file__).parents[2] / "contracts" / "golden" / "trading"
ENGLISH, INDONESIAN = Profile(user_id=7), Profile(user_id=7, language="id")
FILES: dict[type[AccountEvent], str] = {
    OrderChanged: "order.v1",
    OrderFilled: "fill.v1",
    ForeignOrder: "foreign_order.v1",
    TradingTripped: "trading_tripped.v1",
}


def event(kind: type[AccountEvent], **fields: Any) -> AccountEvent:
    golden = kind.model_validate_json((GOLDEN / f"{FILES[kind]}.json").read_text())
    return golden.model_copy(update={"owner": "telegram:7"} | fields)


def text(job: TelegramJob | None) -> str:
    assert job is not None
    assert isinstance(job.operation, SendMessage)
    return plain(job.operation.text)


def said(found: AccountEvent, profile: Profile = ENGLISH) -> TelegramJob | None:
    return job_of(found, profile, found.ts)


REJECTED = event(OrderChanged, status="rejected", reason="it needs <1> BTC; 0 are free", symbol="BTC/IDR")
FILL = event(OrderFilled, symbol="BTC/IDR", side="sell", strategy="5" * 16)
TRIP = event(TradingTripped)


@pytest.mark.parametrize(
    ("found", "english", "indonesian"),
    [
        (REJECTED, "your order was not placed", "order Anda tidak ditempatkan"),
        (FILL, "BTC/IDR: sold", "BTC/IDR: dijual"),
        (event(ForeignOrder), "I do not touch it", "Saya biarkan saja"),
        (TRIP, "are stopped after 5 errors in a row", "setelah 5 kesalahan berturut-turut"),
        (event(TradingTripped, what="venue", strategy=None), "orders at indodax are stopped", "di indodax dihentikan"),
        (event(TradingTripped, what="heartbeat", strategy=None), "were cancelled", "dibatalkan"),
    ],
)
def test_each_is_said_in_both_languages(found: AccountEvent, english: str, indonesian: str) -> None:
    assert english in text(said(found))
    assert indonesian in text(said(found, INDONESIAN))


FIGURES: dict[RefusalCode, dict[str, str]] = {
    "INSUFFICIENT_BALANCE": {"needed": "2000", "free": "1", "currency": "BTC"},
    "ORDER_VALUE_LIMIT": {"value": "2000", "limit": "1", "currency": "USDT"},
    "OPEN_ORDERS_LIMIT": {"limit": "2000"},
    "DAILY_LOSS_LIMIT": {"lost": "2000", "limit": "1", "currency": "USDT"},
    "STOPPED_AFTER_ERRORS": {"errors": "2000"},
}


@pytest.mark.parametrize("code", AT_FAULT)
@pytest.mark.parametrize("profile", [ENGLISH, INDONESIAN])
def test_a_refusal_names_its_field_its_rule_and_its_figures(code: RefusalCode, profile: Profile) -> None:
    error = refusal(code, "words of the venue", **FIGURES.get(code, {}))
    shown = text(said(event(OrderChanged, status="rejected", reason=error.message, error=error), profile))
    english = profile is ENGLISH
    assert f"{'rule' if english else 'aturan'} {error.rule}" in shown
    assert error.parameter is None or f"{'field' if english else 'kolom'} {error.parameter}" in shown
    assert not error.figures or "2,000" in shown
    without = refusal("INSUFFICIENT_BALANCE", "words of the venue")
    assert "words of the venue" in text(said(event(OrderChanged, status="rejected", error=without), profile))


def test_what_the_venue_says_is_no_markup() -> None:
    job = said(REJECTED)
    assert job is not None
    assert isinstance(job.operation, SendMessage)
    assert "it needs &lt;1&gt; BTC" in job.operation.text
    assert "it needs <1> BTC" in text(job)


def test_a_fill_names_its_strategy_and_a_trip_the_way_on() -> None:
    assert "5" * 16 in text(said(FILL))
    assert "/resume" in text(said(TRIP))
    assert "/resume" not in text(said(event(TradingTripped, what="heartbeat", strategy=None)))


def test_the_same_event_makes_the_same_job_and_a_refusal_is_said_once() -> None:
    later = REJECTED.model_copy(update={"id": "another.version", "number": 9})
    jobs = [said(one) for one in (REJECTED, later, FILL, FILL, event(OrderFilled, id="another.fill"))]
    ids = [job.id for job in jobs if job is not None]
    assert (len(ids), len(set(ids))) == (5, 3)
    trip = said(TRIP)
    assert trip is not None
    assert (trip.chat_id, trip.priority) == (7, "urgent")


@pytest.mark.parametrize("owner", ["alice", "telegram:", "telegram:x", "other:7"])
def test_owners_who_are_not_on_telegram_hear_nothing(owner: str) -> None:
    assert said(event(OrderFilled, owner=owner)) is None


@pytest.mark.parametrize("status", ["pending", "open", "filled", "cancelled"])
def test_other_changes_of_orders_are_not_said(status: str) -> None:
    assert said(event(OrderChanged, status=status)) is None


def test_what_is_older_than_a_day_is_not_said() -> None:
    assert job_of(FILL, ENGLISH, FILL.ts + FRESH_NS) is None
    assert job_of(FILL, ENGLISH, FILL.ts + FRESH_NS - 1) is not None


def test_a_job_is_the_events_own_worth_sending_for_a_day_with_a_line_for_a_digest() -> None:
    job = said(FILL)
    assert job is not None
    assert FRESH_NS == 86_400 * 1_000_000_000
    assert (job.id, job.chat_id, job.expires) == (f"order.{FILL.id}"[-128:], 7, FILL.ts + FRESH_NS)
    assert (job.digest, job.priority) == (text(job).partition("\n")[0], "normal")
    assert isinstance(job.operation, SendMessage)
    assert job.operation.parse_mode == "HTML"
    refused, foreign = said(REJECTED), said(event(ForeignOrder))
    assert refused is not None
    assert foreign is not None
    assert refused.id == f"order.{REJECTED.order_id}.rejected"[-128:]  # type: ignore[attr-defined]
    assert (refused.priority, foreign.priority) == ("normal", "normal")


def test_the_name_of_a_job_and_its_line_are_never_too_long() -> None:
    job = said(event(OrderFilled, id="x" * 200, symbol="B" * 400 + "/USDT"))
    assert job is not None
    assert (job.id, len(job.digest or "")) == ("x" * 128, 300)


def test_an_owner_who_chose_nothing_reads_english_in_utc() -> None:
    assert said(FILL, Profile(user_id=7)) == said(FILL, Profile(user_id=7, language="en", zone="UTC"))
