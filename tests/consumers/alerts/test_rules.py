"""What becomes of an owner's price alert, without a bus or documents: made, repeated, changed, snoozed, shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consumers.alerts import rules
from consumers.alerts.core import SECOND, Met, PriceWatch
from consumers.alerts.rules import Here, Resolved
from contracts.errors import ConflictError, InvalidParameterError, LimitReachedError, NotFoundError
from contracts.services.alerts import (
    MOST_ALERTS,
    AlertChange,
    CreateAlert,
    Deliver,
    PriceRule,
    UpdateAlert,
)
from contracts.services.replies.multi import SymbolEntry

NOW = datetime(2026, 11, 27, 12, 0, 0, 250, UTC)
NOW_NS = int(datetime(2026, 11, 27, 12, tzinfo=UTC).timestamp()) * SECOND + 250_000
HERE = Here(NOW_NS, 70)
LATER = Here(NOW_NS + 60 * SECOND, 90)
PAIR = Resolved("BTC/USDT", "all.BTC.USDT.spot", None)
ID = "1f0c9a4be1d27c35"


def request(**fields: Any) -> CreateAlert:
    values: dict[str, Any] = {"symbol": "BTC/USDT", "condition": "above", "value": "65000", **fields.pop("rule", {})}
    given: dict[str, Any] = {"owner": "alice", "rule": PriceRule(**values), **fields}
    return CreateAlert(**given)


def made(**fields: Any) -> PriceWatch:
    return rules.create(request(**fields), ID, PAIR, HERE)


def change(watch: PriceWatch, here: Here = LATER, **fields: Any) -> PriceWatch:
    wanted = UpdateAlert(owner="alice", id=ID, change=AlertChange(**fields), given=tuple(fields))
    return rules.update(watch, wanted, here)


def entry(quote: str, market: Any, *exchanges: str, symbol: str = "") -> SymbolEntry:
    values: dict[str, Any] = {"symbol": symbol or f"BTC/{quote}", "base": "BTC", "quote": quote, "market": market}
    return SymbolEntry.model_construct(**values, exchanges=list(exchanges))


# ---- which market is meant
def test_of_several_markets_spot_is_meant_and_of_those_what_most_exchanges_list() -> None:
    entries = [
        entry("USDT", "perp", "a", "b", "c", "d", symbol="BTC/USDT:USDT"),
        entry("USDC", "spot", "a"),
        entry("USDT", "spot", "a", "b"),
        entry("IDR", "spot", "indodax"),
    ]
    assert rules.resolve("BTC", entries, None) == Resolved("BTC/USDT", "all.BTC.USDT.spot", None)
    assert rules.resolve("BTC", entries, "c") == Resolved("BTC/USDT:USDT", "c.BTC.USDT.perp", "c")
    assert rules.resolve("BTC", entries, "indodax") == Resolved("BTC/IDR", "indodax.BTC.IDR.spot", "indodax")
    with pytest.raises(InvalidParameterError, match="nobody does not list BTC") as caught:
        rules.resolve("BTC", entries, "nobody")
    assert caught.value.details["parameter"] == "exchange"


# ---- made
def test_a_new_rule_has_what_was_asked_and_begins_here() -> None:
    watch = made(
        rule={"value": "70000", "hysteresis": "0.5", "cooldown_seconds": 7, "repeat": True},
        expires_at=NOW + timedelta(seconds=1),
        note="sell",
        deliver=Deliver(telegram=-5, webhooks=True),
        request_key="ab",
    )
    rule = watch.rule
    assert (rule.id, rule.owner, rule.symbol, rule.tail, rule.exchange) == (ID, "alice", *vars_of(PAIR))
    assert (rule.created_ns, rule.updated_ns, rule.since_ns, rule.since_seq) == (NOW_NS, NOW_NS, NOW_NS, 70)
    assert (rule.condition, rule.value, rule.hysteresis, rule.cooldown_seconds) == ("above", "70000", "0.5", 7)
    assert (rule.repeat, rule.revision, rule.snoozed_ns) == (True, 1, 0)
    assert (rule.expires_ns, rule.note, rule.telegram, rule.webhooks) == (NOW_NS + SECOND, "sell", -5, True)
    assert (rule.request_key, watch.state.seq) == ("ab", 70)


def vars_of(resolved: Resolved) -> tuple[str, str, str | None]:
    return resolved.symbol, resolved.tail, resolved.exchange


def test_what_is_left_out_is_once_with_a_silence_of_five_minutes_and_every_speaks_again_without() -> None:
    plain = made().rule
    assert (plain.repeat, plain.cooldown_seconds, plain.hysteresis, plain.expires_ns) == (False, 300, "0.1", None)
    assert (plain.note, plain.telegram, plain.webhooks, plain.request_key) == (None, None, False, None)
    every = made(rule={"condition": "every", "value": None, "interval_seconds": 60}).rule
    assert (every.repeat, every.cooldown_seconds, every.interval_seconds, every.value) == (True, 0, 60, None)
    moved = made(rule={"condition": "change", "value": "1", "window_seconds": 600}).rule
    assert moved.window_seconds == 600


def test_an_alert_must_end_in_the_future() -> None:
    for ends in (NOW, NOW - timedelta(days=1)):
        with pytest.raises(InvalidParameterError, match="An alert must end in the future") as caught:
            made(expires_at=ends)
        assert caught.value.details["parameter"] == "expires_at"
    assert made(expires_at=NOW + timedelta(microseconds=1)).rule.expires_ns == NOW_NS + 1000


def test_a_request_with_a_name_makes_the_same_id_for_its_owner_and_one_without_a_fresh_one() -> None:
    assert rules.id_of(request(), "fresh") == "fresh"
    named = rules.id_of(request(request_key="ab"), "fresh")
    assert named == rules.id_of(request(request_key="ab", note="other"), "x") == "9f6a82d18b7f576c"
    assert len({named, *(rules.id_of(request(owner=who, request_key="ab"), "x") for who in ("bob", "carol"))}) == 3


def test_a_repeated_request_gives_what_it_made_and_another_one_is_refused() -> None:
    watch = made(request_key="ab")
    assert rules.again(watch, request(request_key="cd")) is watch
    with pytest.raises(ConflictError, match="The Idempotency-Key came with another request before") as caught:
        rules.again(watch, request(request_key="ab", note="other"))
    assert caught.value.details["parameter"] == "Idempotency-Key"


def test_an_owner_has_so_many_alerts_and_no_more() -> None:
    rules.check_limit(MOST_ALERTS - 1)
    with pytest.raises(LimitReachedError, match=f"At most {MOST_ALERTS} price alerts"):
        rules.check_limit(MOST_ALERTS)


# ---- changed
def test_a_change_of_words_leaves_the_rule_where_it_is() -> None:
    watch = made(expires_at=NOW + timedelta(days=1), note="a", deliver=Deliver(telegram=1, webhooks=True))
    watch.state.armed, watch.state.previous = False, "66000"
    changed = change(watch, note="b", deliver=None, expires_at=None)
    assert (changed.rule.note, changed.rule.telegram, changed.rule.webhooks) == ("b", None, False)
    assert (changed.rule.expires_ns, changed.rule.updated_ns) == (None, LATER.now_ns)
    assert (changed.rule.revision, changed.rule.since_ns, changed.rule.since_seq) == (1, NOW_NS, 70)
    assert (changed.state.armed, changed.state.previous) == (False, "66000")
    kept = change(watch, cooldown_seconds=9)
    assert (kept.rule.cooldown_seconds, kept.rule.revision, kept.rule.note, kept.rule.telegram) == (9, 1, "a", 1)
    assert kept.rule.expires_ns == watch.rule.expires_ns


@pytest.mark.parametrize(
    "fields", [{"value": "70000"}, {"condition": "below"}, {"hysteresis": "0.2"}, {"repeat": True}], ids=str
)
def test_a_change_of_what_decides_begins_again_armed_here(fields: dict[str, Any]) -> None:
    watch = made()
    watch.state.armed, watch.state.previous, watch.state.done, watch.state.crossings = False, "66000", True, 4
    changed = change(watch, **fields)
    name, value = next(iter(fields.items()))
    assert getattr(changed.rule, name) == value
    assert (changed.rule.revision, changed.rule.since_ns, changed.rule.since_seq) == (2, LATER.now_ns, 90)
    state = changed.state
    assert (state.armed, state.previous, state.done, state.crossings) == (True, None, False, 4)


def test_the_windows_and_intervals_of_a_rule_decide_too() -> None:
    moved = made(rule={"condition": "change", "value": "1", "window_seconds": 600})
    assert change(moved, window_seconds=60).rule.revision == 2
    every = made(rule={"condition": "every", "value": None, "interval_seconds": 60})
    assert change(every, interval_seconds=120).rule.revision == 2


def test_a_hysteresis_that_is_taken_away_is_the_usual_one_again() -> None:
    assert change(made(rule={"hysteresis": "0.5"}), hysteresis=None).rule.hysteresis == "0.1"


def test_a_change_that_does_not_fit_is_refused_by_name() -> None:
    with pytest.raises(InvalidParameterError, match="every needs interval_seconds") as caught:
        change(made(), condition="every", value=None)
    assert caught.value.details["parameter"] == "condition"
    with pytest.raises(InvalidParameterError, match="future"):
        change(made(), expires_at=NOW)


def test_a_copy_has_a_state_of_its_own() -> None:
    watch = made()
    copy = rules.copied(watch)
    copy.state.crossings = 5
    assert (copy.rule, watch.state.crossings) == (watch.rule, 0)


# ---- snoozed, found, shown
def test_a_snooze_ends_by_itself_or_at_once() -> None:
    watch = made()
    snoozed = rules.snooze(watch, 60, LATER.now_ns)
    assert (snoozed.rule.snoozed_ns, snoozed.rule.updated_ns) == (LATER.now_ns + 60 * SECOND, LATER.now_ns)
    assert snoozed.state is watch.state
    assert rules.snooze(snoozed, 0, LATER.now_ns).rule.snoozed_ns == 0


def test_an_alert_of_another_owner_is_not_found() -> None:
    watch = made()
    assert rules.found(watch, ID, "alice") is watch
    for there, owner in ((watch, "bob"), (None, "alice"), (watch, None)):
        with pytest.raises(NotFoundError, match=f"There is no price alert {ID}"):
            rules.found(there, ID, owner)


def test_an_alert_is_done_expired_snoozed_or_active_in_that_order() -> None:
    watch = rules.snooze(made(expires_at=NOW + timedelta(seconds=60)), 120, NOW_NS)
    assert [rules.shown_state(watch, NOW_NS + seconds * SECOND) for seconds in (0, 60)] == ["snoozed", "expired"]
    snoozed = rules.snooze(made(), 60, NOW_NS)
    states = [rules.shown_state(snoozed, NOW_NS + after) for after in (60 * SECOND - 1, 60 * SECOND)]
    assert states == ["snoozed", "active"]
    watch.state.done = True
    assert rules.shown_state(watch, NOW_NS) == "done"


def test_an_alert_is_finished_once_its_end_was_seen_and_nothing_of_it_waits() -> None:
    watch = made(expires_at=NOW + timedelta(seconds=60))
    ends = NOW_NS + 60 * SECOND
    watch.state.clock = ends
    assert [rules.is_finished(watch, now) for now in (ends - 1, ends)] == [False, True]
    watch.state.clock = ends - 1
    assert not rules.is_finished(watch, ends)
    watch.state.clock, watch.state.held = ends, 1
    assert not rules.is_finished(watch, ends)
    assert not rules.is_finished(made(), ends)
    done = made()
    done.state.done = True
    assert rules.is_finished(done, NOW_NS)
    assert rules.FINISHED_KEPT_NS == 30 * 86_400 * SECOND


def test_an_alert_is_shown_with_all_that_its_owner_may_see() -> None:
    watch = made(
        rule={"repeat": True}, expires_at=NOW + timedelta(days=1), note="n", deliver=Deliver(telegram=3, webhooks=True)
    )
    state = watch.state
    state.crossings, state.messages, state.held, state.spoke = 5, 2, 1, NOW_NS
    state.fired_id, state.previous, state.met = "x.alert.1", "66000", Met(1, "1", None, "c", sim=False)
    shown = rules.describe(rules.snooze(watch, 60, LATER.now_ns), LATER.now_ns)
    assert (shown.id, shown.symbol, shown.exchange, shown.condition, shown.value) == (ID, *PAIR_SHOWN)
    assert (shown.repeat, shown.hysteresis, shown.cooldown_seconds, shown.note) == (True, "0.1", 300, "n")
    assert (shown.created_at, shown.updated_at) == (NOW, NOW + timedelta(seconds=60))
    assert (shown.state, shown.snoozed_until) == ("snoozed", NOW + timedelta(seconds=120))
    assert (shown.expires_at, shown.deliver) == (NOW + timedelta(days=1), Deliver(telegram=3, webhooks=True))
    assert (shown.crossings, shown.messages, shown.waiting) == (5, 2, 1)
    assert (shown.last_fired_at, shown.last_fired_id, shown.last_price) == (NOW, "x.alert.1", "66000")


PAIR_SHOWN = ("BTC/USDT", None, "above", "65000")


def test_a_snooze_that_has_ended_is_not_shown() -> None:
    snoozed = rules.snooze(made(), 60, NOW_NS)
    shown = [rules.describe(snoozed, NOW_NS + after).snoozed_until for after in (60 * SECOND - 1, 60 * SECOND)]
    assert shown == [NOW + timedelta(seconds=60), None]
    assert rules.describe(snoozed, NOW_NS).last_fired_at is None
