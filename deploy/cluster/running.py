"""A cluster on one machine while it runs: started in order, restarted where it ends, scaled, stopped, none left."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from deploy.cluster.parts import COPIES, Copy, Role, bus_parts, make_copy, roles, single_parts
from deploy.disk import MB, NoRoomError, needed_bytes, store_bytes
from deploy.launch import decide_layout, run_facts
from deploy.parts import FILE_STORE_SLACK, Layout, Mode
from deploy.ready import http_answers
from deploy.supervisor import Part, Supervisor
from runtime.clock import monotonic, sleep
from runtime.config.settings import Settings
from runtime.servers.bus_users import ADMIN, BusUsers
from runtime.servers.cluster import SIZE, cluster_configs, cluster_url, monitor_urls
from runtime.servers.embedded import NatsConfig, nats_url, save_nats_config

SCALE: Final = Decimal("0.25")  # of what streams keep, where the settings name no other: three servers keep it
SCALE_SETTING: Final = "HYDROPHONE_STREAM_SCALE"
_LOOK_SECONDS: Final = 0.1


@dataclass
class Cluster:
    """The decided cluster: servers of the bus, the layout that every part shares, and the environment of its parts."""

    layout: Layout
    servers: list[NatsConfig]
    environ: Mapping[str, str]
    supervisor: Supervisor
    copies: dict[str, Copy] = field(default_factory=dict[str, Copy])
    nodes: dict[str, Part] = field(default_factory=dict[str, Part])

    @property
    def users(self) -> BusUsers:
        """The passwords of the bus."""
        return self.servers[0].users

    @property
    def subscriber_urls(self) -> list[str]:
        """The servers of the bus for whoever may read what is public."""
        return [nats_url(server.port, "subscriber", self.users.subscriber) for server in self.servers]

    def urls(self, role: str) -> list[str]:
        """Return where the copies of a role serve HTTP."""
        return [copy.url for copy in self.copies.values() if copy.role.name == role]

    def facts(self) -> dict[str, object]:
        """Return what run.json says."""
        found = run_facts(self.layout, self.supervisor.pids())
        api, urls = self.urls("api"), self.subscriber_urls
        found["nats"] = {
            "url": urls[0],  # clients of other people's take one, and find the others
            "urls": urls,
            "admin_url": nats_url(self.servers[0].port, "admin", self.users.admin),
            "monitor_urls": monitor_urls(self.servers),
        }
        found["api"] = {"url": api[0], "urls": api, "key": self.layout.read_key, "admin_key": self.layout.admin_key}
        found["bot"] = {"urls": self.urls("bot")}
        return found

    async def start(self, on_bus: Callable[[], None]) -> None:
        """Start everything; `on_bus` is called once the bus is provisioned.

        StartError where a part does not come up.
        """
        for config in self.servers:
            save_nats_config(config)
        self.nodes = {part.name: part for part in bus_parts(self.servers, self.environ)}
        await _all([self._start(part) for part in self.nodes.values()])
        for part in single_parts(self.layout, self.environ):
            await self._start(part)
            if part.name == "provision":
                on_bus()
        await _all([self.add(role, number) for role in roles(self.layout) for number in range(1, COPIES + 1)])

    async def add(self, role: Role, number: int) -> None:
        """Start one more copy of a role; returns when it is ready."""
        first = role.name == "api" and number == 1
        copy = make_copy(self.layout, self.environ, role, number, port=self.layout.api_port if first else None)
        self.copies[copy.part.name] = copy
        await self._start(copy.part)

    async def remove(self, name: str) -> None:
        """Stop a copy for good, cleanly."""
        del self.copies[name]
        await self.supervisor.remove(name)

    async def until_ready(self, name: str) -> float:
        """Wait until a part answers; return the seconds that it took."""
        began, copy = monotonic(), self.copies.get(name)
        ready = self.nodes[name].ready if copy is None else copy.part.ready
        while ready is not None:
            with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                async with asyncio.timeout(5.0):
                    await ready()
                break
            await sleep(_LOOK_SECONDS)
        return monotonic() - began

    async def until_all_ready(self) -> float:
        """Wait until every copy and the API answer; return the seconds that it took."""
        began = monotonic()
        await asyncio.gather(*(self.until_ready(name) for name in [*self.nodes, *self.copies]))
        for url in self.urls("api"):
            await http_answers(f"{url}/health")
        return monotonic() - began

    async def _start(self, part: Part) -> None:
        began = monotonic()
        self.supervisor.say(f"starting {part.name} …")
        await self.supervisor.start(part)
        self.supervisor.say(f"{part.name} {'done' if part.once else 'ready'} ({monotonic() - began:.1f} s)")


async def _all(starts: Iterable[Coroutine[None, None, None]]) -> None:
    """Run them at once; the first failure ends the others and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for start in starts:
                group.create_task(start)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed


def decide_cluster(
    mode: Mode,
    data: Path,
    settings: Settings,
    environ: Mapping[str, str],
    *,
    port_is_ours: bool,
    say: Callable[[str], None],
) -> Cluster:
    """Return the cluster that the settings ask for; NoRoomError where the disk is too small for three servers."""
    if "stream_scale" not in settings.retention.model_fields_set:
        settings = replace(settings, retention=settings.retention.model_copy(update={"stream_scale": SCALE}))
    _require_room(data, SIZE * needed_bytes(settings.retention))
    users = BusUsers()
    reserved = store_bytes(settings.retention) + FILE_STORE_SLACK
    servers = cluster_configs(data / mode / "nats", users=users, max_bytes=reserved)
    bus = settings.bus.model_copy(
        update={
            "url": SecretStr(cluster_url(servers, ADMIN, users.admin)),
            "monitor_urls": tuple(monitor_urls(servers)),
            "replicas": SIZE,
        }
    )
    layout = decide_layout(mode, data, replace(settings, bus=bus), port_is_ours=port_is_ours)
    layout = replace(layout, bus_users=users, cluster_ports=tuple(server.port for server in servers))
    decided = {
        SCALE_SETTING: str(settings.retention.stream_scale),
        "HYDROPHONE_REPLICAS": str(SIZE),
        "NATS_MONITOR_URLS": ",".join(monitor_urls(servers)),
    }
    supervisor = Supervisor(data / "logs", Path(__file__).resolve().parents[2], say)
    return Cluster(layout, servers, {**environ, **decided}, supervisor)


def _require_room(data: Path, needed: int) -> None:
    free = shutil.disk_usage(data).free
    if free < needed:
        raise NoRoomError(
            f"{data} has room for {free // MB} MB and three servers of the bus may keep {needed // MB} MB:"
            f" set a smaller {SCALE_SETTING}, or HYDROPHONE_DATA to a larger disk"
        )
