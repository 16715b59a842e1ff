"""What the doctor looks at, by run.json and the settings; and certificates that servers show."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.doctor.judging import judge_certificates, judge_copy, judge_data
from deploy.doctor.looking.machine import look_at_certificates, look_at_copy, look_at_data
from deploy.doctor.target import find_target
from deploy.parts import DEMO_TOKEN
from runtime.clock import now_ns
from runtime.config.settings import load
from runtime.servers.child import Child
from runtime.servers.embedded import free_port, nats_command
from tests.deploy.doctor.certificates import save_certificate

RUN: dict[str, Any] = {
    "mode": "run",
    "nats": {"url": "nats://reader@h:1", "admin_url": "nats://admin:x@127.0.0.1:4222", "monitor_url": "http://h:8222"},
    "documents": {"url": "mongodb://h"},
    "api": {"url": "http://h:8000", "admin_key": "k"},
    "bot": {"url": None},
    "pids": {"api": 1, "bus": 2},
}
DEMO = {**RUN, "mode": "demo", "telegram": {"url": "http://h:81"}, "simulator": {"url": "http://h:82"}}


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith(("GPT_API_", "HYDROPHONE_", "NATS_", "MONGO_", "TELEGRAM_", "APP_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def test_a_running_copy_is_looked_at_where_its_run_json_says(clean, tmp_path):
    clean.setenv("HYDROPHONE_VENUES", "okx,kraken")
    clean.setenv("TELEGRAM_BOT_TOKEN", "1234567:a-token-of-the-owner")
    real = find_target(load(), tmp_path, RUN)
    assert real.bus is not None
    assert (real.kind, real.bus.servers, real.monitors) == ("copy", (RUN["nats"]["admin_url"],), ("http://h:8222",))
    assert (real.documents, real.api, real.pids) == ("mongodb://h", "http://h:8000", {"api": 1, "bus": 2})
    assert (real.token, real.telegram) == ("1234567:a-token-of-the-owner", "https://api.telegram.org")
    assert real.venue_urls == {}
    demo = find_target(load(), tmp_path, DEMO)
    assert (demo.token, demo.telegram) == (DEMO_TOKEN, "http://h:81")
    assert demo.venue_urls == {"okx": "http://h:82/okx", "kraken": "http://h:82/kraken"}


def test_without_one_it_is_the_bus_of_the_settings_or_the_machine(clean, tmp_path):
    machine = find_target(load(), tmp_path, None)
    assert (machine.kind, machine.bus, machine.api, machine.named) == ("machine", None, None, False)
    clean.setenv("NATS_URL", "nats://bus:4222")
    clean.setenv("HYDROPHONE_REPLICAS", "3")
    clean.setenv("GPT_API_PUBLIC_URL", "https://api.example.org")
    bus = find_target(load(), tmp_path, None)
    assert (bus.kind, bus.name, bus.replicas, bus.api) == ("bus", "the bus bus:4222", 3, "https://api.example.org")


def test_a_part_that_ended_is_dead(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    facts = {**RUN, "pids": {"api": ended.pid, "bus": os.getpid()}}
    (found,) = judge_copy(look_at_copy(find_target(load(), tmp_path, facts)))
    assert (found.code, found.where) == ("part_dead", "api")


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/sys/kernel").is_dir(), reason="root writes everywhere here")
def test_a_directory_that_cannot_be_written_is_named(tmp_path):
    if os.geteuid() == 0:
        place = Path("/sys/kernel")  # which takes no files, from root neither
    else:
        place = tmp_path / "closed"
        place.mkdir(mode=0o500)
    (found,) = judge_data(look_at_data(place, None))
    assert (found.code, found.where) == ("data_not_writable", str(place))
    assert judge_data(look_at_data(tmp_path, None)) == []
    assert list(tmp_path.glob("tmp*")) == []


@pytest.mark.nats
async def test_certificates_that_the_api_and_the_bus_show_are_read(clean, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*save_certificate(tmp_path, timedelta(days=-2)))
    api = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    place = f"127.0.0.1:{api.sockets[0].getsockname()[1]}"
    certificate, key = save_certificate(tmp_path, timedelta(days=5))
    port = free_port()
    config = tmp_path / "nats.conf"
    config.write_text(f'listen: "127.0.0.1:{port}"\ntls {{ cert_file: "{certificate}", key_file: "{key}" }}\n')

    async def answers() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.readline()
        writer.close()

    bus = Child("nats-server", nats_command(config), tmp_path / "nats.log", answers)
    await bus.start()
    clean.setenv("GPT_API_PUBLIC_URL", f"https://{place}")
    clean.setenv("TELEGRAM_WEBHOOK_URL", "https://127.0.0.1:1")  # which is not there: another check's
    clean.setenv("TELEGRAM_WEBHOOK_SECRET", "secret")
    clean.setenv("NATS_URL", f"tls://127.0.0.1:{port},nats://127.0.0.1:1")
    clean.setenv("NATS_TLS_CA", str(certificate))
    found = judge_certificates(await look_at_certificates(load()), now_ns())
    await bus.stop()
    api.close()
    assert {(one.code, one.where) for one in found} == {
        ("certificate_expired", place),
        ("certificate_expiring", f"127.0.0.1:{port}"),
        ("certificate_expiring", str(certificate)),
    }
