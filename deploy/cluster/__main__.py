"""A cluster on one machine: `python -m deploy.cluster [demo|run] [--faults] [--seconds N]`; Ctrl-C ends all of it."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from deploy import view
from deploy.cluster.faults import FAULT_SETTINGS, FAULT_VENUES, run_faults
from deploy.cluster.parts import roles
from deploy.cluster.running import Cluster, decide_cluster
from deploy.datadir import NoDirectoryError, claimed, remove_run, save_run
from deploy.disk import NoRoomError
from deploy.ready import reserved
from deploy.supervisor import StartError
from runtime.app.entry import take_arguments
from runtime.config.settings import Settings, SettingsError, environment, load
from runtime.logging.logs import LogConfig, configure

SUFFIX: Final = "-cluster"  # of the data directory: other copies have their own
Work = Callable[[Cluster], Awaitable[int]]


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m deploy.cluster", description=__doc__)
    parser.add_argument("mode", nargs="?", default="demo", choices=("demo", "run"), help="simulated or real exchanges")
    parser.add_argument("--faults", action="store_true", help="kill, restart and scale under load, judge, and end")
    parser.add_argument("--seconds", type=int, default=60, help="for how long a part is killed each second")
    parser.add_argument("--seed", type=int, default=1, help="which parts are killed")
    return parser.parse_args(arguments)


async def serve(cluster: Cluster, terminal: view.Terminal, work: Work | None) -> int:
    """Run until a signal, or until `work` is done; 1 where it did not come up, else what `work` returns, 0 without."""
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stopping.set)
    watching = view.View(cluster.layout.bus_options(), terminal)
    for ready in (cluster.layout.simulator_ready, cluster.layout.telegram_ready):
        ready.unlink(missing_ok=True)
    running = asyncio.create_task(_run(cluster, watching, terminal, work))
    stopped = asyncio.create_task(stopping.wait())
    code = 0
    try:
        await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            code = running.result()
        terminal.say("stopping …")
    except (StartError, FileNotFoundError) as error:
        terminal.say(str(error))
        return 1
    finally:
        remove_run(cluster.layout.data)
        cluster.supervisor.on_change = lambda: None
        for task in (running, stopped):
            task.cancel()
            with suppress(asyncio.CancelledError, StartError, FileNotFoundError):
                await task
        await watching.stop()
        await cluster.supervisor.stop()
    terminal.say("stopped")
    return code


async def _run(cluster: Cluster, watching: view.View, terminal: view.Terminal, work: Work | None) -> int:
    await cluster.start(watching.start if work is None else lambda: None)
    data = cluster.layout.data
    cluster.supervisor.on_change = lambda: _save(cluster)
    _save(cluster)
    for role in roles(cluster.layout):
        copies = sum(one.role.name == role.name for one in cluster.copies.values())
        terminal.say(f"{role.name}: {copies} copies; a second one {role.does}")
    terminal.say(f"APIs: {', '.join(cluster.urls('api'))}; bus: {len(cluster.servers)} servers, in run.json")
    if work is not None:
        return await work(cluster)
    key = cluster.layout.read_key if cluster.layout.mode == "demo" else None
    watching.show(view.Places(cluster.urls("api")[0], cluster.subscriber_urls[0], key, str(data / "run.json")))
    await asyncio.Event().wait()
    return 0


def _save(cluster: Cluster) -> None:
    """Write run.json with the present pids; what the disk does not take is said, and written at the next change."""
    try:
        save_run(cluster.layout.data, cluster.facts())
    except OSError as error:
        cluster.supervisor.say(f"run.json cannot be saved ({error.strerror})")


def for_faults(settings: Settings, environ: Mapping[str, str]) -> tuple[Settings, dict[str, str]]:
    """Return settings and environment of a run of faults: few venues and symbols, and what its load needs."""
    venues: dict[str, Any] = {"venues": FAULT_VENUES, "symbols": ("BTC", "ETH"), "simulator_rate": 0.5}
    changed = replace(settings, venues=settings.venues.model_copy(update=venues))
    return changed, {**environ, **FAULT_SETTINGS}


def main(arguments: list[str]) -> int:
    """Return 2 for a wrong command line, 1 where it did not come up or a promise was broken."""
    chosen = parse(arguments)
    terminal = view.Terminal()
    try:
        settings, environ = load(), environment()
        configure(LogConfig(part="launcher", level="ERROR", secrets=settings.secrets()), sys.stderr)
        if chosen.faults:
            chosen.mode = "demo"
            settings, environ = for_faults(settings, environ)
        wanted = settings.store.data.expanduser().absolute()
        with claimed(wanted.with_name(wanted.name + SUFFIX)) as data, reserved(settings.api.port) as ours:
            for warning in settings.warnings:
                terminal.say(f"warning: {warning}")
            terminal.say(f"cluster ({chosen.mode}): data in {data}, logs of the parts in {data / 'logs'}")
            cluster = decide_cluster(chosen.mode, data, settings, environ, port_is_ours=ours, say=terminal.say)
            work: Work | None = None
            if chosen.faults:
                work = lambda made: run_faults(made, terminal.say, seconds=chosen.seconds, seed=chosen.seed)  # noqa: E731
            return asyncio.run(serve(cluster, terminal, work))
    except (SettingsError, NoDirectoryError, NoRoomError, OSError) as error:
        terminal.say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main(take_arguments()))
