"""Which parts a cluster on one machine has, how many of each, and with what environment; nothing is started here.

A role is what every copy of a part does. Roles differ in what a second copy does: it stands by under leases of its own
(producers, owners), under the lease of its group (fold, bot), or shares the work (shared, api, healer).
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from consumers.registry import BY_ITSELF, CONSUMERS, NEED_TELEGRAM
from deploy.parts import BOOKS, BOT, Layout, own_servers, part_environment, provision_options, substitutions
from deploy.ready import file_appears, http_answers
from deploy.supervisor import Part
from runtime.servers.answers import HOST, nats_answers
from runtime.servers.embedded import NatsConfig, free_port, nats_command, nats_environment

COPIES: Final = 2
START_SECONDS: Final = 180.0  # two dozen processes at once
SHARED: Final = ("market", "webhooks")
OWNERS: Final = ("access", "alerts", "execution", "strategies", "backtests", "telegram")
FOLD: Final = tuple(name for name in CONSUMERS if name not in {*SHARED, *OWNERS, *BY_ITSELF})
_OF_CONSUMERS: Final = ("fold", "owners", "shared")  # which all sign in as all consumers in one process do
_PYTHON: Final = (sys.executable, "-m")


@dataclass(frozen=True, slots=True)
class Role:
    """A part of which there are several copies. `group`: of which one copy works; `does` is what a second copy does."""

    name: str
    argv: tuple[str, ...]
    does: str
    group: str | None = None


def roles(layout: Layout) -> list[Role]:
    """Return the roles that the settings ask for, in the order in which they are named to people."""
    owners = tuple(name for name in OWNERS if name not in NEED_TELEGRAM or layout.has_bot)
    found = [
        Role("healer", ("runtime.provision", "--keep", *provision_options(layout)), "makes again what it sees first"),
        Role("producers", ("producers",), "stands by, a lease for each exchange"),
        Role("fold", ("consumers", *FOLD), "stands by, one lease", group="fold"),
        Role("owners", ("consumers", *owners), "stands by, a lease for each consumer"),
        Role("shared", ("consumers", *SHARED), "shares the questions and the jobs"),
        Role("api", ("api",), "shares the clients"),
    ]
    if layout.settings.venues.books == "elsewhere":
        found.append(Role(BOOKS, ("consumers", BOOKS), "stands by, one lease"))
    if layout.has_bot:
        found.append(Role(BOT, ("bot",), "stands by, one lease: Telegram lets one poll", group="bot"))
    return found


def bus_parts(configs: list[NatsConfig], environ: Mapping[str, str]) -> list[Part]:
    """Return the servers of the bus, whose configurations are saved: none is ready before another one is."""
    return [
        Part(
            name=f"bus-{number}",
            argv=tuple(nats_command(config.data_dir / "nats.conf")),
            environ=nats_environment(environ),
            ready=partial(nats_answers, config.port, config.monitor_port),
        )
        for number, config in enumerate(configs, 1)
    ]


def single_parts(layout: Layout, environ: Mapping[str, str]) -> list[Part]:
    """Return what there is once, in the order of starting: documents, the provisioner, and what is simulated."""
    names = substitutions(layout)
    provision = (*_PYTHON, "runtime.provision", *provision_options(layout))
    found = own_servers(layout, environ)
    found.append(Part("provision", provision, part_environment(layout, environ, "provision"), once=True))
    if layout.mode != "demo":
        return found
    simulator = (
        *("--host", HOST, "--port", names["SIMULATOR_PORT"], "--venues", *shlex.split(names["VENUES"])),
        *("--bases", *shlex.split(names["BASES"]), "--rate", names["SIMULATOR_RATE"]),
        *("--ready-file", str(layout.simulator_ready)),
    )
    telegram = (
        *("--host", HOST, "--port", names["TELEGRAM_PORT"], "--token", names["TELEGRAM_TOKEN"]),
        *("--ready-file", str(layout.telegram_ready)),
    )
    return [
        *found,
        Part(
            "simulator",
            (*_PYTHON, "producers.simulator", *simulator),
            environ,
            ready=partial(file_appears, layout.simulator_ready),
        ),
        Part(
            "telegram",
            (*_PYTHON, "bot.simulator", *telegram),
            environ,
            ready=partial(file_appears, layout.telegram_ready),
        ),
    ]


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of a role as a part of the supervisor; `url` is where it serves HTTP: its figures, or its routes."""

    role: Role
    part: Part
    url: str


def make_copy(layout: Layout, environ: Mapping[str, str], role: Role, number: int, *, port: int | None = None) -> Copy:
    """Return copy `number` (from 1) of a role, on a free port where none is given."""
    chosen = port or free_port()
    setting = {"api": "GPT_API_PORT", BOT: "BOT_INTERNAL_PORT"}.get(role.name, "HYDROPHONE_METRICS_PORT")
    path = "/health" if role.name == BOT else "/health/ready"
    own = {setting: str(chosen), **({"HYDROPHONE_STANDBY": role.group} if role.group else {})}
    if role.name in _OF_CONSUMERS:
        own["NATS_URL"] = layout.bus_url("consumers")
    url = f"http://{HOST}:{chosen}"
    part = Part(
        name=f"{role.name}-{number}",
        argv=(*_PYTHON, *role.argv),
        environ={**part_environment(layout, environ, role.name), **own},
        ready=partial(http_answers, url + path),
        start_seconds=START_SECONDS,
    )
    return Copy(role, part, url)
