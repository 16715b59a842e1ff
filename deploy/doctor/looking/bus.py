"""Facts of the bus: its servers, what of the plan is there, readers of durables, dead letters, pauses, feeds, time."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from nats.aio.client import Client
from nats.errors import Error as NatsError

from contracts import streams, subjects
from contracts.errors import NotReadyError
from contracts.services.market import HealthQuery
from contracts.services.replies.market import HealthReply
from contracts.streams import DurableSpec
from deploy.disk import find_write_error
from deploy.doctor.facts import ClockFact, DurableFact, FeedFact, ItemFact, ServerFact
from runtime import clock
from runtime.clients.command_client import CommandClient
from runtime.nats.bus import Bus, BusOptions, connect_arguments
from runtime.nats.durable import find_durable
from runtime.nats.streams.api import NOT_FOUND, ApiRefusalError, call, parse_rfc3339
from runtime.nats.streams.config import BUCKET_PREFIX, find_drift
from runtime.provision import Item, Plan, find_config, items, syncs_always

CONNECT_SECONDS: Final = 3.0
LOOKS: Final = 3
LOOK_SECONDS: Final = 0.7
SECOND_NS: Final = 1_000_000_000
TRIES: Final = 3  # a core that has just died is replaced within a second or two
TRY_SECONDS: Final = 0.3
_AT_ONCE: Final = 8


class CannotConnectError(RuntimeError):
    """The bus was not connected to; the text is the client's."""


async def connect(options: BusOptions) -> Bus:
    """Return a connection; CannotConnectError where there is none within 3 seconds."""
    errors: list[str] = []

    async def on_error(error: Exception) -> None:
        errors.append(str(error) or type(error).__name__)

    once = {name: value for name, value in connect_arguments(options).items() if "reconnect" not in name}
    probe = Client()
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await probe.connect(**once, allow_reconnect=False, error_cb=on_error)
            await probe.close()
            return await Bus(options, on_closed=lambda: None).connect()
    except (OSError, TimeoutError, NatsError) as error:
        words = errors[-1] if errors else str(error) or f"no answer within {CONNECT_SECONDS:g} s"
        raise CannotConnectError(words.removeprefix("nats: ")) from None


async def look_at_servers(monitors: Sequence[str]) -> list[ServerFact]:
    """Return what each server says of itself at its monitoring address."""
    return list(await asyncio.gather(*(_look_at_server(url) for url in monitors)))


async def _look_at_server(url: str) -> ServerFact:
    try:
        syncs = await syncs_always([url])
    except (OSError, ValueError) as error:
        return ServerFact(url, problem=str(error) or type(error).__name__)
    return ServerFact(url, syncs, await asyncio.to_thread(find_write_error, url.rstrip("/")))


async def look_at_items(bus: Bus, plan: Plan) -> list[ItemFact]:
    """Return what the server has of each stream, bucket and durable of the plan."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def look(item: Item) -> ItemFact:
        async with turns:
            actual = await find_config(bus, item)
        if actual is None:
            return ItemFact(item.place, missing=True)
        drifts = find_drift(item.place, item.fitted(actual).wanted, actual)
        return ItemFact(item.place, missing=False, drifts=tuple((str(one), one.safe) for one in drifts))

    return list(await asyncio.gather(*(look(item) for item in items(plan))))


async def look_at_durables(bus: Bus, durables: Sequence[DurableSpec]) -> list[Mapping[str, DurableFact]]:
    """Return some looks at the durables that are there, by place; it takes about 1.4 s."""
    looks: list[Mapping[str, DurableFact]] = []
    for number in range(LOOKS):
        if number:
            await clock.sleep(LOOK_SECONDS)
        infos = await asyncio.gather(*(find_durable(bus, spec) for spec in durables))
        found = [_read_durable(spec, info) for spec, info in zip(durables, infos, strict=True) if info is not None]
        looks.append({one.place: one for one in found})
    return looks


def _read_durable(spec: DurableSpec, info: Mapping[str, Any]) -> DurableFact:
    delivered = info["delivered"]
    active = delivered.get("last_active")
    return DurableFact(
        place=f"durable {spec.stream}/{spec.name}",
        pending=info["num_pending"],
        unacked=info["num_ack_pending"],
        pulls=info["num_waiting"],
        delivered=delivered["consumer_seq"],
        last_active=None if active is None else parse_rfc3339(active),
        ack_wait=spec.ack_wait,
    )


async def look_at_letters(bus: Bus) -> Counter[str]:
    """Return how many dead letters each consumer has; none where there is no stream of them."""
    wanted = json.dumps({"subjects_filter": subjects.ALL_DEAD_LETTERS}).encode()
    try:
        info = await call(bus, f"STREAM.INFO.{streams.DLQ}", wanted)
    except ApiRefusalError as error:
        if error.code == NOT_FOUND:
            return Counter()
        raise
    counts: Counter[str] = Counter()
    for subject, count in cast("dict[str, int]", info["state"].get("subjects") or {}).items():
        counts[subject.removeprefix(subjects.DEAD_LETTER).partition(".")[0]] += count
    return counts


async def look_at_pauses(bus: Bus) -> dict[str, int]:
    """Return until when (ns UTC) each exchange's REST is not called, by its name; none without the bucket."""
    prefix = f"$KV.{streams.PAUSES}."
    wanted = json.dumps({"subjects_filter": f"{prefix}>"}).encode()
    try:
        info = await call(bus, f"STREAM.INFO.{BUCKET_PREFIX}{streams.PAUSES}", wanted)
    except ApiRefusalError as error:
        if error.code == NOT_FOUND:
            return {}
        raise
    found: dict[str, int] = {}
    js = bus.jetstream()
    for subject in cast("dict[str, int]", info["state"].get("subjects") or {}):
        message = await js.get_last_msg(f"{BUCKET_PREFIX}{streams.PAUSES}", subject)
        if message.data:
            found[subject.removeprefix(prefix)] = int(message.data)
    return found


async def look_at_feeds(bus: Bus) -> list[FeedFact] | None:
    """Return each feed by the market core's word; None where it does not answer three times."""
    for _ in range(TRIES):
        try:
            reply = await CommandClient(bus).request("market.health", HealthQuery(), HealthReply)
        except NotReadyError:
            await clock.sleep(TRY_SECONDS)
        else:
            return [FeedFact(venue, feed.state, feed.reason) for venue, feed in reply.root.items()]
    return None


async def look_at_clock(bus: Bus) -> ClockFact | None:
    """Return how far our clock is ahead of the bus server's; None where it says no time."""
    answer = cast("dict[str, Any]", json.loads(await bus.api("STREAM.NAMES", b'{"offset": 0}')))
    names = cast("list[str]", answer.get("streams") or [])
    if not names:
        return None
    began = clock.now_ns()
    info = await call(bus, f"STREAM.INFO.{names[0]}")
    ended = clock.now_ns()
    if "ts" not in info:
        return None
    ahead = (began + ended) / 2 - parse_rfc3339(info["ts"])
    return ClockFact("the bus server", ahead / SECOND_NS, (ended - began) / 2 / SECOND_NS)
