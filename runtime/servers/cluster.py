"""Three servers of the bus as one cluster on this machine: their configurations, and running ones for tests."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

from runtime.servers.answers import HOST, nats_answers
from runtime.servers.bus_users import ADMIN, SUBSCRIBER, BusUsers
from runtime.servers.child import Child
from runtime.servers.embedded import (
    ClusterNode,
    NatsConfig,
    NatsServer,
    free_port,
    nats_command,
    nats_url,
    save_nats_config,
)

SIZE: Final = 3


def cluster_configs(data_dir: Path, *, users: BusUsers, max_bytes: int | None = None) -> list[NatsConfig]:
    """Return the configuration of each server, on free ports, with a directory of its own below `data_dir`."""
    routes, password = tuple(free_port() for _ in range(SIZE)), secrets.token_hex(16)
    return [
        NatsConfig(
            data_dir=data_dir / f"node-{number + 1}",
            port=free_port(),
            monitor_port=free_port(),
            users=users,
            max_bytes=max_bytes,
            node=ClusterNode(number, routes, password),
        )
        for number in range(SIZE)
    ]


def cluster_url(configs: list[NatsConfig], user: str, password: str) -> str:
    """Return NATS_URL: every server, for one of the users."""
    return ",".join(nats_url(config.port, user, password) for config in configs)


def monitor_urls(configs: list[NatsConfig]) -> list[str]:
    """Return the monitoring address of each server."""
    return [f"http://{HOST}:{config.monitor_port}" for config in configs]


@contextlib.asynccontextmanager
async def nats_cluster(data_dir: Path) -> AsyncGenerator[list[NatsServer]]:
    """Run a real cluster of three servers for as long as the block lasts, in the order of their numbers."""
    users = BusUsers()
    servers = [_server(config) for config in cluster_configs(data_dir, users=users)]
    try:
        await asyncio.gather(*(server.start() for server in servers))  # none is ready without another
        yield servers
    finally:
        await asyncio.gather(*(server.stop() for server in servers))


def _server(config: NatsConfig) -> NatsServer:
    child = Child(
        name=f"nats-server {config.data_dir.name}",
        argv=nats_command(save_nats_config(config)),
        log_path=config.data_dir / "nats.log",
        ready=lambda: nats_answers(config.port, config.monitor_port),
    )
    return NatsServer(
        url=nats_url(config.port, ADMIN, config.users.admin),
        subscriber_url=nats_url(config.port, SUBSCRIBER, config.users.subscriber),
        monitor_url=f"http://{HOST}:{config.monitor_port}",
        child=child,
        port=config.port,
        users=config.users,
    )
