"""A simulated hour on a real stream: alerts and moments without one are explained, a dry run counts the same."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from consumers.alerts.core import PriceWatch, Rule, State
from consumers.alerts.explaining.prices import LOOK_BACK_NS
from consumers.alerts.handlers import AlertsPlan
from consumers.alerts.rules import Here, Resolved, create
from consumers.alerts.store import AlertStore, StaleHolderError
from consumers.alerts.watching import Watchlist
from contracts import codec, streams
from contracts.market import Liquidation
from contracts.services.alerts import CreateAlert, PriceRule
from contracts.signals import WhaleTrade
from runtime.clock import now_ns
from runtime.store import Store
from tests.consumers.alerts.conftest import SECOND, Begin, Desk, consolidated, one_venue

pytestmark = [pytest.mark.nats, pytest.mark.timeout(300)]
HOUR = 3600
MOST_SECONDS = 1.0  # 99 of 100 explanations
ROUNDS = 3
VENUES = ("binance", "bybit", "okx")
RULES: tuple[dict[str, Any], ...] = (
    {"condition": "above", "value": "65000", "repeat": True, "cooldown_seconds": 60},
    {"condition": "above", "value": "65100", "repeat": True, "cooldown_seconds": 0, "hysteresis": "0.05"},
    {"condition": "below", "value": "64900", "repeat": True, "cooldown_seconds": 30},
    {"condition": "below", "value": "64000"},
    {"condition": "crosses", "value": "65000", "repeat": True, "cooldown_seconds": 300},
    {"condition": "crosses", "value": "65020.5", "repeat": True, "cooldown_seconds": 0},
    {"condition": "change", "value": "0.3", "window_seconds": 120, "repeat": True, "cooldown_seconds": 0},
    {"condition": "change", "value": "0.5", "window_seconds": 600, "repeat": True},
    {"condition": "every", "interval_seconds": 300},
    {"condition": "above", "value": "65050", "repeat": False},
    {"condition": "crosses", "value": "65010", "exchange": "binance", "repeat": True, "cooldown_seconds": 120},
    {"condition": "above", "value": "99000", "repeat": True},
)


def hour(start: int) -> list[tuple[str, Any]]:
    """A price that wanders round 65,000; the consolidated one is away for two minutes, and stale for one."""
    chance, price, events = random.Random(9), 65000.0, list[tuple[str, Any]]()
    for second in range(HOUR):
        ts = start + second * SECOND + 1
        price += chance.gauss((65000 - price) * 0.008, 12)
        if not 1200 <= second < 1320:
            quality = "stale" if 2000 <= second < 2060 else "live"
            events.append(consolidated(ts, f"{price:.2f}", quality=quality))
        if second % 2 == 0:
            for place, venue in enumerate(VENUES):
                events.append(one_venue(venue, ts + place + 1, f"{price + chance.gauss(0, 3):.2f}"))
    return events


def watches(start: int, seq: int) -> list[PriceWatch]:
    made: list[PriceWatch] = []
    for number, parts in enumerate(RULES):
        request = CreateAlert(owner="alice", rule=PriceRule(symbol="BTC/USDT", **parts))
        venue = parts.get("exchange", "all")
        resolved = Resolved("BTC/USDT", f"{venue}.BTC.USDT.spot", parts.get("exchange"))
        made.append(create(request, f"{number:016x}", resolved, Here(start, seq)))
    return made


@dataclass
class Truth:
    """What a rule decided, price by price."""

    prices: list[tuple[int, int, bool]]  # time, how often it was met, whether it spoke
    alerts: list[Any]

    def at(self, moment: int, end: int) -> str:
        within = [one for one in self.prices if moment < one[0] <= end]
        if any(spoke for _, _, spoke in within):
            return "fired"
        if any(met for _, met, _ in within):
            return "held"
        return "not_met" if within else "no_data"


def truth_of(watch: PriceWatch, events: list[tuple[str, Any]]) -> Truth:
    alone, seen, found = Watchlist(), list[int](), Truth([], [])
    rule = Rule(**{name: getattr(watch.rule, name) for name in Rule.__struct_fields__})
    alone.load([(rule, State())])
    state = next(iter(alone)).state
    for number, (subject, event) in enumerate(events, start=10_000_000_000):
        seen.clear()
        before = state.crossings
        decided = alone.fold(subject, event, number, look=lambda price: seen.append(price.ts))
        found.alerts += [one.alert for one in decided]
        if seen:
            found.prices.append((seen[0], state.crossings - before, bool(decided)))
    return found


def large(number: int, ts: int, amount: str, side: str = "long") -> tuple[str, Any]:
    fields = dict.fromkeys(Liquidation.model_fields)
    fields |= {"id": f"bybit.BTC.USDT.perp.liquidation.{number}", "venue": "bybit", "symbol": "BTC/USDT:USDT"}
    fields |= {"ts_event": ts, "ts_recv": ts, "sim": False, "price": "65000", "price_kind": "fill", "amount": amount}
    fields |= {"position_side": side, "order_side": "sell", "sampled": False}
    return "md.v1.liquidation.bybit.BTC.USDT.perp", codec.fast(Liquidation)(**fields)


def whale(number: int, ts: int) -> tuple[str, Any]:
    fields = {"id": f"okx.BTC.USDT.spot.whale.{number}", "venue": "okx", "symbol": "BTC/USDT", "venue_symbol": None}
    fields |= {"ts_event": ts, "ts_recv": ts, "sim": False, "side": "buy", "price": "65000", "amount": "20"}
    fields |= {"usd_value": "1300000", "usd_rate": "1", "usd_rate_source": "peg", "tier": "majors"}
    fields |= {"threshold_usd": "1000000", "trade_ids": ["t"], "rule": "whale/1"}
    return "signal.v1.whale.okx.BTC.USDT.spot", codec.fast(WhaleTrade)(**fields)


@dataclass
class Asked:
    """What was asked, and how long each answer took."""

    desk: Desk
    took: list[float] = field(default_factory=list[float])

    async def __call__(self, verb: str, **fields: Any) -> dict[str, Any]:
        began = time.perf_counter()
        answer = await self.desk.ask(verb, owner="alice", **fields)
        self.took.append(time.perf_counter() - began)
        assert "error" not in answer, answer
        return answer


async def check_why(asked: Asked, alert: Any) -> None:
    why = await asked("why", id=alert.id)
    assert (why["decision"], why["same"], why["read"][0]["complete"]) == ("fired", True, True), why
    assert why["comparisons"], why
    assert all(one["holds"] for one in why["comparisons"]) or alert.fired_at != alert.ts_recv
    assert why["deliveries"][0] == {**why["deliveries"][0], "to": "bus", "state": "done"}


async def check_moment(asked: Asked, rule_id: str, truth: Truth, at: int) -> str:
    answer = await asked("why_not", rule=rule_id, at=at)
    decision = truth.at(at - LOOK_BACK_NS, at)
    if decision != answer["decision"]:  # held from before the minute
        assert (decision, answer["decision"]) == ("not_met", "held"), answer
        assert answer["cooldown"]["until"] > at
    return str(answer["decision"])


async def test_who_had_the_lease_before_changes_and_revives_nothing(plan: AlertsPlan) -> None:
    store, now = Store(plan.documents), now_ns()
    watch = watches(now - 2 * HOUR * SECOND, 0)[0]
    old, new = AlertStore(store, 1), AlertStore(store, 2)
    await old.add(watch, now)
    await new.save(watch, now)
    with pytest.raises(StaleHolderError):
        await old.save(watch, now)
    await new.delete(watch.rule.id)
    with pytest.raises(StaleHolderError):
        await old.save(watch, now)
    assert [pair async for pair in new.every()] == []
    await store.close()


@pytest.mark.parametrize(("alerts", "moments"), [(15, 40), pytest.param(None, 200, marks=pytest.mark.long)])
async def test_alerts_of_an_hour_are_explained_and_moments_without_one_too(
    desk: Desk, begin: Begin, plan: AlertsPlan, alerts: int | None, moments: int
) -> None:
    start = now_ns() - 2 * HOUR * SECOND
    events, store = hour(start), Store(plan.documents)
    for watch in watches(start, 0):
        await AlertStore(store, 1).add(watch, now_ns())
    await store.close()
    truths = {watch.rule.id: truth_of(watch, events) for watch in watches(start, 0)}
    expected = sorted(alert.id for truth in truths.values() for alert in truth.alerts)
    assert len(expected) > 60
    await begin()
    await desk.put(events)
    found = await desk.until(len(expected), seconds=120)
    assert sorted(alert.id for alert in found) == expected
    asked, chance = Asked(desk), random.Random(5)
    wanted = found if alerts is None else chance.sample(found, alerts)
    for alert in wanted:
        await check_why(asked, alert)
    decisions: Counter[str] = Counter()
    for _ in range(moments):
        rule_id, at = chance.choice(sorted(truths)), start + chance.randrange(30, HOUR) * SECOND + 7
        decisions[await check_moment(asked, rule_id, truths[rule_id], at)] += 1
    if alerts is None:
        assert decisions.keys() >= {"fired", "held", "not_met"}, decisions
    for number, parts in enumerate(RULES):
        truth = truths[f"{number:016x}"]
        rule = {"symbol": "BTC/USDT", **parts}
        dry = await desk.ask("dry_run", price=rule, start=start, end=start + HOUR * SECOND)
        assert dry["count"] == len(truth.alerts), (parts, dry)
        assert dry["crossings"] == sum(met for _, met, _ in truth.prices)
    if alerts is None:
        await check_speed(asked, found, decisions)


async def check_speed(asked: Asked, found: list[Any], decisions: Counter[str]) -> None:
    """99 of 100 answers come within a second, in one of several rounds: the machine may be busy in the others."""
    rounds = [percentile(asked.took, 0.99)]
    print(f"{len(found)} alerts, {decisions}, p50 {percentile(asked.took, 0.5):.3f} s, p99 {rounds[0]:.3f} s")
    while len(rounds) < ROUNDS and rounds[-1] >= MOST_SECONDS:  # the machine was busy: once more
        again = Asked(asked.desk)
        for alert in found:
            await check_why(again, alert)
        rounds.append(percentile(again.took, 0.99))
    assert min(rounds) < MOST_SECONDS, rounds


def percentile(took: list[float], share: float) -> float:
    return sorted(took)[int(len(took) * share)]


async def test_everybody_is_notified_of_large_liquidations_and_signals_once_a_cooldown(
    desk: Desk, begin: Begin
) -> None:
    down = await begin()
    now = now_ns() - 1000 * SECOND
    await desk.put([large(1, now, "1"), large(2, now, "8"), large(3, now + 1, "9"), large(4, now + 2, "9", "short")])
    await desk.put([whale(number, now + number * 30 * SECOND) for number in range(10)])
    await desk.until(3, streams.SIGNALS)
    await down.stop()
    await desk.put([large(5, now + 299 * SECOND, "20"), large(6, now + 301 * SECOND, "21")])
    await desk.put([whale(10, now + 300 * SECOND)])
    await begin()
    found = await desk.until(5, streams.SIGNALS)
    reported = [(alert.alert, alert.side, alert.stands_for, alert.usd_value) for alert in found]
    assert sorted(reported, key=str) == [
        ("liquidation", "long", 1, "520000.00"),
        ("liquidation", "long", 3, "1365000.00"),
        ("liquidation", "short", 1, "585000.00"),
        ("whale", "buy", 1, "1300000"),
        ("whale", "buy", 10, "1300000"),
    ]
    assert all(alert.late and alert.owner is None for alert in found)
    for alert in found:
        why = await desk.ask("why", id=alert.id)
        assert (why["decision"], why["same"]) == ("fired", True), why
        silent = [line for line in why["missing"] if "whales does not answer" in line]
        assert bool(silent) == (alert.alert == "whale")
        assert len([one for one in why["events"] if one["sequence"]]) == alert.stands_for
    small = await desk.ask("why_not", rule="liquidation", symbol="BTC/USDT:USDT", at=now + 30 * SECOND)
    assert small["decision"] == "fired"
    held = await desk.ask("why_not", rule="liquidation", symbol="BTC/USDT:USDT", at=now + 299 * SECOND)
    assert (held["decision"], held["cooldown"]["until"] - held["cooldown"]["since"]) == ("held", 300 * SECOND)
    nothing = await desk.ask("why_not", rule="liquidation", symbol="BTC/USDT:USDT", at=now + 200 * SECOND)
    assert nothing["decision"] == "no_data"
    dry = await desk.ask("dry_run", rule="liquidation", start=now, end=now + 400 * SECOND)
    assert (dry["count"], dry["crossings"]) == (3, 5)
    signal = await desk.ask("why", id="okx.BTC.USDT.spot.whale.1")
    assert signal["missing"] == ["whales does not answer"]


async def test_what_is_not_there_is_said(desk: Desk, begin: Begin) -> None:
    await begin()
    assert (await desk.ask("why", id="nothing"))["error"]["code"] == "NOT_FOUND"
    assert (await desk.ask("why", id="f" * 16, owner="alice"))["error"]["code"] == "NOT_FOUND"
    assert (await desk.ask("why_not", rule="whale", at=1))["error"]["details"]["parameter"] == "symbol"
    assert (await desk.ask("why_not", rule="weather", at=1, symbol="BTC"))["error"]["code"] == "INVALID_PARAMETER"
    rule = {"symbol": "BTC/USDT", "condition": "above", "value": "1"}
    assert (await desk.ask("dry_run", price=rule, start=2, end=1))["error"]["details"]["parameter"] == "end"
    assert (await desk.ask("dry_run", start=1, end=2))["error"]["code"] == "INVALID_PARAMETER"
    made = await desk.create()
    silent = await desk.ask("why", id=made["id"], owner="alice")
    assert (silent["error"]["code"], "why-not" in silent["error"]["message"]) == ("NOT_FOUND", True)
    answer = await desk.ask("why_not", rule=made["id"], at=now_ns(), owner="alice")
    assert (answer["decision"], answer["missing"]) == ("no_data", ["no price within the minute before"])
