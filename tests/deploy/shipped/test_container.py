"""The image's scripts as a container runs them, and what the image is made of; no Docker is needed."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest

import api.__main__
import api.graphql.schema
from runtime.servers.allocator import ALLOCATOR

ROOT = Path(__file__).parents[3]
CONTAINER = ROOT / "deploy" / "container"
DOCKERFILE = (CONTAINER / "Dockerfile").read_text()
PARTS = {
    (): "deploy.launch run",
    ("run",): "deploy.launch run",
    ("demo",): "deploy.launch demo",
    ("producers", "binance", "okx/0"): "producers binance okx/0",
    ("consumers",): "consumers",
    ("consumers", "market"): "consumers market",
    ("books",): "consumers books",
    ("api",): "api",
    ("bot",): "bot",
    ("provision", "--recording"): "runtime.provision --recording",
    ("healer",): "runtime.provision --keep",
    ("check",): "runtime.settings --check",
    ("doctor", "--json"): "runtime.doctor --json",
    ("backup", "check", "x"): "deploy.backup check x",
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A container's environment, in which `python` prints what it was started with."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python").write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    (programs / "python").chmod(0o755)
    return {"PATH": f"{programs}:/usr/bin:/bin", "TMPDIR": str(tmp_path)}


def run(script: str, *arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(CONTAINER / script), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(("arguments", "started"), PARTS.items())
def test_entrypoint_starts_the_part_that_is_named_and_everything_without_a_name(
    environment: dict[str, str], tmp_path: Path, arguments: tuple[str, ...], started: str
) -> None:
    done = run("entrypoint.sh", *arguments, environment=environment)
    assert (done.returncode, done.stdout) == (0, "|".join(["-m", *started.split(), ""])), done.stderr
    assert (tmp_path / "hydrophone-part").read_text().strip() == (arguments or ("run",))[0]


def test_a_part_has_the_allocator_that_the_launcher_gives_it_and_the_launcher_none(environment: dict[str, str]) -> None:
    environment["MALLOC_ARENA_MAX"] = "7"
    Path(environment["PATH"].split(":")[0], "python").write_text("#!/bin/sh\nenv\n")
    for part, found in (("consumers", {**ALLOCATOR, "MALLOC_ARENA_MAX": "7"}), ("run", {"MALLOC_ARENA_MAX": "7"})):
        lines = run("entrypoint.sh", part, environment=environment).stdout.splitlines()
        assert dict(line.split("=", 1) for line in lines if line.startswith("MALLOC_")) == found


@pytest.mark.parametrize("started", sorted({started.split()[0] for started in PARTS.values()}))
def test_what_the_entrypoint_starts_is_there(started: str) -> None:
    found = find_spec(started)
    assert found is not None
    assert found.submodule_search_locations is None or find_spec(f"{started}.__main__") is not None


def test_anything_else_is_a_command_with_its_arguments_and_its_status(environment: dict[str, str]) -> None:
    done = run("entrypoint.sh", "sh", "-c", 'printf "%s" "$1"; exit 7', "sh", "two words", environment=environment)
    assert (done.returncode, done.stdout) == (7, "two words")


@contextmanager
def answering(path: str, status: int) -> Generator[int]:
    """A server whose `path` has the status, and whose every other path is not there; gives its port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == path else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's own name
            return

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("part", "port_name", "path", "status"),
    [
        ("run", "GPT_API_PORT", "/health/ready", 200),
        ("api", "GPT_API_PORT", "/health/ready", 503),
        ("run", "PORT", "/health/ready", 200),
        ("bot", "BOT_INTERNAL_PORT", "/health", 200),
        ("consumers", "HYDROPHONE_METRICS_PORT", "/health/ready", 200),
    ],
)
def test_a_container_is_healthy_while_its_part_is_ready(
    tmp_path: Path, part: str, port_name: str, path: str, status: int
) -> None:
    (tmp_path / "hydrophone-part").write_text(f"{part}\n")
    with answering(path, status) as port:
        environment = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "TMPDIR": str(tmp_path),
            port_name: str(port),
            "http_proxy": "http://127.0.0.1:9",
        }
        done = run("healthy.sh", environment=environment)
    assert (done.returncode == 0) == (status == 200), done.stderr
    assert status == 200 or "503" in done.stderr


def test_image_installs_by_hashes_and_runs_as_nobody_in_particular() -> None:
    stages = DOCKERFILE.split("FROM ")[1:]
    assert len(stages) == 2, "what compiles is not in the image"
    assert "--require-hashes --requirement requirements.lock" in stages[0]
    assert "apt-get" not in stages[1]
    assert "PORT=8000" not in DOCKERFILE, "a platform's PORT counts where GPT_API_PORT is not set"
    assert re.search(r"^USER 10001:10001$", stages[1], re.MULTILINE)
    assert stages[1].index("USER 10001") > stages[1].index("RUN ")
    assert "HOME=/var/lib/hydrophone" in stages[1], "embedded servers look for it, and a user by number has none"
    scripts = re.findall(r'"/opt/hydrophone/(\S+)"', DOCKERFILE)
    assert sorted(scripts) == ["deploy/container/entrypoint.sh", "deploy/container/healthy.sh"]
    assert all((ROOT / script).is_file() for script in scripts)


def test_image_has_every_file_that_the_parts_need() -> None:
    lines = (CONTAINER / "Dockerfile.dockerignore").read_text().splitlines()
    taken = {line.removeprefix("!") for line in lines if line.startswith("!")}
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    read = {f"docs/{path.name}" for path in (api.__main__.ASYNCAPI_FILE, api.graphql.schema.SCHEMA_FILE)}
    assert {*packages["packages"], *read, "requirements.lock", "LICENSE"} <= taken
    assert all((ROOT / path).exists() for path in taken)
