"""Each alert rule fires on series as a fault gives them, not before, and clears when the fault is over: by promtool."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.deploy.shipped.test_observability import FOLDER, PROMTOOL, RULES

SECONDS = 60  # between samples and evaluations, so that promtool is done in seconds
MISSED_SECONDS = 30  # the same where scrapes are missed: a minute has at least one that was not
BEFORE, FAULT, AFTER = 15, 60, 75  # samples, so minutes: the last is longer than any window
GONE = "_"
Samples = tuple[str, ...]


def gauge(well: float | str, wrong: float | str) -> Samples:
    return (str(well),) * BEFORE + (str(wrong),) * FAULT + (str(well),) * AFTER


def counter(well: float, wrong: float) -> Samples:
    """A counter that grows so much from one sample to the next."""
    total, found = 0.0, list[str]()
    for step in (well,) * BEFORE + (wrong,) * FAULT + (well,) * AFTER:
        total += step
        found.append(f"{total:g}")
    return tuple(found)


def first_drop() -> Samples:
    """A counter without a series until something was dropped, and that once only."""
    return (GONE,) * BEFORE + ("7",) * (FAULT + AFTER)


def buckets(name: str, labels: str, limits: tuple[str, str]) -> dict[str, Samples]:
    """A histogram whose values are below the first limit while all is well, and between both while not."""
    low, high = limits
    return {
        f'{name}_bucket{{{labels},le="{low}"}}': counter(10, 0),
        f'{name}_bucket{{{labels},le="{high}"}}': counter(10, 10),
        f'{name}_bucket{{{labels},le="+Inf"}}': counter(10, 10),
    }


def seconds(route: str, well: float, wrong: float) -> dict[str, Samples]:
    """The time of answers of a route, in seconds each."""
    name = "hydrophone_http_request_seconds"
    return {
        f'{name}_sum{{route="{route}"}}': counter(10 * well, 10 * wrong),
        f'{name}_count{{route="{route}"}}': counter(10, 10),
    }


def consumer(name: str, event: str) -> str:
    return f'hydrophone_consumer_events{{consumer="{name}",event="{event}"}}'


HOP = "hydrophone_hop_seconds"
CASES: dict[str, dict[str, Samples]] = {
    "PartDown": {'up{job="consumers",instance="a"}': gauge(1, 0)},
    "NoConsumers": {'hydrophone_feed_state{venue="okx"}': gauge(0, GONE)},
    "ConsumerKeepsFailing": {'hydrophone_consumer_restarts_total{consumer="whales"}': counter(0, 0.5)},
    "FeedDown": {'hydrophone_feed_state{venue="okx"}': gauge(0, 5)},
    "FeedNotLive": {'hydrophone_feed_state{venue="htx"}': gauge(0, 3)},
    "NoTrades": {'hydrophone_producer_events_total{venue="okx",event="trade"}': counter(20, 0)},
    "FramesUndecodable": {'hydrophone_producer_undecodable_total{venue="okx"}': counter(0, 1)},
    "BookWrong": {'hydrophone_producer_audits_total{venue="okx",outcome="wrong"}': counter(0, 0.1)},
    "TradesMissing": {'hydrophone_producer_trades_missing_total{venue="okx"}': counter(0, 3)},
    "ClockOff": {'hydrophone_feed_clock_offset_seconds{venue="okx"}': gauge(0.01, -3)},
    "ReceiveSlow": buckets(HOP, 'hop="receive",venue="okx",kind="trade"', ("0.1", "5")),
    "ProducerBehind": buckets(HOP, 'hop="publish",venue="okx",kind="trade"', ("0.01", "1")),
    "CacheBehind": buckets(HOP, 'hop="fold",venue="okx",kind="trade"', ("0.1", "5")),
    "BusAway": {'hydrophone_bus_connected{job="api"}': gauge(1, 0)},
    "MessagesDropped": {'hydrophone_bus_dropped_total{job="consumers",event="md.v1.trade"}': first_drop()},
    "DurableBehind": {'hydrophone_durable_pending{stream="JOBS",durable="telegram_urgent"}': gauge(3, 1500)},
    "EffectsNearlyFull": {
        'hydrophone_stream_bytes{stream="JOBS"}': gauge(1e6, 9e7),
        'hydrophone_stream_limit_bytes{stream="JOBS"}': gauge(1e8, 1e8),
    },
    "MadeAgain": {'hydrophone_provision_healed_total{place="stream MARKET"}': counter(0, 1)},
    "DeadLetters": {'hydrophone_stream_messages{stream="DLQ"}': counter(0, 1)},
    "AnswersFail": {
        'hydrophone_http_requests_total{status="503"}': counter(0, 1),
        'hydrophone_http_requests_total{status="200"}': counter(50, 50),
    },
    "AnswersSlow": seconds("/gpt/raw", 0.02, 0.9),
    "HealthSlow": seconds("/health/ready", 0.001, 0.02),
    "CacheMisses": {
        'hydrophone_cache_hits_total{class="live"}': counter(90, 10),
        'hydrophone_cache_misses_total{class="live"}': counter(10, 90),
    },
    "StreamClientsSlow": {"hydrophone_stream_closed_slow_total": counter(0, 30)},
    "WebhooksFailing": {consumer("webhooks", "endpoints.open"): gauge(0, 2)},
    "TelegramWaits": {consumer("telegram", "waiting_urgent"): gauge(0, 400)},
    "TelegramFails": {consumer("telegram", "failed"): counter(0, 1)},
}


ALONE = ("NoConsumers", "HealthSlow")  # by series that others have too
FIRST_DROP = ("MessagesDropped",)  # is an alert for ten minutes


def checks(alert: str, seconds: int) -> list[dict[str, object]]:
    """How many of an alert fire before the fault, at its end, and long after it."""
    fires = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)'
    end_of_fault = BEFORE + (5 if alert in FIRST_DROP else FAULT)
    moments = ((BEFORE - 1, 0), (end_of_fault - 1, 1), (BEFORE + FAULT + AFTER - 1, 0))
    return [
        {"expr": fires, "eval_time": f"{at * seconds}s", "exp_samples": [{"labels": "{}", "value": value}]}
        for at, value in moments
    ]


def missed(samples: Samples) -> Samples:
    """Every fourth scrape was missed: Prometheus marks the series as stale until the next one."""
    return tuple("stale" if place % 4 == 3 else sample for place, sample in enumerate(samples))


def unit_test(cases: dict[str, dict[str, Samples]], seconds: int = SECONDS) -> dict[str, object]:
    """What promtool evaluates: faults at one time, each of which fires its own rule; `seconds` between samples."""
    series = {name: samples for one in cases.values() for name, samples in one.items()}
    return {
        "interval": f"{seconds}s",
        "input_series": [{"series": name, "values": " ".join(samples)} for name, samples in series.items()],
        "promql_expr_test": [check for alert in cases for check in checks(alert, seconds)],
    }


def run_promtool(
    place: Path, cases: Sequence[dict[str, object]], seconds: int = SECONDS
) -> subprocess.CompletedProcess[str]:
    file = place / "rules.test.yml"
    document = {"rule_files": [str(FOLDER / "alerts.yml")], "evaluation_interval": f"{seconds}s", "tests": cases}
    file.write_text(json.dumps(document))
    return subprocess.run([str(PROMTOOL), "test", "rules", str(file)], capture_output=True, text=True, check=False)


def test_every_rule_has_a_fault() -> None:
    assert sorted(CASES) == sorted(rule["alert"] for rule in RULES)


@pytest.mark.skipif(PROMTOOL is None, reason="no promtool (Debian's package prometheus)")
def test_every_rule_fires_in_its_fault_and_clears_after_it(tmp_path: Path) -> None:
    together = {alert: series for alert, series in CASES.items() if alert not in ALONE}
    cases = [together, *({alert: CASES[alert]} for alert in ALONE)]
    done = run_promtool(tmp_path, [unit_test(one) for one in cases])
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]


@pytest.mark.skipif(PROMTOOL is None, reason="no promtool (Debian's package prometheus)")
def test_a_rule_that_does_not_fire_is_found_out(tmp_path: Path) -> None:
    healthy = {'up{job="consumers",instance="a"}': gauge(1, 1)}
    assert run_promtool(tmp_path, [unit_test({"PartDown": healthy})]).returncode != 0


def test_a_rule_that_waits_reads_a_range() -> None:
    alone = {"PartDown", "NoConsumers"}  # by what Prometheus itself writes of each scrape, or does not
    waiting = {rule["alert"]: rule["expr"] for rule in RULES if "for" in rule and rule["alert"] not in alone}
    assert [alert for alert, expr in waiting.items() if not re.search(r"\[\d+m\]", expr)] == []


@pytest.mark.skipif(PROMTOOL is None, reason="no promtool (Debian's package prometheus)")
def test_a_missed_scrape_does_not_begin_the_wait_of_a_rule_once_more(tmp_path: Path) -> None:
    gauges = {rule["alert"] for rule in RULES if "last_over_time" in rule["expr"]}
    assert len(gauges) >= 8
    cases = {
        alert: {name: missed(samples) for name, samples in series.items()}
        for alert, series in CASES.items()
        if alert in gauges
    }
    done = run_promtool(tmp_path, [unit_test(cases, MISSED_SECONDS)], MISSED_SECONDS)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
