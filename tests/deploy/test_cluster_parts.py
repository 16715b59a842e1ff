"""The parts of a cluster: which consumers run where, what each copy is given, and a run of faults as a whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from consumers.registry import BY_ITSELF, CONSUMERS
from deploy.cluster.parts import COPIES, bus_parts, make_copy, roles, single_parts
from deploy.cluster.running import Cluster, decide_cluster
from deploy.disk import NoRoomError
from deploy.launch import decide_layout
from deploy.parts import own_servers
from runtime.config.settings import load

ROOT = Path(__file__).parents[2]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cluster:
    """A cluster without any setting of the machine."""
    for name in [*os.environ]:
        if name.startswith(("GPT_API_", "HYDROPHONE_", "NATS_", "MONGO_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return decide_cluster("demo", tmp_path, load(), {}, port_is_ours=True, say=lambda _: None)


def test_every_consumer_is_of_one_role(cluster: Cluster) -> None:
    named = Counter(word for role in roles(cluster.layout) if role.argv[0] == "consumers" for word in role.argv[1:])
    assert named == Counter(name for name in CONSUMERS if name not in BY_ITSELF)


def test_copies_share_the_bus_and_have_ports_of_their_own(cluster: Cluster) -> None:
    made = [
        make_copy(cluster.layout, cluster.environ, role, number)
        for role in roles(cluster.layout)
        for number in range(1, COPIES + 1)
    ]
    assert len({copy.url for copy in made}) == len({copy.part.name for copy in made}) == len(made)
    for copy in made:
        assert len(copy.part.environ["NATS_URL"].split(",")) == len(cluster.servers) == 3
        assert copy.part.environ["HYDROPHONE_REPLICAS"] == "3"
        assert copy.part.environ.get("HYDROPHONE_STANDBY") == copy.role.group


def test_each_part_signs_in_to_every_server_as_a_user_of_its_own(cluster: Cluster) -> None:
    users = {
        role.name: {
            (url.username, url.password, url.port)
            for url in map(urlsplit, make_copy(cluster.layout, {}, role, 1).part.environ["NATS_URL"].split(","))
        }
        for role in roles(cluster.layout)
    }
    ports = [server.port for server in cluster.servers]
    for name, signed_in in users.items():
        user = {"healer": "provisioner", "producers": "producers", "api": "api", "bot": "bot"}.get(name, "consumers")
        assert signed_in == {(user, cluster.users.password(user), port) for port in ports}, name


def test_the_bus_collects_its_garbage_often_unless_the_user_says_how(cluster: Cluster, tmp_path: Path) -> None:
    layout = decide_layout("demo", tmp_path, load())
    for given, found in (({}, "25"), ({"GOGC": "80"}, "80")):
        servers = [*bus_parts(cluster.servers, given), own_servers(layout, given)[0]]
        assert [server.environ["GOGC"] for server in servers] == [found] * 4


def test_the_document_server_has_one_pool_of_memory_unless_the_user_says_how_many(tmp_path: Path) -> None:
    layout = decide_layout("demo", tmp_path, load())
    for given, found in (({}, "1"), ({"MALLOC_ARENA_MAX": "4"}, "4")):
        (server,) = (part for part in own_servers(layout, given) if part.name == "documents")
        assert server.environ["MALLOC_ARENA_MAX"] == found


def test_the_provisioner_reads_every_server_and_keeps_everything_on_three(cluster: Cluster) -> None:
    provision = next(part for part in single_parts(cluster.layout, {}) if part.name == "provision")
    assert provision.argv.count("--monitor") == 3
    assert provision.argv[-2:] == ("--replicas", "3")


def test_a_server_is_the_same_at_the_next_start_and_on_other_ports(cluster: Cluster, tmp_path: Path) -> None:
    again = decide_cluster("demo", tmp_path, load(), {}, port_is_ours=True, say=lambda _: None)
    for before, now in zip(cluster.servers, again.servers, strict=True):
        assert before.data_dir == now.data_dir
        assert before.port != now.port
        assert before.text().split("\n", 1)[0] == now.text().split("\n", 1)[0]


def test_a_disk_that_is_too_small_is_refused(monkeypatch: pytest.MonkeyPatch, cluster: Cluster, tmp_path: Path) -> None:
    monkeypatch.setenv("HYDROPHONE_STREAM_SCALE", "1000")
    with pytest.raises(NoRoomError, match="set a smaller HYDROPHONE_STREAM_SCALE"):
        decide_cluster("demo", tmp_path, load(), {}, port_is_ours=True, say=lambda _: None)


def _start(data: Path, log: Path, *arguments: str) -> subprocess.Popen[bytes]:
    ours = ("GPT_API_", "HYDROPHONE_", "NATS_", "MONGO_")
    keep = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    with log.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "deploy.cluster", *arguments],
            cwd=ROOT,
            env={**keep, "HYDROPHONE_DATA": str(data), "HYDROPHONE_VENUES": "binance", "HYDROPHONE_SYMBOLS": "BTC"},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _pids(data: Path) -> list[str]:
    """Every process that was started for this copy: all of them know its data directory."""
    found: list[str] = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            known = (place / "environ").read_bytes() + (place / "cmdline").read_bytes()
        except OSError:
            continue
        if str(data).encode() in known:
            found.append(place.name)
    return found


@pytest.mark.long
@pytest.mark.nats
@pytest.mark.timeout(900)
def test_promises_are_kept_under_faults(tmp_path: Path) -> None:
    log = tmp_path / "out"
    process = _start(tmp_path / "data", log, "--faults", "--seconds", "20")
    try:
        assert process.wait(800) == 0, log.read_text()[-4000:]
    finally:
        process.terminate()
        process.wait(60)
    assert "BROKEN" not in log.read_text()
    assert _pids(tmp_path / "data") == []


@pytest.mark.long
@pytest.mark.nats
@pytest.mark.timeout(600)
def test_a_cluster_starts_twice_in_a_row_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    data, run = tmp_path / "data", tmp_path / "data-cluster" / "run.json"
    for number in (1, 2):
        log = tmp_path / f"out-{number}"
        process = _start(data, log)
        deadline = time.monotonic() + 240
        while not run.exists():
            assert process.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
        assert _pids(data) == []
