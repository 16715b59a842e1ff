"""What tests of backups share: the commands as they are typed, and everything that a bus and a document store hold."""

from __future__ import annotations

import json
from typing import Any

from bson import decode

from deploy.backup.command_line import parse
from deploy.backup.commands import COMMANDS
from runtime.config.settings import load
from runtime.nats.bus import Bus
from runtime.nats.streams.api import ApiRefusalError, call
from runtime.store import Store


async def typed(*words: str) -> None:
    """Do what `python -m deploy.backup <words>` does."""
    settings = load()
    given = parse(words)
    await COMMANDS[given.command](given, settings, settings.store.data)


def place_in(url: str, database: str) -> str:
    """A document server's URL with a database in it."""
    return url.replace("/?", f"/{database}?authSource=admin&")


async def contents(bus: Bus) -> dict[str, Any]:
    """Every stream with its configuration, messages and durables; what a server counts from its own start left out."""
    found = {}
    for info in (await call(bus, "STREAM.LIST"))["streams"]:
        name, state = info["config"]["name"], info["state"]
        messages = [await message(bus, name, number) for number in range(1, state["last_seq"] + 1)]
        durables = {one["name"]: durable(one) for one in (await call(bus, f"CONSUMER.LIST.{name}"))["consumers"]}
        found[name] = (info["config"], state["messages"], state["last_seq"], messages, durables)
    return found


async def message(bus: Bus, stream: str, number: int) -> dict[str, Any] | None:
    try:
        return (await call(bus, f"STREAM.MSG.GET.{stream}", json.dumps({"seq": number}).encode()))["message"]
    except ApiRefusalError:
        return None


def durable(info: dict[str, Any]) -> dict[str, Any]:
    kept = ("config", "num_ack_pending", "num_pending", "num_redelivered")
    place = {name: (info[name]["stream_seq"], info[name]["consumer_seq"]) for name in ("delivered", "ack_floor")}
    return {**{name: info[name] for name in kept}, **place}


async def documents_of(store: Store) -> dict[str, Any]:
    """Every collection with its documents and indexes."""
    indexes = await store.find_indexes()
    found = {}
    async with store.moment() as read:
        for name, described in indexes.items():
            rows = sorted([one async for one in read(name)], key=lambda row: repr(decode(row)["_id"]))
            found[name] = (rows, sorted(described, key=lambda one: one["name"]))
    return found
