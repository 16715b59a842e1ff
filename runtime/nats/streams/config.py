"""What the server is asked for: JetStream configurations of streams, buckets and durables, and their drift."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts import subjects
from contracts.streams import BucketSpec, DurableSpec, StreamSpec

SECOND_NS = 1_000_000_000
BUCKET_PREFIX = "KV_"
_BUCKET_WINDOW_SECONDS = 120
_ASYNC = "async"
Config = dict[str, Any]
# What a server leaves out of its answer stands for these.
_DEFAULTS: Mapping[str, Any] = {"persist_mode": "default", "allow_msg_ttl": False, "max_age": 0}
# Limits may be changed under way; anything else changes the promise made for what is stored already.
_SAFE = frozenset(
    {
        *("max_age", "max_bytes", "max_msgs_per_subject", "duplicate_window", "num_replicas"),
        *("ack_wait", "max_deliver", "max_ack_pending"),
        *("republish", "compression"),
    }
)
_SWITCHED_ON_ONLY = frozenset(
    {
        *("allow_direct", "allow_msg_counter", "allow_msg_ttl", "allow_rollup_hdrs"),
        *("allow_msg_schedules", "discard_new_per_subject"),
    }
)


@dataclass(frozen=True, slots=True)
class Drift:
    """One field of a stream, bucket or durable that is not as declared; `safe` ones are applied."""

    place: str
    field: str
    wanted: object
    actual: object
    safe: bool

    def __str__(self) -> str:
        return f"{self.place}: {self.field} is {self.actual!r}, declared {self.wanted!r}"


def stream_config(spec: StreamSpec, replicas: int = 1) -> Config:
    """The configuration of a stream; what is on several servers is persisted before it is acknowledged."""
    config = {
        "name": spec.name,
        "subjects": list(spec.subjects),
        "retention": spec.retention,
        "storage": "file",
        "discard": "new" if spec.effects else "old",
        "max_age": spec.max_age * SECOND_NS,
        "max_bytes": spec.max_bytes,
        "max_msgs_per_subject": spec.max_msgs_per_subject,
        "duplicate_window": spec.duplicate_window * SECOND_NS,
        "num_replicas": replicas,
        "persist_mode": _persist_mode(replicas, promised=spec.effects or spec.written),
        "allow_direct": True,
        "allow_msg_ttl": True,
    }
    if spec.compressed:
        config |= {"compression": "s2"}
    if spec.memory:
        config |= {"storage": "memory", "persist_mode": "default"}
    if spec.named_jobs:
        config |= {"discard_new_per_subject": True}
    if spec.schedules:
        config |= {"discard": "old", "allow_msg_schedules": True, "allow_rollup_hdrs": True}
    if spec.counter:  # the server refuses a counter that has a time to live of each message
        config |= {"allow_msg_counter": True, "allow_msg_ttl": False}
    return config


def bucket_config(spec: BucketSpec, replicas: int = 1) -> Config:
    """The configuration of the stream that a key-value bucket is; a full bucket refuses writes."""
    window = min(_BUCKET_WINDOW_SECONDS, spec.ttl) if spec.ttl else _BUCKET_WINDOW_SECONDS
    written = f"$KV.{spec.name}.>"
    republish = {"src": written, "dest": f"{subjects.PAST}{spec.name}.>"}
    return {
        "name": BUCKET_PREFIX + spec.name,
        "subjects": [written],
        "retention": "limits",
        "storage": "file",
        "discard": "new",
        "max_age": spec.ttl * SECOND_NS,
        "max_bytes": spec.max_bytes,
        "max_msgs_per_subject": spec.history,
        "duplicate_window": window * SECOND_NS,
        "num_replicas": replicas,
        "persist_mode": _persist_mode(replicas, promised=spec.effects),
        "allow_direct": True,
        "allow_msg_ttl": True,
        "allow_rollup_hdrs": True,
        "deny_delete": True,
        **({"republish": republish} if spec.recorded else {}),
    }


def _persist_mode(replicas: int, *, promised: bool) -> str:
    """Return how it is persisted: the server does nothing asynchronously that it keeps on several servers."""
    return "default" if promised or replicas > 1 else _ASYNC


def as_created(wanted: Config, actual: Config) -> Config:
    """Return what can be had of what is wanted of a stream that exists and promises nothing.

    The server never changes how a stream is persisted. One that was created as asynchronous stays so, on one server.
    """
    if _ASYNC == actual.get("persist_mode") != wanted["persist_mode"]:
        return {**wanted, "persist_mode": _ASYNC, "num_replicas": 1}
    return {**wanted, "persist_mode": actual.get("persist_mode", _DEFAULTS["persist_mode"])}


def durable_config(spec: DurableSpec) -> Config:
    """The configuration of a durable pull consumer."""
    return {
        "durable_name": spec.name,
        "filter_subject": spec.filter_subject,
        "deliver_policy": spec.deliver,
        "ack_policy": "explicit",
        "ack_wait": spec.ack_wait * SECOND_NS,
        "max_deliver": spec.max_deliver,
        "max_ack_pending": spec.max_ack_pending,
        "replay_policy": "instant",
    }


def find_drift(place: str, wanted: Config, actual: Config) -> list[Drift]:
    """Every declared field whose value on the server is another one."""
    found: list[Drift] = []
    for field, value in wanted.items():
        here = actual.get(field, _DEFAULTS.get(field))
        if _same(value, here):
            continue
        found.append(Drift(place=place, field=field, wanted=value, actual=here, safe=_is_safe(field, value, here)))
    return found


def _same(wanted: object, actual: object) -> bool:
    return _as_set(wanted) == _as_set(actual) if isinstance(wanted, list) else wanted == actual


def _is_safe(field: str, wanted: object, actual: object) -> bool:
    if field == "subjects":
        return _as_set(wanted) > _as_set(actual)
    if field in _SWITCHED_ON_ONLY:
        return wanted is True
    return field in _SAFE


def _as_set(items: Any) -> set[str]:  # a JSON value
    return {str(item) for item in items or ()}
