"""Which parts a mode runs, with what command and environment: decided from the settings, nothing is started here."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from string import Template
from typing import Final, Literal, cast

from honcho.environ import parse_procfile  # pyright: ignore[reportUnknownVariableType]
from pydantic import SecretStr

from contracts.users.declared import USER_OF_PART
from deploy.disk import store_bytes
from deploy.ready import file_appears, http_answers
from deploy.supervisor import Part
from runtime.config.options import bus_options
from runtime.config.settings import Settings
from runtime.nats.bus import BusOptions
from runtime.servers.allocator import ALLOCATOR
from runtime.servers.answers import documents_answer, nats_answers
from runtime.servers.bus_users import ADMIN, SUBSCRIBER, BusUsers
from runtime.servers.document_user import PASSWORD, user_command
from runtime.servers.embedded import (
    NatsConfig,
    document_command,
    document_environment,
    document_url,
    nats_command,
    nats_environment,
    nats_url,
)

Mode = Literal["demo", "run"]
ONCE: Final = ("provision",)
FILE_STORE_SLACK: Final = 4_000_000_000  # for a recording's stream and those that an admin adds
ONLY_IN_DEMO: Final = ("simulator", "telegram")
DEMO_TOKEN: Final = "1234567:demo-token-of-the-test-server"  # noqa: S105  # opens nothing
LAUNCHER: Final = "launcher"  # the user of what the launcher itself has on the bus
BOT: Final = "bot"  # the part that needs a token of Telegram
BOOKS: Final = "books"  # the part that runs only where producers leave their books to it
METRICS_AFTER: Final = {"consumers": 1, BOOKS: 2, "healer": 3}  # the producers' port and so many
_ANY_HOST: Final = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104  # to be reached, not bound


@dataclass(frozen=True)
class Layout:
    """One running copy: its directory, ports, keys and URLs. An own server's port is None where the user names one."""

    mode: Mode
    data: Path
    settings: Settings
    bus_port: int | None
    monitor_port: int
    bus_users: BusUsers
    documents_port: int | None  # None, too, where this Python has no document server
    documents_password: str
    simulator_port: int
    telegram_port: int  # of the Bot API test server
    bot_port: int  # of the bot's endpoint for programs beside it
    api_port: int
    read_key: str
    admin_key: str
    app_secret: str | None  # that keys of exchanges are sealed with; None where the settings have one, or must have one
    cluster_ports: tuple[int, ...] = ()  # of the servers of a cluster on this machine

    @property
    def store(self) -> Path:
        """The embedded servers' files: simulated and real data never share a store."""
        return self.data / self.mode

    def bus_url(self, user: str) -> str:
        """The bus as one of its users connects to it, with the password; the user's own URL where it names the bus."""
        given = self.settings.bus.url
        if self.cluster_ports:
            return ",".join(nats_url(port, user, self.bus_users.password(user)) for port in self.cluster_ports)
        if self.bus_port is not None or given is None:
            return nats_url(self.bus_port or 0, user, self.bus_users.password(user))
        return given.get_secret_value()

    @property
    def subscriber_url(self) -> str:
        """The bus for anybody who may read what is public; the user's own URL where the user names the bus."""
        return self.bus_url(SUBSCRIBER)

    @property
    def admin_url(self) -> str:
        """The bus for whoever may do everything; the user's own URL where the user names the bus."""
        return self.bus_url(ADMIN)

    @property
    def monitor_url(self) -> str:
        """The own bus's monitoring address."""
        return f"http://127.0.0.1:{self.monitor_port}"

    @property
    def documents_url(self) -> str | None:
        """The document server; None where there is none."""
        given = self.settings.store.url
        if self.documents_port is not None:
            return document_url(self.documents_port, self.documents_password)
        return None if given is None else given.get_secret_value()

    @property
    def api_url(self) -> str:
        """Where the API can be reached from this machine."""
        host = self.settings.api.host
        return f"http://{_ANY_HOST.get(host, host)}:{self.api_port}"

    @property
    def simulator_url(self) -> str:
        """The simulated exchanges; accounts and faults are ordered below `/_control`."""
        return f"http://127.0.0.1:{self.simulator_port}"

    @property
    def simulator_ready(self) -> Path:
        """The file that the simulator writes when it serves."""
        return self.store / "simulator.json"

    @property
    def telegram_url(self) -> str:
        """The Bot API test server."""
        return f"http://127.0.0.1:{self.telegram_port}"

    @property
    def has_bot(self) -> bool:
        """Whether the bot runs: in the demo always, else where it has a token."""
        return self.mode == "demo" or self.settings.telegram.token is not None

    @property
    def bot_url(self) -> str:
        """Where programs beside the bot reach it."""
        host = self.settings.bot.internal_host
        return f"http://{_ANY_HOST.get(host, host)}:{self.bot_port}"

    @property
    def telegram_ready(self) -> Path:
        """The file that the Bot API test server writes when it serves."""
        return self.store / "telegram.json"

    def bus_options(self, name: str = "view", user: str = LAUNCHER) -> BusOptions:
        """How the launcher's own view, and what else it has on the bus, connects."""
        bus = self.settings.bus.model_copy(update={"url": SecretStr(self.bus_url(user))})
        return bus_options(bus, name)

    def bus_config(self) -> NatsConfig:
        """The embedded bus's configuration."""
        return NatsConfig(
            data_dir=self.store / "nats",
            port=self.bus_port or 0,
            monitor_port=self.monitor_port,
            users=self.bus_users,
            max_bytes=store_bytes(self.settings.retention) + FILE_STORE_SLACK,
            profile_port=self.settings.bus.profile_port,
        )


def part_environment(layout: Layout, environ: Mapping[str, str], part: str) -> dict[str, str]:
    """The environment of one part: the user's own, above it what this copy decided, below it its allocator's bounds."""
    settings = layout.settings
    keys = [key.get_secret_value() for key in settings.api.api_keys]
    admin_keys = [key.get_secret_value() for key in settings.api.admin_keys]
    user = USER_OF_PART.get(part)
    decided = {
        "PYTHONUNBUFFERED": "1",
        **({} if user is None else {"NATS_URL": layout.bus_url(user)}),  # others have nothing on the bus
        "HYDROPHONE_DATA": str(layout.data),
        "GPT_API_PORT": str(layout.api_port),
        "BOT_INTERNAL_PORT": str(layout.bot_port),
        "GPT_API_API_KEYS": ",".join([*keys, layout.read_key] if layout.mode == "demo" else keys),
        "HYDROPHONE_ADMIN_KEYS": ",".join([*admin_keys, layout.admin_key]),
    }
    if layout.documents_url is not None:
        decided["MONGO_URL"] = layout.documents_url
    if layout.app_secret is not None:
        decided["APP_SECRET_KEY"] = layout.app_secret
    if layout.mode == "demo":
        decided |= {"TELEGRAM_API_BASE_URL": layout.telegram_url, "TELEGRAM_BOT_TOKEN": DEMO_TOKEN}
        for venue in settings.venues.venues:
            address = f"127.0.0.1:{layout.simulator_port}/{venue}"
            decided[f"HYDROPHONE_{venue.upper()}_WS_URL"] = f"ws://{address}"
            decided[f"HYDROPHONE_{venue.upper()}_REST_URL"] = f"http://{address}"
    if settings.logs.metrics_port and part in METRICS_AFTER:
        decided["HYDROPHONE_METRICS_PORT"] = str(settings.logs.metrics_port + METRICS_AFTER[part])
    return {**ALLOCATOR, **environ, **decided}


def substitutions(layout: Layout) -> dict[str, str]:
    """What the Procfile's $NAMES stand for."""
    venues = layout.settings.venues
    bases = dict.fromkeys(symbol.split("/")[0] for symbol in venues.symbols)
    return {
        "PROVISION_OPTIONS": shlex.join(provision_options(layout)),
        "SIMULATOR_RATE": f"{venues.simulator_rate:g}",
        "SIMULATOR_PORT": str(layout.simulator_port),
        "SIMULATOR_READY": shlex.quote(str(layout.simulator_ready)),
        "TELEGRAM_PORT": str(layout.telegram_port),
        "TELEGRAM_TOKEN": DEMO_TOKEN,
        "TELEGRAM_READY": shlex.quote(str(layout.telegram_ready)),
        "VENUES": shlex.quote(",".join(venues.venues)),
        "BASES": shlex.quote(",".join(bases)),
    }


def provision_options(layout: Layout) -> list[str]:
    """How the provisioner learns whether the bus syncs each write, and how many copies of effects to keep."""
    bus = layout.settings.bus
    own = layout.bus_port is not None
    monitors = [layout.monitor_url] if own else list(bus.monitor_urls)
    options = [word for url in monitors for word in ("--monitor", url)]
    options += ["--trust-sync"] if bus.trust_sync and not own else []
    return [*options, "--replicas", "1" if own else str(bus.replicas)]


def decide_argv(command: str, names: Mapping[str, str]) -> tuple[str, ...]:
    """A Procfile's command as an argument list; `python` is the one that runs this. KeyError names an unknown $NAME."""
    words = shlex.split(Template(command).substitute(names))
    return tuple(sys.executable if word == "python" and place == 0 else word for place, word in enumerate(words))


def own_servers(layout: Layout, environ: Mapping[str, str]) -> list[Part]:
    """The bus and the document server, where the user names none; the bus's configuration must have been saved."""
    parts: list[Part] = []
    bus, documents = layout.bus_port, layout.documents_port
    if bus is not None:
        argv = nats_command(layout.store / "nats" / "nats.conf")
        parts.append(
            Part("bus", tuple(argv), nats_environment(environ), ready=lambda: nats_answers(bus, layout.monitor_port))
        )
    if documents is not None:
        user = user_command(layout.store / "documents")
        parts.append(Part("documents-user", tuple(user), {**environ, PASSWORD: layout.documents_password}, once=True))
        argv = document_command(layout.store / "documents", documents)
        answers = partial(documents_answer, documents)
        parts.append(Part("documents", tuple(argv), document_environment(environ), ready=answers, alive=answers))
    return parts


def procfile_parts(layout: Layout, environ: Mapping[str, str], procfile: str) -> list[Part]:
    """The Procfile's parts that this mode runs, in its order."""
    names = substitutions(layout)
    commands = cast("Mapping[str, str]", parse_procfile(procfile).processes)
    readiness = {
        "simulator": lambda: file_appears(layout.simulator_ready),
        "telegram": lambda: file_appears(layout.telegram_ready),
        BOT: lambda: http_answers(f"{layout.bot_url}/health"),
        "api": lambda: http_answers(f"{layout.api_url}/health/ready"),
    }
    return [
        Part(
            name=name,
            argv=decide_argv(command, names),
            environ=part_environment(layout, environ, name),
            ready=readiness.get(name),
            once=name in ONCE,
            start_seconds=120.0 if name == "api" else 60.0,
        )
        for name, command in commands.items()
        if (layout.mode == "demo" or name not in ONLY_IN_DEMO)
        and (layout.settings.venues.books == "elsewhere" or name != BOOKS)
        and (layout.has_bot or name != BOT)
    ]
