"""One subject of each kind that the contracts declare, and what the server refuses a user of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from nats.aio.client import Client

from contracts.codec import EVENTS
from contracts.commands import every_command
from contracts.schema import asyncapi
from contracts.streams import BUCKETS, DURABLES, STREAMS
from contracts.subjects import STATE_FEED
from contracts.users.declared import USERS
from contracts.users.permissions import inbox_of

VERBS = ("INFO", "CREATE", "UPDATE", "DELETE", "PURGE", "MSG.GET", "MSG.DELETE", "SNAPSHOT")
_REFUSED = re.compile(r'permissions violation for (publish|subscription) to "([^"]+)"')


def subjects() -> list[str]:
    """Every address of the bus's document, every command, every request of JetStream, every bucket, every inbox."""
    addresses = [asyncapi.subject_of(model) for model in EVENTS.values()]
    addresses += [address for address, _ in asyncapi.OTHERS.values()]
    plain = [re.sub(r"\{[^}]+\}", "x", address) for address in addresses]
    commands = [command.subject for command in every_command()]
    names = [*(spec.name for spec in STREAMS), *(f"KV_{spec.name}" for spec in BUCKETS)]
    streams = [f"$JS.API.STREAM.{verb}.{name}" for verb in VERBS for name in names]
    reading = [f"$JS.API.{call}.{name}" for call in ("CONSUMER.CREATE", "DIRECT.GET") for name in names]
    flow = [f"$JS.FC.{name}.c.x" for name in names]
    places = [(spec.stream, spec.name, spec.filter_subject) for spec in DURABLES]
    durables = [f"$JS.API.CONSUMER.{verb}.{at}.{name}" for at, name, _ in places for verb in ("INFO", "DELETE")]
    durables += [f"$JS.API.CONSUMER.MSG.NEXT.{at}.{name}" for at, name, _ in places]
    durables += [f"$JS.API.CONSUMER.CREATE.{at}.{name}.{wanted}" for at, name, wanted in places]
    durables += [f"$JS.ACK.{at}.{name}.1.1.1.1.0" for at, name, _ in places]
    keys = [f"$KV.{spec.name}.{key}" for spec in BUCKETS for key in ("x", f"{STATE_FEED}x")]
    leases = ["$KV.LEASES.producers.x", *(f"$KV.LEASES.{name}" for name in (*USERS, "market.consolidated"))]
    letters = [f"dlq.v1.{name}.x" for name in (*USERS, *(spec.name for spec in DURABLES))]
    named = ["md.v1.ticker.all.x.x.x", "md.v1.book.all.x.x.x", "feed.v1.bus", "audit.v1.trading.kill"]
    named += [f"audit.v1.{service}.x" for service in ("access", "community", "strategies", "trading", "webhooks")]
    named += ["alert.v1.price_alert.x.x.x.x", "probe.v1.api", "probe.v1.supervisor", "md.v1.ticker.x.x.USD.spot"]
    named += [
        "job.v1.webhook.x",
        "later.v1.at.webhook.x",
        "order.v1.filled.x",
        "$JS.API.STREAM.NAMES",
        "$SYS.x",
        "_R_.x",
    ]
    inboxes = [f"{inbox_of(user)}.x.y" for user in (None, *USERS)]
    every = (plain, commands, streams, reading, flow, durables, keys, leases, letters, named, inboxes)
    return list(dict.fromkeys(subject for some in every for subject in some))


@dataclass
class Refusals:
    """What the server refused one connection, in lower case as nats-py gives it."""

    found: set[tuple[str, str]] = field(default_factory=set)

    async def on_error(self, error: Exception) -> None:
        refused = _REFUSED.search(str(error).lower())
        assert refused is not None, error
        self.found.add((refused[1], refused[2]))


async def refused_to(url: str, tried: Iterable[str], **more: Any) -> tuple[set[str], set[str]]:
    """Publish and subscribe to each subject over one connection; what was refused of each, in lower case."""
    refusals, client = Refusals(), Client()
    await client.connect(url, error_cb=refusals.on_error, allow_reconnect=False, **more)
    try:
        for subject in tried:
            await client.publish(subject, b"{}")
            await client.subscribe(subject)
        await client.flush(20)
        await asyncio.sleep(0.05)
    finally:
        await client.close()
    by = {
        action: {subject for what, subject in refusals.found if what == action}
        for action in ("publish", "subscription")
    }
    return by["publish"], by["subscription"]
