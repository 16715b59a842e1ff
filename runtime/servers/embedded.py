"""The bus and the document server as child processes of this machine: their command lines, start, readiness, death."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import secrets
import socket
import sys
import sysconfig
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which

from runtime.servers.answers import HOST, documents_answer, nats_answers
from runtime.servers.bus_users import ACCOUNT, ADMIN, OLD_ACCOUNT, SUBSCRIBER, BusUsers, accounts_text
from runtime.servers.child import Child
from runtime.servers.document_user import USER as DOCUMENT_USER
from runtime.servers.document_user import find_document_python, set_password

GARBAGE_PERCENT = "25"  # of what is in use, until it is collected: blocks of streams, which cost little to look through
FREE_PORTS = range(20_000, 32_768)  # below those of outgoing connections: 32768 on in Linux, 49152 on elsewhere
_given: set[int] = set()  # by this process
_DOCUMENT_PROGRAM = "secantusd-py"
DOCUMENT_CACHE = "32M"  # by default 1 GiB
MOST_CHANGES = 500  # remembered for those who follow them, whom nothing here does; by default an hour of them


def free_port() -> int:
    """A TCP port on loopback that nobody listens on right now, and that no outgoing connection is given meanwhile."""
    for port in random.SystemRandom().sample(FREE_PORTS, len(FREE_PORTS)):
        if port in _given:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((HOST, port))
                _given.add(port)
                return port
    raise OSError(f"no port of {FREE_PORTS[0]} to {FREE_PORTS[-1]} is free on {HOST}")


def find_program(name: str) -> str:
    """The path of a program installed in this Python environment, else on PATH; FileNotFoundError names the package."""
    beside = Path(sysconfig.get_path("scripts")) / name
    found = str(beside) if beside.exists() else which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed: install hydrophone[embedded]")
    return found


def nats_url(port: int, user: str, password: str) -> str:
    """The bus's URL for one of its users."""
    return f"nats://{user}:{password}@{HOST}:{port}"


def document_url(port: int, password: str) -> str:
    """The document server's URL: retried writes are off because this server pays dearly for them."""
    return f"mongodb://{DOCUMENT_USER}:{password}@{HOST}:{port}/?directConnection=true&retryWrites=false"


@dataclass(frozen=True, slots=True)
class ClusterNode:
    """One server of a cluster on loopback: its number, the cluster's ports by number from 0, the routes' password.

    A server is known to the others by its number, so that it may come back on other ports.
    """

    number: int
    ports: tuple[int, ...]
    password: str

    def text(self) -> str:
        """The configuration file's part."""
        routes = [f'"nats://route:{self.password}@{HOST}:{port}"' for port in self.ports]
        return (
            f'cluster {{ name: hydrophone, listen: "{HOST}:{self.ports[self.number]}"\n'
            f'  authorization: {{ user: route, password: "{self.password}" }}\n'
            f"  routes: [ {', '.join(routes)} ] }}\n"
        )


@dataclass(frozen=True, slots=True)
class NatsConfig:
    """What the embedded bus is started with; ports are TCP ports on loopback, sync_always is fsync at each write.

    `max_bytes`: what its streams may reserve together; the server's own rule (three quarters of the free disk) where
    it is not given. `node`: the server's place in a cluster, None where it is alone. `profile_port`: where it says on
    loopback what it uses memory and processors for (Go's net/http/pprof), 0 for nowhere.
    """

    data_dir: Path
    port: int
    monitor_port: int
    users: BusUsers = field(default_factory=BusUsers)
    sync_always: bool = True
    max_bytes: int | None = None
    node: ClusterNode | None = None
    profile_port: int = 0

    @property
    def store(self) -> Path:
        """Where the server keeps its accounts' streams."""
        return self.data_dir / "jetstream" / "jetstream"

    def text(self) -> str:
        """The configuration file's text."""
        sync = "always" if self.sync_always else '"2m"'
        limit = "" if self.max_bytes is None else f", max_file_store: {self.max_bytes}"
        name = self.port if self.node is None else f"node-{self.node.number + 1}"
        profile = f"prof_port: {self.profile_port}\n" if self.profile_port else ""
        return (
            f"server_name: hydrophone-{name}\n"
            f'listen: "{HOST}:{self.port}"\n'
            f'http: "{HOST}:{self.monitor_port}"\n'
            f'jetstream {{ store_dir: "{self.data_dir / "jetstream"}", sync_interval: {sync}{limit} }}\n'
            f"max_payload: 1MB\nmax_pending: 64MB\n{profile}"
            f"{accounts_text(self.users)}"
            f"{'' if self.node is None else self.node.text()}"
        )


def save_nats_config(config: NatsConfig) -> Path:
    """Write the configuration (mode 0600, it holds the passwords) into the data directory and return its path.

    Streams of a version that had no accounts are moved into the parts' account.
    """
    config.data_dir.mkdir(parents=True, exist_ok=True)
    old, now = config.store / OLD_ACCOUNT, config.store / ACCOUNT
    if old.is_dir() and not now.exists():
        old.rename(now)
    path = config.data_dir / "nats.conf"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(config.text())
    return path


def nats_command(config_path: Path) -> list[str]:
    """The argv that runs the bus in the foreground with a file written by save_nats_config."""
    return [find_program("nats-server"), "-c", str(config_path)]


def nats_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment that the bus runs in: its memory is collected more often, unless this says how often itself."""
    return {"GOGC": GARBAGE_PERCENT, **environ}


def document_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment that the document server runs in: a thread for each connection gets no memory pool of its own."""
    return {"MALLOC_ARENA_MAX": "1", **environ}


def document_command(storage: Path, port: int) -> list[str]:
    """The argv that runs the document server in the foreground: commits synced, for known users, memory bounded."""
    beside = Path(find_document_python() or sys.executable).with_name(_DOCUMENT_PROGRAM)
    program = str(beside) if beside.exists() else find_program(_DOCUMENT_PROGRAM)
    return [
        *(program, "--host", HOST, "--port", str(port), "--storage-path", str(storage)),
        *("--auth", "--sync-on-commit", "--log-level", "WARNING"),
        *("--cache-size", DOCUMENT_CACHE, "--oplog-max-entries", str(MOST_CHANGES)),
    ]


@dataclass(frozen=True)
class NatsServer:
    """A running bus; `url` is its admin's, with the password, `monitor_url` is its HTTP monitoring."""

    url: str
    subscriber_url: str
    monitor_url: str
    child: Child
    port: int
    users: BusUsers

    def url_of(self, user: str) -> str:
        """The bus as a service's user connects to it; KeyError for a user that is not declared."""
        return nats_url(self.port, user, self.users.password(user))

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self.child.pid

    async def kill(self) -> None:
        """SIGKILL."""
        await self.child.kill()

    async def start(self) -> None:
        """Start again on the same port and store."""
        await self.child.start()

    async def stop(self) -> None:
        """A clean stop."""
        await self.child.stop()

    async def freeze(self) -> None:
        """SIGSTOP."""
        await self.child.freeze()

    async def thaw(self) -> None:
        """SIGCONT."""
        await self.child.thaw()


@dataclass(frozen=True)
class DocumentServer:
    """A running document server; `url` is for motor."""

    url: str
    child: Child

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self.child.pid


@contextlib.asynccontextmanager
async def nats_server(
    data_dir: Path, *, port: int = 0, users: BusUsers | None = None, max_bytes: int | None = None
) -> AsyncGenerator[NatsServer]:
    """A real bus for as long as the block lasts: port 0 takes a free one, passwords are random where none are given.

    `max_bytes` as in NatsConfig.
    """
    chosen, monitor = port or free_port(), free_port()
    known = users or BusUsers()
    config = NatsConfig(data_dir=data_dir, port=chosen, monitor_port=monitor, users=known, max_bytes=max_bytes)
    child = Child(
        name="nats-server",
        argv=nats_command(save_nats_config(config)),
        log_path=data_dir / "nats.log",
        ready=lambda: nats_answers(chosen, monitor),
    )
    try:
        await child.start()
        yield NatsServer(
            url=nats_url(chosen, ADMIN, known.admin),
            subscriber_url=nats_url(chosen, SUBSCRIBER, known.subscriber),
            monitor_url=f"http://{HOST}:{monitor}",
            child=child,
            port=chosen,
            users=known,
        )
    finally:
        await child.stop()


@contextlib.asynccontextmanager
async def document_server(data_dir: Path, *, port: int = 0) -> AsyncGenerator[DocumentServer]:
    """A real document server for as long as the block lasts: port 0 takes a free one."""
    chosen, password = port or free_port(), secrets.token_hex(16)
    url = document_url(chosen, password)
    await asyncio.to_thread(set_password, data_dir / "documents", password)
    child = Child(
        name=_DOCUMENT_PROGRAM,
        argv=document_command(data_dir / "documents", chosen),
        log_path=data_dir / "documents.log",
        ready=lambda: documents_answer(chosen),
    )
    try:
        await child.start()
        yield DocumentServer(url=url, child=child)
    finally:
        await child.stop()
