"""Everything on one machine: `python -m deploy.launch demo|run` starts, watches and stops the parts."""

from __future__ import annotations

import asyncio
import platform
import secrets
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast, get_args

from runtime.app import entry

if __name__ == "__main__":
    entry.begin(without=entry.EXTRAS - entry.TERMINAL)

from consumers.registry import NEED_DOCUMENTS
from deploy import view
from deploy.datadir import NoDirectoryError, claimed, remove_run, save_run
from deploy.disk import DiskWatch, NoRoomError, require_room
from deploy.parts import Layout, Mode, own_servers, procfile_parts
from deploy.ready import choose_port, reserved
from deploy.supervisor import Part, StartError, Supervisor
from runtime.clock import monotonic
from runtime.config.settings import Settings, SettingsError, environment, load
from runtime.logging.logs import LogConfig, configure
from runtime.pepper import load_app_secret
from runtime.servers.allocator import bound_allocator
from runtime.servers.answers import HOST
from runtime.servers.bus_users import BusUsers
from runtime.servers.document_user import find_document_python
from runtime.servers.embedded import free_port, save_nats_config

ROOT: Final = Path(__file__).resolve().parents[1]
PROCFILE: Final = Path(__file__).with_name("Procfile")
OWN_SERVERS: Final = ("bus", "documents-user", "documents")
AT_ONCE: Final = frozenset({"producers", "books", "consumers", "api", "bot"})  # none waits for another
SAVE_SECONDS: Final = 1.0  # between two tries to write run.json


def decide_layout(mode: Mode, data: Path, settings: Settings, *, port_is_ours: bool = True) -> Layout:
    """Ports, tokens and keys of this copy; OSError where a setting asks for a port that is taken.

    `port_is_ours`: no other copy that is just starting has reserved the API's port.
    """
    insist = "port" in settings.api.model_fields_set
    profile = settings.bus.profile_port
    if profile:
        choose_port(HOST, profile, setting="HYDROPHONE_BUS_PROFILE_PORT", insist=True)
    own_secret = settings.store.url is None and settings.trading.secret_key is None
    return Layout(
        mode=mode,
        data=data,
        settings=settings,
        bus_port=free_port() if settings.bus.url is None else None,
        monitor_port=free_port(),
        bus_users=BusUsers(),
        documents_port=free_port() if settings.store.url is None and find_document_python() is not None else None,
        documents_password=secrets.token_hex(16),
        simulator_port=free_port(),
        telegram_port=free_port(),
        bot_port=_bot_port(settings, mine=port_is_ours),
        api_port=choose_port(
            settings.api.host, settings.api.port, setting="GPT_API_PORT", insist=insist, mine=port_is_ours
        ),
        read_key=secrets.token_urlsafe(24),
        admin_key=secrets.token_urlsafe(24),
        app_secret=load_app_secret(data) if own_secret else None,
    )


def _bot_port(settings: Settings, *, mine: bool) -> int:
    bot = settings.bot
    insist = "internal_port" in bot.model_fields_set
    return choose_port(bot.internal_host, bot.internal_port, setting="BOT_INTERNAL_PORT", insist=insist, mine=mine)


def run_facts(layout: Layout, pids: Mapping[str, int]) -> dict[str, object]:
    """What run.json says."""
    keys = {"key": layout.read_key} if layout.mode == "demo" else {}
    simulated = {"telegram": {"url": layout.telegram_url}, "simulator": {"url": layout.simulator_url}}
    monitor = {} if layout.bus_port is None else {"monitor_url": layout.monitor_url}
    return {
        "mode": layout.mode,
        "nats": {"url": layout.subscriber_url, "admin_url": layout.admin_url, **monitor},
        "documents": {"url": layout.documents_url},
        "api": {"url": layout.api_url, **keys, "admin_key": layout.admin_key},
        "bot": {"url": layout.bot_url if layout.has_bot else None},
        **(simulated if layout.mode == "demo" else {}),
        "pids": dict(pids),
    }


def missing_parts(layout: Layout, version: str) -> list[str]:
    """Return lines that say what is off without documents, why, and what to do; none where there are documents."""
    if layout.documents_url is not None:
        return []
    return [
        f"no documents: the embedded server runs with Python 3.11 to 3.13 only, and this is {version}",
        f"off without documents: {', '.join(sorted(NEED_DOCUMENTS))}; what asks for them gets 503 NOT_READY",
        "to have them: set MONGO_URL, or install Python 3.13 beside this one and start again with `make`",
    ]


def find_parts(layout: Layout, procfile: str) -> list[Part]:
    """Every part in the order of starting."""
    environ = environment()
    return [*own_servers(layout, environ), *procfile_parts(layout, environ, procfile)]


async def start_parts(supervisor: Supervisor, parts: list[Part], on_bus: Callable[[], None]) -> None:
    """Start one after another what others need, then the rest at once; `on_bus` is called once the bus is provisioned.

    Reports how long each took.
    """
    alone = [part for part in parts if part.name not in AT_ONCE]
    announced = False
    for part in alone:
        await _start_part(supervisor, part)
        if not announced and part.name not in OWN_SERVERS:
            announced = True
            on_bus()
    try:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                if part not in alone:
                    group.create_task(_start_part(supervisor, part), name=f"start {part.name}")
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed


async def _start_part(supervisor: Supervisor, part: Part) -> None:
    began = monotonic()
    supervisor.say(f"starting {part.name} …")
    await supervisor.start(part)
    done = "done" if part.once else "ready" if part.ready is not None else "started"
    supervisor.say(f"{part.name} {done} ({monotonic() - began:.1f} s)")


async def launch(layout: Layout, procfile: str, terminal: view.Terminal) -> int:
    """Run everything until a signal; 0 after a clean stop, 1 when it did not come up."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stopping.set)
    supervisor = Supervisor(layout.data / "logs", ROOT, terminal.say)
    watching = view.View(layout.bus_options(), terminal)
    for ready in (layout.simulator_ready, layout.telegram_ready):
        ready.unlink(missing_ok=True)
    if layout.bus_port is not None:
        save_nats_config(layout.bus_config())
    starting = asyncio.create_task(start_parts(supervisor, find_parts(layout, procfile), watching.start))
    waiting = asyncio.create_task(stopping.wait())
    tasks: list[asyncio.Task[object]] = [starting, waiting]
    try:
        await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not stopping.is_set():
            starting.result()
            _announce(supervisor, layout, watching, terminal)
            if layout.bus_port is not None:
                tasks.append(asyncio.create_task(_watch_disk(supervisor, layout, terminal).run(), name="disk"))
            await waiting
        terminal.say("stopping …")
    except (StartError, FileNotFoundError) as error:
        terminal.say(str(error))
        return 1
    finally:
        await _stop(supervisor, layout, tasks, watching)
    terminal.say("stopped")
    return 0


def _announce(supervisor: Supervisor, layout: Layout, watching: view.View, terminal: view.Terminal) -> None:
    run_file = RunFile(layout, supervisor, terminal.say)
    run_file.save()
    supervisor.on_change = run_file.save
    key = layout.read_key if layout.mode == "demo" else None
    watching.show(view.Places(layout.api_url, layout.subscriber_url, key, str(layout.data / "run.json")))


def _watch_disk(supervisor: Supervisor, layout: Layout, terminal: view.Terminal) -> DiskWatch:
    return DiskWatch(
        options=layout.bus_options("disk watch"),
        monitor_url=layout.monitor_url,
        data=layout.data,
        say=terminal.say,
        restart=lambda: supervisor.restart("bus"),
        on_healed=supervisor.hurry,
        runs=lambda: "bus" in supervisor.pids(),
    )


@dataclass
class RunFile:
    """run.json of this copy; what the disk does not take is tried again until it does or the copy stops."""

    layout: Layout
    supervisor: Supervisor
    say: Callable[[str], None]
    failed: bool = False

    def save(self) -> None:
        """Write it with the present pids."""
        try:
            save_run(self.layout.data, run_facts(self.layout, self.supervisor.pids()))
        except OSError as error:
            if not self.failed:
                self.say(f"run.json cannot be saved ({error.strerror}): it is tried again, and has old pids until then")
            self.failed = True
            asyncio.get_running_loop().call_later(SAVE_SECONDS, self._again)
        else:
            self.failed = False

    def _again(self) -> None:
        if self.failed and self.supervisor.on_change == self.save:  # not while stopping
            self.save()


async def _stop(supervisor: Supervisor, layout: Layout, tasks: list[asyncio.Task[object]], watching: view.View) -> None:
    remove_run(layout.data)
    supervisor.on_change = lambda: None
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError, StartError, FileNotFoundError):
            await task
    await watching.stop()
    await supervisor.stop()


def main(arguments: list[str]) -> int:
    """`demo` or `run`; 2 for anything else, 1 when it did not come up."""
    if len(arguments) != 1 or arguments[0] not in get_args(Mode):
        print("usage: python -m deploy.launch demo|run", file=sys.stderr)
        return 2
    mode = cast("Mode", arguments[0])
    bound_allocator(environment())
    terminal = view.Terminal()
    try:
        settings = load()
        configure(LogConfig(part="launcher", level="ERROR", secrets=settings.secrets()), sys.stderr)
        with claimed(settings.store.data.expanduser().absolute()) as data, reserved(settings.api.port) as ours:
            for warning in settings.warnings:
                terminal.say(f"warning: {warning}")
            terminal.say(f"{mode}: data in {data}, logs of the parts in {data / 'logs'}")
            layout = decide_layout(mode, data, settings, port_is_ours=ours)
            for line in missing_parts(layout, platform.python_version()):
                terminal.say(line)
            if layout.bus_port is not None:
                require_room(data, layout.store, settings.retention)
            return asyncio.run(launch(layout, PROCFILE.read_text(), terminal))
    except (SettingsError, NoDirectoryError, NoRoomError, OSError) as error:
        terminal.say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(entry.run(main))
