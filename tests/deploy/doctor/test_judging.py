"""Planted facts, each named with its fix; and facts of a healthy system, of which nothing is said."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.doctor import judging, judging_bus
from deploy.doctor.facts import (
    ApiFact,
    CertificateFact,
    ClockFact,
    CopyFact,
    DataFact,
    DocumentsFact,
    DurableFact,
    FeedFact,
    ItemFact,
    KeyFact,
    PortFact,
    ServerFact,
    TelegramFact,
    VenueFact,
)
from deploy.doctor.faults import FAULTS, write_table
from deploy.doctor.running import Check, run_checks

GB, SECOND, DAY, NOW = 10**9, 10**9, 86_400 * 10**9, 1_800_000_000 * 10**9
DATA = DataFact(path="/data", user="hydra", free=50 * GB, total=100 * GB, needed=4 * GB)
DURABLE = DurableFact(
    place="durable JOBS/telegram_urgent", pending=0, unacked=0, pulls=1, delivered=7, last_active=NOW, ack_wait=30
)
UNREAD = replace(DURABLE, pulls=0, pending=3)
HELD = replace(DURABLE, pulls=0, unacked=2, last_active=NOW - 61 * SECOND)
BOT = TelegramFact("https://api.telegram.org", 200, name="hydra_bot")
VENUE = VenueFact(venue="okx", url="https://www.okx.com", status=200)
OFF = tuple(ClockFact(name, 12.0, 0.6) for name in ("okx", "kraken"))
REFUSED_KEY = "this key can withdraw: make one without 'Withdrawal'"


def looks(*facts):
    return [{fact.place: fact} for fact in facts]


PLANTED = [
    (judging.judge_settings(["GPT_API_PORT: must be a valid integer"], ()), "setting_wrong", "correct GPT_API_PORT"),
    (judging.judge_settings((), ["GPT_API_PROT is no setting; did you mean GPT_API_PORT?"]), "setting_unknown",
     "remove GPT_API_PROT"),
    (judging.judge_needed(documents=False, keys=True), "setting_missing", "set MONGO_URL"),
    (judging.judge_needed(documents=True, keys=False), "setting_missing", "set HYDROPHONE_ADMIN_KEYS"),
    (judging.judge_data(replace(DATA, problem="Read-only file system")), "data_not_writable", "chown -R hydra /data"),
    (judging.judge_data(replace(DATA, free=GB // 100)), "disk_full", "free 55 MB on the disk of /data"),
    (judging.judge_data(replace(DATA, free=3 * GB)), "disk_small", "HYDROPHONE_STREAM_SCALE"),
    (judging.judge_ports([PortFact("GPT_API_PORT", "0.0.0.0", 8000, free=False)]), "port_taken", "set GPT_API_PORT"),
    (judging.judge_copy(CopyFact("/data/run.json", "demo", "/data/logs", {"api": False, "bus": False})), "copy_dead",
     "rm /data/run.json, then make demo"),
    (judging.judge_copy(CopyFact("/data/run.json", "run", "/data/logs", {"api": False, "bus": True})), "part_dead",
     "read /data/logs/api.log"),
    (judging_bus.judge_connection("bus:4222", "'Authorization Violation'"), "bus_refused", "NATS_USER"),
    (judging_bus.judge_connection("bus:4222", "Connect call failed"), "bus_unreachable", "NATS_URL"),
    (judging_bus.judge_servers([ServerFact("http://a:8222", syncs=False)], trusted=True), "bus_not_syncing",
     "sync_interval: always"),
    (judging_bus.judge_servers([], trusted=False), "bus_sync_unknown", "NATS_MONITOR_URLS="),
    (judging_bus.judge_servers([ServerFact("http://a:8222", write_error="no space left")], trusted=True),
     "bus_cannot_write", "make room"),
    (judging_bus.judge_servers([ServerFact("http://a:8222", problem="refused")], trusted=True), "monitor_unreachable",
     "http_port: 8222"),
    (judging_bus.judge_items([ItemFact("stream MARKET", missing=True)]), "missing", "python -m runtime.provision"),
    (judging_bus.judge_items([ItemFact("bucket STATE", missing=False, drifts=(("bucket STATE: max_age is 1", True),))]),
     "drifted", "python -m runtime.provision"),
    (judging_bus.judge_items([ItemFact("durable SIGNALS/clusters", missing=False, drifts=(("it: x", False),))]),
     "drifted_unsafe", "nats consumer rm SIGNALS clusters"),
    (judging_bus.judge_durables(looks(UNREAD, UNREAD), NOW), "durable_unread", "python -m consumers telegram"),
    (judging_bus.judge_durables(looks(HELD, HELD), NOW), "durable_unread", "python -m consumers telegram"),
    (judging_bus.judge_letters({"alerts": 2}), "dead_letters", "GET /admin/deadletters?consumer=alerts"),
    (judging_bus.judge_feeds([FeedFact("okx", "down", "cannot be reached")], ()), "feed_down", "producers okx"),
    (judging_bus.judge_feeds([FeedFact("okx", "stale", None)], ()), "feed_stale", "/admin/feeds/okx/reconnect"),
    (judging_bus.judge_feeds([], ["okx"]), "feed_missing", "python -m producers okx"),
    (judging_bus.judge_feeds(None, ["okx"]), "market_away", "python -m consumers market"),
    (judging.judge_clock(OFF), "clock_off", "timedatectl set-ntp true"),
    (judging.judge_clock([ClockFact("the bus server", -3.0, 0.01)]), "clock_off", "timedatectl set-ntp true"),
    (judging.judge_certificates([CertificateFact("NATS_TLS_CERT", "/c.pem", NOW - 400 * DAY, NOW - DAY)], NOW),
     "certificate_expired", "NATS_TLS_CERT"),
    (judging.judge_certificates([CertificateFact("NATS_TLS_CERT", "/c.pem", NOW - 80 * DAY, NOW + 9 * DAY)], NOW),
     "certificate_expiring", "NATS_TLS_CERT"),
    (judging.judge_certificates([CertificateFact("NATS_TLS_CA", "/c.pem", problem="no PEM")], NOW),
     "certificate_unreadable", "NATS_TLS_CA"),
    (judging.judge_documents(DocumentsFact("db:27017", "no server")), "documents_unreachable", "MONGO_URL"),
    (judging.judge_documents(DocumentsFact("db:27017", "Authentication failed.", refused=True)), "documents_refused",
     "user and password in MONGO_URL"),
    (judging.judge_telegram(replace(BOT, status=401, description="Unauthorized")), "telegram_refused", "@BotFather"),
    (judging.judge_telegram(replace(BOT, reads_groups=False)), "telegram_privacy", "/setprivacy, choose @hydra_bot"),
    (judging.judge_telegram(replace(BOT, status=None, problem="ConnectError")), "telegram_unreachable",
     "TELEGRAM_API_BASE_URL"),
    (judging.judge_telegram(replace(BOT, status=502, description="Bad Gateway")), "telegram_unreachable",
     "TELEGRAM_API_BASE_URL"),
    (judging.judge_venues([replace(VENUE, status=None, problem="no route")]), "venue_unreachable", "take okx out"),
    (judging.judge_venues([replace(VENUE, status=503, refusal="maintenance")]), "venue_unreachable", "take okx out"),
    (judging.judge_venues([replace(VENUE, status=418, refusal="IP banned", pause=120.0)]), "venue_banned", "okx"),
    (judging.judge_venues([replace(VENUE, status=451)]), "venue_banned", "take okx out of HYDROPHONE_VENUES"),
    (judging.judge_pauses({"okx": NOW + 600 * SECOND}, NOW), "venue_banned", "GPT_API_EXCHANGE_RATE_LIMIT"),
    (judging.judge_unknown_venues(["okx", "mtgox"], ["okx"]), "venue_unknown", "take mtgox out"),
    (judging.judge_api(ApiFact("http://api", None, problem="refused")), "api_unreachable", "python -m api"),
    (judging.judge_api(ApiFact("http://api", 503, ("bus",))), "api_not_ready", "start what it waits for: bus"),
    (judging.judge_keys([KeyFact("main", "bybit", REFUSED_KEY)]), "key_withdraws", "key at bybit without withdrawals"),
    (judging.judge_keys([KeyFact("main", "bybit", "the key is wrong")]), "key_wrong", "make a key at bybit"),
    (judging.judge_keys([KeyFact("main", "bybit", "does not open", sealed=True)]), "key_sealed", "APP_SECRET_KEY_OLD"),
]  # fmt: skip


@pytest.mark.parametrize(("findings", "code", "fix"), PLANTED, ids=[f"{number}-{item[1]}" for number, item in enumerate(PLANTED)])  # fmt: skip  # noqa: E501
def test_a_planted_fault_is_named_with_its_fix(findings, code, fix):
    (found,) = findings
    assert found.code == code
    assert fix in found.fix
    assert found.where
    assert found.what
    assert found.why
    assert "{" not in found.why + found.fix.replace("{ sync_interval: always }", "")


def test_every_kind_of_fault_is_planted_here():
    running = {"check_timed_out", "check_failed"}
    assert {item[1] for item in PLANTED} | running == set(FAULTS)


HEALTHY = [
    judging.judge_settings((), ["REDIS_URL is accepted and not used: the cache lives on the bus"]),
    judging.judge_needed(documents=True, keys=True),
    judging.judge_data(DATA),
    judging.judge_data(replace(DATA, free=GB, held=3 * GB)),
    judging.judge_ports([PortFact("GPT_API_PORT", "0.0.0.0", 8000, free=True)]),
    judging.judge_copy(CopyFact("/data/run.json", "run", "/data/logs", {"api": True})),
    judging_bus.judge_servers([ServerFact("http://a:8222")], trusted=False),
    judging_bus.judge_servers([], trusted=True),
    judging_bus.judge_items([ItemFact("stream MARKET", missing=False)]),
    judging_bus.judge_letters({"alerts": 0}),
    judging_bus.judge_feeds([FeedFact("okx", "live", None), FeedFact("kraken", "gap", None)], ["okx"]),
    judging.judge_clock([*OFF, *(ClockFact(str(number), 0.1, 0.6) for number in range(2))]),
    judging.judge_clock([ClockFact("slow", 3.0, 2.5)]),
    judging.judge_certificates([CertificateFact("NATS_TLS_CERT", "/c", NOW - DAY // 2, NOW + DAY // 2)], NOW),
    judging.judge_telegram(BOT),
    judging.judge_telegram(replace(BOT, reads_groups=False), groups=False),
    judging.judge_venues([VENUE]),
    judging.judge_pauses({"okx": NOW + SECOND}, NOW),
    judging.judge_api(ApiFact("http://api", 200)),
    judging.judge_api(ApiFact("http://api", 403)),
    judging.judge_documents(DocumentsFact("db:27017")),
    judging.judge_keys([KeyFact("main", "bybit", None)]),
]


@pytest.mark.parametrize("findings", HEALTHY, ids=range(len(HEALTHY)))
def test_of_what_is_well_nothing_is_said(findings):
    assert findings == []


@pytest.mark.parametrize(
    "seen",
    [
        (UNREAD, replace(UNREAD, pulls=1)),  # it pulls now and then
        (UNREAD, replace(UNREAD, delivered=8)),  # it took one meanwhile
        (replace(UNREAD, pending=0), UNREAD),  # it came this moment
        (replace(HELD, last_active=NOW),) * 2,  # it works on what it took
        (replace(DURABLE, pulls=0),) * 2,  # nothing waits
    ],
    ids=["pulls", "takes", "empty before", "works", "empty"],
)
def test_a_durable_with_a_reader_is_no_finding(seen):
    assert judging_bus.judge_durables(looks(*seen), NOW) == []


@pytest.mark.parametrize(
    ("durable", "part"),
    [("bot_undos", "bot"), ("audit", "consumers access"), ("webhooks_due", "consumers webhooks")],
)
def test_the_reader_of_a_durable_is_named(durable, part):
    assert judging_bus.find_reader(durable) == part


def test_a_feed_that_was_wrong_for_a_moment_is_no_finding():
    first = judging_bus.judge_feeds([FeedFact("okx", "stale", "held up"), FeedFact("gate", "down", "away")], ())
    later = judging_bus.judge_feeds([FeedFact("okx", "live", None), FeedFact("gate", "down", "still away")], ())
    assert [(one.where, one.what) for one in judging_bus.keep_lasting(first, later)] == [("gate", "still away")]


async def test_checks_run_together_and_one_that_does_not_end_or_breaks_off_is_named():
    async def well():
        return []

    async def hangs():
        await asyncio.sleep(60)
        return []

    async def breaks():
        raise ValueError("no such thing")

    checks = [Check("a", well), Check("b", hangs, 0.1), Check("c", hangs, 0.1), Check("d", breaks)]
    report = await run_checks("test", checks)
    assert [(one.code, one.where) for one in report.findings] == [
        ("check_timed_out", "b"),
        ("check_timed_out", "c"),
        ("check_failed", "d"),
    ]
    assert "no such thing" in report.findings[2].what
    assert report.status == 1
    assert report.ended == 1
    assert report.seconds < 0.2
    assert (await run_checks("test", checks[1:])).status == 2
    assert (await run_checks("test", checks[:1])).status == 0


def test_the_page_lists_every_fault():
    page = (Path(__file__).parents[3] / "docs" / "DOCTOR.md").read_text()
    assert page[page.index("| code |") :] == write_table()
