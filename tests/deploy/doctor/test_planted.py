"""Faults planted in real servers, files and simulated sides, each named with its fix by one look at all of it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from secrets import token_hex

import httpx
import pytest

from bot.simulator.web.app import serving
from bot.simulator.world import Options
from consumers.execution.account import Account
from consumers.execution.documents.accounts import AccountStore
from contracts import streams, subjects
from deploy.doctor.command_line import examine
from deploy.doctor.judging import judge_documents, judge_keys, judge_telegram
from deploy.doctor.looking.outside import has_keys, look_at_documents, look_at_keys, look_at_telegram
from deploy.doctor.target import find_target
from producers.simulator.config import SimulatorConfig
from producers.simulator.faults import Fault
from producers.simulator.server import Simulator
from runtime.clock import now_ns
from runtime.config.settings import load
from runtime.credentials import Credential, belonging_of, make_vault, seal_credential
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.streams.api import call
from runtime.provision import apply, declared
from runtime.servers.answers import nats_answers
from runtime.servers.child import Child
from runtime.servers.embedded import NatsConfig, free_port, nats_command, nats_url, save_nats_config
from tests.deploy.doctor.certificates import save_certificate

pytestmark = [pytest.mark.nats]
ROOT = Path(__file__).parents[3]
TOKEN = "1234567:a-token-of-tests"
SEALING = "a secret of more than thirty-two characters"
WHALE = "signal.v1.whale.binance.BTC.USDT.spot"


@pytest.fixture
def clean(monkeypatch, tmp_path):
    """Settings of the test's own only; set more with it."""
    for name in list(os.environ):
        if name.startswith(("GPT_API_", "HYDROPHONE_", "NATS_", "MONGO_", "TELEGRAM_", "APP_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYDROPHONE_DATA", str(tmp_path / "data"))
    return monkeypatch


@pytest.fixture
async def unsynced(tmp_path):
    """A real bus that syncs every two minutes, with everything that is declared."""
    config = NatsConfig(data_dir=tmp_path / "bus", port=free_port(), monitor_port=free_port(), sync_always=False)
    child = Child(
        name="nats-server",
        argv=nats_command(save_nats_config(config)),
        log_path=tmp_path / "bus" / "nats.log",
        ready=lambda: nats_answers(config.port, config.monitor_port),
    )
    await child.start()
    bus = await Bus(BusOptions(servers=(nats_url(config.port, "admin", config.users.admin),), name="test")).connect()
    await apply(bus, declared(synced=True))
    yield bus, f"http://127.0.0.1:{config.monitor_port}"
    await bus.close()
    await child.stop()


async def plant_on_the_bus(bus: Bus) -> None:
    await call(bus, f"STREAM.DELETE.{streams.FEEDS}")
    signals = (await call(bus, f"STREAM.INFO.{streams.SIGNALS}"))["config"]
    changed = json.dumps({**signals, "max_age": signals["max_age"] // 2}).encode()
    await call(bus, f"STREAM.UPDATE.{streams.SIGNALS}", changed)
    books = (await call(bus, f"STREAM.INFO.{streams.BOOKS}"))["config"]
    await call(bus, f"STREAM.DELETE.{streams.BOOKS}")
    elsewhere = {**books, "storage": "memory", "persist_mode": "default"}
    await call(bus, f"STREAM.CREATE.{streams.BOOKS}", json.dumps(elsewhere).encode())
    await call(bus, f"CONSUMER.DELETE.{streams.TRADING}.portfolio")
    js = bus.jetstream()
    await js.publish(WHALE, b"{}")
    await js.publish(f"{subjects.DEAD_LETTER}alerts.{WHALE}", b"{}")
    await (await js.key_value(streams.PAUSES)).put("okx", str(now_ns() + 600 * 10**9).encode())


async def test_faults_of_a_bus_and_what_is_around_it_are_named_with_their_fixes(clean, unsynced, tmp_path):
    bus, monitor = unsynced
    await plant_on_the_bus(bus)
    blocked = tmp_path / "no-directory"
    blocked.write_text("")
    expired, _ = save_certificate(tmp_path, timedelta(days=-2))
    config = SimulatorConfig(venues=("binance", "okx", "kraken"), bases=("BTC",))
    async with Simulator(config) as simulator, serving(Options(token=TOKEN, privacy=True)) as (_, telegram):
        simulator.inject(Fault("binance", "ban", seconds=60))
        simulator.inject(Fault("okx", "rest_error", seconds=60))
        settings = {
            "NATS_URL": bus.options.servers[0],
            "NATS_MONITOR_URLS": f"{monitor},http://127.0.0.1:1",
            "NATS_TLS_CA": str(expired),
            "HYDROPHONE_DATA": str(blocked / "data"),
            "HYDROPHONE_VENUES": "binance,okx,kraken,bybit,mtgox",
            "HYDROPHONE_BYBIT_REST_URL": "http://127.0.0.1:1",
            **{f"HYDROPHONE_{venue.upper()}_REST_URL": simulator.rest_url(venue) for venue in config.venues},
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_API_BASE_URL": telegram,
            "GPT_API_PUBLIC_URL": "http://127.0.0.1:1",
            "GPT_API_PROT": "8000",
        }
        for name, value in settings.items():
            clean.setenv(name, value)
        loaded = load()
        report = await examine(find_target(loaded, loaded.store.data, None), loaded)
    found = {(one.code, one.where): one for one in report.findings}
    wanted = {
        ("setting_unknown", "settings"): "GPT_API_PROT",
        ("setting_missing", "settings"): "set ",
        ("data_not_writable", str(blocked / "data")): "HYDROPHONE_DATA",
        ("certificate_expired", str(expired)): "NATS_TLS_CA",
        ("bus_not_syncing", monitor): "sync_interval: always",
        ("monitor_unreachable", "http://127.0.0.1:1"): "NATS_MONITOR_URLS",
        ("missing", "stream FEEDS"): "python -m runtime.provision",
        ("missing", "durable TRADING/portfolio"): "python -m runtime.provision",
        ("drifted", "stream SIGNALS"): "python -m runtime.provision",
        ("drifted_unsafe", "stream BOOKS"): "nats stream rm BOOKS",
        ("durable_unread", "durable SIGNALS/clusters"): "python -m consumers clusters",
        ("dead_letters", "consumer alerts"): "/admin/deadletters?consumer=alerts",
        ("market_away", "market core"): "python -m consumers market",
        ("venue_banned", "binance"): "GPT_API_EXCHANGE_RATE_LIMIT",
        ("venue_banned", "okx"): "GPT_API_EXCHANGE_RATE_LIMIT",  # the pause that is on the bus
        ("venue_unreachable", "okx"): "take okx out of HYDROPHONE_VENUES",
        ("venue_unreachable", "bybit"): "take bybit out of HYDROPHONE_VENUES",
        ("venue_unknown", "mtgox"): "take mtgox out of HYDROPHONE_VENUES",
        ("telegram_privacy", "@hydrophone_test_bot"): "/setprivacy",
        ("api_unreachable", "http://127.0.0.1:1"): "python -m api",
    }
    assert set(found) == set(wanted), [one.json() for one in report.findings]
    for key, fix in wanted.items():
        assert fix in found[key].fix
    missing = {one.what.split()[0] for one in report.findings if one.code == "setting_missing"}
    assert missing == {"MONGO_URL", "HYDROPHONE_ADMIN_KEYS"}
    assert report.seconds < 9


async def test_a_wrong_password_of_the_bus_is_no_bus_that_is_away(clean, unsynced):
    bus, _ = unsynced
    port = bus.options.servers[0].rpartition(":")[2]
    clean.setenv("HYDROPHONE_TRUST_SYNC", "true")
    clean.setenv("GPT_API_REQUIRE_AUTH", "false")
    clean.setenv("HYDROPHONE_VENUES", "okx")
    clean.setenv("HYDROPHONE_OKX_REST_URL", "http://127.0.0.1:1")
    for url, code in (
        (f"nats://admin:wrong@127.0.0.1:{port}", "bus_refused"),
        ("nats://127.0.0.1:1", "bus_unreachable"),
    ):
        clean.setenv("NATS_URL", url)
        settings = load()
        report = await examine(find_target(settings, settings.store.data, None), settings)
        assert {one.code for one in report.findings} == {code, "setting_missing", "venue_unreachable"}


async def test_a_wrong_password_of_the_documents_is_no_server_that_is_away(documents_url):
    if "@" not in documents_url:
        pytest.skip("this document server takes everybody")
    wrong = documents_url.replace(":", ":wrong", 2).replace(":wrong//", "://", 1)
    for url, code in ((wrong, "documents_refused"), ("mongodb://127.0.0.1:1", "documents_unreachable")):
        fact = await look_at_documents(url, timeout=1.0 if code == "documents_unreachable" else 10.0)
        (found,) = judge_documents(fact)
        assert found.code == code
        assert "wrong" not in found.what
    assert judge_documents(await look_at_documents(documents_url)) == []


async def test_a_refused_token_is_named_and_not_shown():
    async with serving(Options(token=TOKEN)) as (_, url), httpx.AsyncClient() as http:
        wrong = "7654321:another-token-of-tests"
        (found,) = judge_telegram(await look_at_telegram(url, wrong, http))
    assert found.code == "telegram_refused"
    assert wrong not in json.dumps(found.json())


@pytest.mark.parametrize(
    ("permissions", "sealing", "code"),
    [
        (("view", "trade", "withdraw"), SEALING, "key_withdraws"),
        (("view",), SEALING, "key_wrong"),
        (("view", "trade"), SEALING[::-1], "key_sealed"),
        (("view", "trade"), SEALING, None),
    ],
)
async def test_keys_of_linked_accounts_are_checked_by_their_adapter(
    documents, documents_url, permissions, sealing, code
):
    account = Account(
        id=token_hex(8), owner="o", name="real", venue="indodax", exchange="indodax", balance={}, created_ns=1
    )
    vault = make_vault((SEALING,))
    assert vault is not None
    sealed = seal_credential(vault, Credential("key-of-tests", "secret-of-tests"), belonging_of("o", "real", "indodax"))
    database = documents_url.replace("/?", f"/{documents._database.name}?authSource=admin&")
    assert not await has_keys(database)
    await AccountStore(documents).create(account, sealed)
    assert await has_keys(database)
    async with Simulator(SimulatorConfig(venues=("indodax",), bases=("BTC",))) as simulator:
        money = {"IDR": Decimal(10_000_000)}
        simulator.private("indodax").exchange.add_account("key-of-tests", "secret-of-tests", permissions, money)
        facts = await look_at_keys(database, (sealing,), {"indodax": simulator.rest_url("indodax")})
    assert [one.code for one in judge_keys(facts)] == ([] if code is None else [code])


def run(*arguments, cwd, **more):
    ours = ("GPT_API_", "HYDROPHONE_", "NATS_", "MONGO_", "TELEGRAM_", "APP_")
    keep = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        [sys.executable, "-m", "runtime.doctor", *arguments],
        cwd=cwd,
        env={**keep, "PYTHONPATH": str(ROOT), **more},
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )


async def test_a_bare_machine_is_looked_at_by_the_command(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with Simulator(SimulatorConfig(venues=("okx",), bases=("BTC",))) as simulator:
            settings = {
                "GPT_API_HOST": "127.0.0.1",
                "GPT_API_PORT": str(port),
                "HYDROPHONE_DATA": str(tmp_path / "data"),
                "HYDROPHONE_VENUES": "okx",
                "HYDROPHONE_OKX_REST_URL": simulator.rest_url("okx"),
            }
            done = await asyncio.to_thread(run, "--json", cwd=tmp_path, **settings)
            well = await asyncio.to_thread(run, cwd=tmp_path, **{**settings, "GPT_API_PORT": str(free_port())})
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert [(one["code"], one["where"]) for one in report["findings"]] == [("port_taken", f"127.0.0.1:{port}")]
    assert well.returncode == 0, well.stdout
    assert well.stdout.endswith("nothing is wrong\n")
    assert not (tmp_path / "data").exists()


def test_wrong_settings_are_all_named_and_a_run_json_that_is_none_cannot_be_looked_at(tmp_path):
    wrong = run(cwd=tmp_path, GPT_API_PORT="many", HYDROPHONE_REPLICAS="0", HYDROPHONE_DATA=str(tmp_path))
    assert wrong.returncode == 1
    assert "correct GPT_API_PORT" in wrong.stdout
    assert "correct HYDROPHONE_REPLICAS" in wrong.stdout
    (tmp_path / "run.json").write_text('{"mode": "run"}')
    assert (done := run("--data", str(tmp_path), cwd=tmp_path)).returncode == 2
    assert "run.json cannot be read" in done.stderr
