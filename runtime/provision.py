"""The one owner of streams, buckets and durables: creates, checks and heals them from the contracts' data."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any, cast

from runtime.app import entry

if __name__ == "__main__":
    entry.begin(without=entry.EXTRAS)

import structlog

from contracts import streams
from contracts.streams import DurableSpec, Retention
from runtime.config.options import bus_options
from runtime.config.settings import BusSettings, load
from runtime.nats.announce import Announcer
from runtime.nats.bus import Bus, BusOptions, NoAnswerError
from runtime.nats.streams.api import NOT_FOUND, ApiRefusalError, call
from runtime.nats.streams.config import Config, Drift, find_drift
from runtime.nats.streams.figures import watching
from runtime.nats.streams.healing import Healer, find_info, observe_nothing, say_nothing
from runtime.nats.streams.moved_subjects import drop_moved_durables, gives_up, is_move
from runtime.nats.streams.plan import Item, Plan, disk_bytes, durable_item, items, reserved_bytes
from runtime.nats.streams.syncing import syncs_always

__all__ = ["Item", "Plan", "disk_bytes", "items", "reserved_bytes", "syncs_always"]

_log = structlog.get_logger("provision")

_HEAL_SECONDS = 1.0
_ALIVE_SECONDS = 60.0
_SAID_SECONDS = 0.5  # before something is made again, which no stream that cannot take the announcement holds up


class ProvisionError(RuntimeError):
    """The bus does not hold what the contracts declare; each line names the stream and the field or rule at fault."""


def declared(*, synced: bool, replicas: int = 1, recording: bool = False, retention: Retention | None = None) -> Plan:
    """The contracts' plan; recording adds the optional streams, `retention` changes what is kept."""
    kept = retention or Retention()
    return Plan(
        streams=tuple(kept.of_stream(spec) for spec in streams.STREAMS if recording or not spec.optional),
        buckets=tuple(kept.of_bucket(spec) for spec in streams.BUCKETS),
        durables=streams.DURABLES,
        replicas=replicas,
        synced=synced,
    )


async def remake_durable(bus: Bus, spec: DurableSpec) -> None:
    """Make a durable of a work queue again: what it delivered and nobody acknowledged is delivered at once."""
    item = durable_item(spec)
    try:
        await call(bus, f"CONSUMER.DELETE.{spec.stream}.{spec.name}")
    except ApiRefusalError as error:
        if error.code != NOT_FOUND:
            raise
    await call(bus, item.create, item.body(""))  # or changed, where the healer was quicker


async def find_config(bus: Bus, item: Item) -> Config | None:
    """The configuration the server holds for an item, None where it has none."""
    info = await find_info(bus, item)
    return None if info is None else cast("Config", info["config"])


async def apply(bus: Bus, plan: Plan) -> list[str]:
    """Create what is missing and change what may be changed; a line for each item.

    A stream gives up subjects that another one of the plan is to have, before that one is created; what it holds of
    them stays there until it ages out. ProvisionError names every field that differs and may not be changed, or the
    effects that the server cannot keep; nothing is touched then.
    """
    _refuse_unsynced_effects(plan)
    found = {item.place: await find_config(bus, item) for item in items(plan)}
    wanted = [item.fitted(found[item.place]) for item in items(plan)]
    drifts = {item.place: _drift(item, found[item.place]) for item in wanted}
    claimed = [subject for spec in plan.streams for subject in spec.subjects]
    unsafe = [drift for place in drifts for drift in drifts[place] if not drift.safe and not is_move(drift, claimed)]
    if unsafe:
        raise ProvisionError("\n".join(str(drift) for drift in unsafe))
    lines = await drop_moved_durables(bus, plan.streams, plan.durables)
    for item in sorted(wanted, key=lambda item: not gives_up(drifts[item.place])):
        if found[item.place] is None:
            await call(bus, item.create, item.body("create"))
            lines.append(f"{item.place}: created")
        elif drifts[item.place]:
            await call(bus, item.update, item.body("update"))
            lines.append(f"{item.place}: changed {', '.join(drift.field for drift in drifts[item.place])}")
        elif item.wanted.get("num_replicas", plan.replicas) != plan.replicas:
            how = f"as it was created; deleted, it is made again on {plan.replicas}"
            lines.append(f"{item.place}: stays on one server, {how}")
        else:
            lines.append(f"{item.place}: as declared")
    return lines


def _drift(item: Item, actual: Config | None) -> list[Drift]:
    return [] if actual is None else find_drift(item.place, item.wanted, actual)


def _refuse_unsynced_effects(plan: Plan) -> None:
    effects = [f"stream {spec.name}" for spec in plan.streams if spec.effects]
    effects += [f"bucket {spec.name}" for spec in plan.buckets if spec.effects]
    if effects and not plan.synced:
        raise ProvisionError(
            f"{', '.join(effects)}: refused, the server is not known to sync every write to disk"
            " (jetstream sync_interval: always)"
        )


async def verify(bus: Bus, plan: Plan) -> None:
    """For a service's start: ProvisionError names whatever of the plan is missing or differs; changes nothing."""
    problems: list[str] = []
    for item in items(plan):
        actual = await find_config(bus, item)
        if actual is None:
            problems.append(f"{item.place}: missing")
        problems += [str(drift) for drift in _drift(item.fitted(actual), actual)]
    if problems:
        raise ProvisionError("\n".join(problems))


async def keep(
    bus: Bus,
    plan: Plan,
    on_healed: Callable[[str], None],
    *,
    interval: float = _HEAL_SECONDS,
    on_lost: Callable[[str], Awaitable[None]] = say_nothing,
    observe: Callable[[dict[str, Any]], None] = observe_nothing,
    beat: Callable[[], None] = lambda: None,
) -> None:
    """Run for ever: each `interval` seconds look, say so, call `on_healed(place)`; `beat()` in each round.

    `on_lost(place)` and `observe(answer)` are as the healer's.
    """
    _refuse_unsynced_effects(plan)
    healer = Healer(bus, plan, on_lost=on_lost, observe=observe)
    while True:
        await asyncio.sleep(interval)
        beat()
        if not bus.connected:
            continue
        try:
            for place in await healer.heal():
                _log.warning("provision.healed", place=place)
                on_healed(place)
        except (NoAnswerError, ApiRefusalError) as error:
            _log.warning("provision.heal_failed", error=str(error))


async def provision_once(
    bus: Bus, arguments: argparse.Namespace, retention: Retention, write: Callable[[str], None]
) -> int:
    """Apply the declared plan and write a line for each item; 1 when that is refused, with the reasons."""
    try:
        synced = arguments.trust_sync or await syncs_always(arguments.monitor)
        plan = declared(synced=synced, replicas=arguments.replicas, recording=arguments.recording, retention=retention)
        for line in await apply(bus, plan):
            write(line)
    except (ProvisionError, ApiRefusalError, NoAnswerError, OSError) as error:
        write(f"refused: {error}")
        return 1
    if arguments.keep:
        await _keep_watched(bus, plan, write, arguments.metrics_port)
    return 0


async def _keep_watched(bus: Bus, plan: Plan, write: Callable[[str], None], metrics_port: int) -> None:
    """Keep the plan, write and announce what is made again, and serve the figures of it all where there is a port."""
    announcer = Announcer(bus, "provision")
    async with watching(bus, metrics_port, [item.place for item in items(plan)]) as (figures, health):

        def on_healed(place: str) -> None:
            write(f"{place}: created again")
            figures.healed.labels(place).inc()

        async def on_lost(place: str) -> None:
            lost = "where it was is lost" if place.startswith("durable") else "what it held is lost"
            announcer.on_gap(f"{place} was gone and is made again: {lost}")
            await announcer.flush(_SAID_SECONDS)

        def beat() -> None:
            health.beat("healer", _ALIVE_SECONDS)

        await keep(bus, plan, on_healed, on_lost=on_lost, observe=figures.observe, beat=beat)


def parse(argv: list[str], bus: BusSettings, metrics_port: int = 0) -> argparse.Namespace:
    """The command line of `python -m runtime.provision`; what it leaves out is as the settings say."""
    parser = argparse.ArgumentParser(prog="python -m runtime.provision", description=__doc__)
    parser.add_argument("--monitor", action="append", default=[], metavar="URL", help="a server's monitoring endpoint")
    parser.add_argument("--trust-sync", action="store_true", help="take my word that every server syncs each write")
    parser.add_argument(
        "--replicas", type=int, default=bus.replicas, help="copies of each stream and bucket: 3 in a cluster"
    )
    parser.add_argument("--recording", action="store_true", help="create the optional streams too")
    parser.add_argument("--keep", action="store_true", help="stay and create again what vanishes")
    parser.set_defaults(trust_sync=bus.trust_sync, metrics_port=metrics_port)
    arguments = parser.parse_args(argv)
    arguments.monitor = arguments.monitor or list(bus.monitor_urls)
    return arguments


def main(argv: list[str]) -> int:
    """Provision; 2 where the command line or the settings are wrong."""
    try:
        settings = load()
        arguments = parse(argv, settings.bus, settings.logs.metrics_port)
        options = bus_options(settings.bus, "provision")
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return asyncio.run(_provision(options, settings.retention.retention(), arguments))


async def _provision(options: BusOptions, retention: Retention, arguments: argparse.Namespace) -> int:
    """Wait for the bus, provision, close."""
    bus = await Bus(options).connect()
    try:
        return await provision_once(bus, arguments, retention, print)
    finally:
        await bus.close()


if __name__ == "__main__":
    sys.exit(entry.run(main))
