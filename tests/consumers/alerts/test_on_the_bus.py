"""Price alerts on a real bus and a real document server: commands, restarts, replicas, what was missed."""

from __future__ import annotations

import pytest

from contracts import streams
from runtime.clock import now_ns
from tests.consumers.alerts.conftest import SECOND, Begin, Desk, consolidated, one_venue

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]


async def test_an_alert_is_made_fires_is_changed_snoozed_and_deleted(desk: Desk, begin: Begin) -> None:
    await begin()
    made = await desk.create(
        rule={"symbol": "btcusdt"}, note="take profit", deliver={"telegram": -100, "webhooks": True}
    )
    assert {name: made[name] for name in ("symbol", "exchange", "condition", "value", "repeat", "hysteresis")} == {
        "symbol": "BTC/USDT",
        "exchange": None,
        "condition": "above",
        "value": "65000",
        "repeat": False,
        "hysteresis": "0.1",
    }
    assert (made["cooldown_seconds"], made["state"], made["crossings"]) == (300, "active", 0)
    now = now_ns()
    await desk.put([consolidated(now, "64999.90"), consolidated(now + 1, "65000.10")])
    (alert,) = await desk.until(1)
    assert alert.id == f"all.BTC.USDT.spot.alert.{made['id']}.1"
    assert (alert.price, alert.previous_price, alert.threshold, alert.late) == ("65000.10", "64999.90", "65000", False)
    assert (alert.owner, alert.note, alert.telegram, alert.webhooks) == ("alice", "take profit", -100, True)
    assert (alert.rule, alert.stands_for, alert.causes) == ("price/1", 1, [f"all.BTC.USDT.spot.ticker.{now + 1}"])
    shown = await desk.ask("find", owner="alice", id=made["id"])
    assert (shown["state"], shown["messages"], shown["last_fired_id"]) == ("done", 1, alert.id)
    changed = await desk.ask(
        "update", owner="alice", id=made["id"], change={"value": "66000", "repeat": True}, given=["value", "repeat"]
    )
    assert (changed["state"], changed["value"], changed["repeat"], changed["note"]) == (
        "active",
        "66000",
        True,
        "take profit",
    )
    silent = await desk.ask("snooze", owner="alice", id=made["id"], seconds=3600)
    assert (silent["state"], silent["snoozed_until"] is not None) == ("snoozed", True)
    await desk.put([consolidated(now_ns(), "66001")])
    assert (await desk.folded(made["id"], "66001"))["waiting"] == 1
    assert (await desk.ask("snooze", owner="alice", id=made["id"], seconds=0))["state"] == "active"
    await desk.put([consolidated(now_ns(), "66002")])
    assert (await desk.until(2))[1].id.endswith(".2")
    assert await desk.ask("delete", owner="alice", id=made["id"]) == {"id": made["id"]}
    assert (await desk.ask("find", owner="alice", id=made["id"]))["error"]["code"] == "NOT_FOUND"


async def test_an_alert_is_its_owners(desk: Desk, begin: Begin) -> None:
    await begin()
    made = await desk.create()
    for verb, fields in (
        ("find", {}),
        ("update", {"change": {"note": "x"}, "given": ["note"]}),
        ("snooze", {"seconds": 60}),
        ("delete", {}),
        ("why", {}),
    ):
        refused = await desk.ask(verb, owner="mallory", id=made["id"], **fields)
        assert refused["error"]["code"] == "NOT_FOUND", verb
    assert (await desk.ask("list", owner="mallory"))["total"] == 0
    assert (await desk.ask("list", owner="alice", symbol="BTC", state="active"))["total"] == 1
    await desk.put([consolidated(now_ns(), "65001")])
    (alert,) = await desk.until(1)
    for query in ({"owner": "mallory"}, {}):
        assert (await desk.ask("fired", **query))["total"] == 0
        assert (await desk.ask("why", id=alert.id, **query))["error"]["code"] == "NOT_FOUND"
    shown = (await desk.ask("fired", owner="alice", symbol="BTC", kind="price_alert"))["items"][0]
    assert (shown["alert"]["id"], shown["published_at"] is not None) == (alert.id, True)


async def test_an_owner_has_at_most_200_that_can_fire(desk: Desk, begin: Begin) -> None:
    await begin()
    rule = {"symbol": "ETH/USDT", "condition": "below", "value": "1"}
    made = [await desk.ask("create", owner="bob", rule=rule) for _ in range(200)]
    assert not [one for one in made if "error" in one]
    refused = await desk.ask("create", owner="bob", rule=rule)
    assert (refused["error"]["code"], refused["error"]["details"]["maximum"]) == ("LIMIT_REACHED", 200)
    assert "error" not in await desk.ask("create", owner="carol", rule=rule)
    await desk.ask("delete", owner="bob", id=made[0]["id"])
    assert "error" not in await desk.ask("create", owner="bob", rule=rule)


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"condition": "above"}, "INVALID_PARAMETER"),
        ({"condition": "above", "value": "0.0"}, "INVALID_PARAMETER"),
        ({"condition": "change", "value": "1"}, "INVALID_PARAMETER"),
        ({"condition": "every", "interval_seconds": 60, "value": "1"}, "INVALID_PARAMETER"),
        ({"condition": "above", "value": "1", "symbol": "NOPE"}, "INVALID_SYMBOL"),
        ({"condition": "above", "value": "1", "exchange": "nowhere"}, "UNKNOWN_VENUE"),
    ],
)
async def test_what_makes_no_rule_is_refused(desk: Desk, begin: Begin, rule: dict[str, object], code: str) -> None:
    await begin()
    refused = await desk.ask("create", owner="alice", rule={"symbol": "BTC/USDT", **rule})
    assert refused["error"]["code"] == code


async def test_a_named_request_makes_one_alert(desk: Desk, begin: Begin) -> None:
    await begin()
    first, second = [await desk.create(request_key="abc123") for _ in range(2)]
    assert first["id"] == second["id"]
    rule = {"symbol": "BTC/USDT", "condition": "above", "value": "1"}
    other = await desk.ask("create", owner="alice", rule=rule, request_key="abc123")
    assert other["error"]["code"] == "CONFLICT"


async def test_a_one_shot_fires_once_over_two_restarts_and_two_replicas(desk: Desk, begin: Begin) -> None:
    first, second = await begin(), await begin()
    made = await desk.create(rule={"cooldown_seconds": 0})
    now = now_ns()

    async def swing() -> None:
        nonlocal now
        now = max(now_ns(), now + 2)
        await desk.put([consolidated(now, "64000"), consolidated(now + 1, "66000")])

    await swing()
    (alert,) = await desk.until(1)
    await first.stop()
    await swing()
    third = await begin()
    await second.stop()
    await swing()
    await begin()
    await third.stop()
    await swing()
    repeated = await desk.create(rule={"cooldown_seconds": 0})
    await swing()
    found = await desk.until(2)
    assert [one.rule_id for one in found] == [made["id"], repeated["id"]]
    assert found[0].id == alert.id
    assert (await desk.ask("find", owner="alice", id=made["id"]))["messages"] == 1


async def test_a_crossing_while_everything_was_down_is_reported_late_and_once(desk: Desk, begin: Begin) -> None:
    down = await begin()
    made = await desk.create(rule={"repeat": True, "cooldown_seconds": 60})
    then = now_ns() - 3600 * SECOND
    await desk.put([consolidated(then, "64000")])
    await desk.folded(made["id"], "64000")
    await down.stop()
    await desk.put(
        [consolidated(then + number * SECOND, "66000" if number % 2 else "64000") for number in range(1, 241)]
    )
    await begin()
    found = await desk.until(4)
    assert [one.late for one in found] == [True] * 4
    shown = await desk.folded(made["id"], "64000")
    assert (shown["crossings"], shown["messages"]) == (120, len(await desk.told()))
    assert sum(one.stands_for for one in await desk.told()) + shown["waiting"] == 120


async def test_the_median_of_the_venues_stands_in_where_the_consolidated_price_is_silent(
    desk: Desk, begin: Begin
) -> None:
    await begin()
    made = await desk.create()
    now = now_ns() - 120 * SECOND  # too old for the market core, which would make a price of its own
    spoken = [one_venue(venue, now + 4 * SECOND, "70000") for venue in ("binance", "bybit", "okx")]
    await desk.put([consolidated(now, "64000"), *spoken])
    assert (await desk.folded(made["id"], "64000"))["messages"] == 0
    later = now + 7 * SECOND
    await desk.put([one_venue("binance", later, "64900"), one_venue("bybit", later + 1, "65100")])
    await desk.put([one_venue("okx", later + 2, "65050")])
    (alert,) = await desk.until(1)
    assert (alert.price, alert.causes) == ("70000", [f"binance.BTC.USDT.spot.ticker.{later}"])


async def test_alerts_of_one_exchange_look_at_its_price_only(desk: Desk, begin: Begin) -> None:
    await begin()
    made = await desk.create(rule={"exchange": "binance"})
    now = now_ns()
    await desk.put([consolidated(now, "66000"), one_venue("bybit", now, "66000"), one_venue("binance", now, "64000")])
    await desk.folded(made["id"], "64000")
    assert await desk.told() == []
    await desk.put([one_venue("binance", now + 1, "65000")])
    (alert,) = await desk.until(1)
    assert (alert.venue, alert.id.partition(".alert.")[0]) == ("binance", "binance.BTC.USDT.spot")


async def test_owners_alerts_are_on_a_stream_of_their_own(desk: Desk, begin: Begin) -> None:
    await begin()
    await desk.create()
    await desk.put([consolidated(now_ns(), "66000")])
    assert len(await desk.until(1, streams.OWN_ALERTS)) == 1
    assert await desk.told(streams.SIGNALS) == []
