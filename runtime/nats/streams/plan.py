"""What must exist on the bus, as the requests that find, create and change it; nothing is asked for here."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Final

from contracts.streams import MIB, BucketSpec, DurableSpec, StreamSpec
from runtime.nats.streams.config import Config, as_created, bucket_config, durable_config, stream_config

COMPRESSED_TO: Final = 3  # or less: what is recorded of books takes 3.7 times less on disk, of lists of trades 11 times
_BLOCK: Final = 8 * MIB  # of a stream's file: compressed once it is full


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What must exist; `replicas` of each stream and bucket, 3 in a cluster.

    `synced`: every server syncs each write to disk.
    """

    streams: tuple[StreamSpec, ...]
    buckets: tuple[BucketSpec, ...]
    durables: tuple[DurableSpec, ...]
    replicas: int = 1
    synced: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One thing on the server: the requests that find, create and change it, and the configuration it must have."""

    place: str
    info: str
    create: str
    update: str
    wanted: Config
    durable_of: str | None = None
    promised: bool = True  # nothing of it may be other than wanted

    def fitted(self, actual: Config | None) -> Item:
        """Return the item as it can be had where the server holds one with this configuration."""
        return self if self.promised or actual is None else replace(self, wanted=as_created(self.wanted, actual))

    def body(self, action: str) -> bytes:
        """The request that creates or updates it."""
        if self.durable_of is None:
            return json.dumps(self.wanted).encode()
        return json.dumps({"stream_name": self.durable_of, "config": self.wanted, "action": action}).encode()


def reserved_bytes(plan: Plan) -> int:
    """What the streams and buckets of a plan may hold on each server, as the server counts it: uncompressed."""
    return sum(spec.max_bytes for spec in (*plan.streams, *plan.buckets))


def disk_bytes(plan: Plan) -> int:
    """What the streams and buckets of a plan may take of each server's disk."""
    compressed = sum(spec.max_bytes for spec in plan.streams if spec.compressed)
    open_blocks = _BLOCK * sum(spec.compressed for spec in plan.streams)
    return reserved_bytes(plan) - compressed + compressed // COMPRESSED_TO + open_blocks


def items(plan: Plan) -> list[Item]:
    """Everything of a plan, in the order in which it can be created."""
    found = [
        _stream_item(f"stream {spec.name}", stream_config(spec, plan.replicas), promised=spec.effects or spec.written)
        for spec in plan.streams
    ]
    found += [
        _stream_item(f"bucket {spec.name}", bucket_config(spec, plan.replicas), promised=spec.effects)
        for spec in plan.buckets
    ]
    return found + [durable_item(spec) for spec in plan.durables]


def _stream_item(place: str, config: Config, *, promised: bool) -> Item:
    info, create, update = (f"STREAM.{call}.{config['name']}" for call in ("INFO", "CREATE", "UPDATE"))
    return Item(place, info, create, update, config, promised=promised)


def durable_item(spec: DurableSpec) -> Item:
    """A durable as an item."""
    call = f"CONSUMER.CREATE.{spec.stream}.{spec.name}.{spec.filter_subject}"
    place = f"durable {spec.stream}/{spec.name}"
    return Item(place, f"CONSUMER.INFO.{spec.stream}.{spec.name}", call, call, durable_config(spec), spec.stream)
