"""What the bus's AsyncAPI document says beside FastStream's: parameters, headers, how an event is delivered. Pure.

`runtime.app.specification` makes the document: FastStream has no place for these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast, get_args

from pydantic import BaseModel

from contracts import subjects
from contracts.alerts import ALERT_KINDS
from contracts.codec import KIND_SUBJECTS, schema_of
from contracts.commands import Command
from contracts.market import Event, Timeframe
from contracts.schema.routes import CONSOLIDATED
from contracts.streams import STREAMS, StreamSpec

Json = dict[str, Any]

VERSION: Final = 1
HEADERS_NAME: Final = "EventHeaders"
COMMAND_DELIVERY: Final = "Request and reply: whoever serves it replies always; without a reply nobody does."

_TAIL: Final = ("venue", "base", "quote", "contract")
_TOKENS: Final[Mapping[str, tuple[str, ...]]] = {
    "candle": ("timeframe", *_TAIL),
    "feed": ("venue",),
    "alert": ("alert", *_TAIL),
} | dict.fromkeys(CONSOLIDATED, _TAIL[1:])
PARAMETERS: Final[Mapping[str, Json]] = {
    "venue": {
        "description": "CCXT's id of the exchange; `all` where a signal spans several",
        "examples": ["binance", "binanceusdm", "all"],
    },
    "base": {
        "description": "the coin that is traded; what is no ASCII letter, digit, `_` or `-` is `=XX` of its UTF-8",
        "examples": ["BTC", "1000PEPE"],
    },
    "quote": {"description": "the coin that it is priced in, escaped alike", "examples": ["USDT", "USD"]},
    "contract": {
        "description": "`spot`, `perp` (linear), `inverse` (inverse perpetual), `yymmdd` for a linear future's expiry, "
        "`iyymmdd` for an inverse one's; `any` where a signal spans several",
        "examples": ["spot", "perp", "inverse", "260626", "i260626", "any"],
    },
    "timeframe": {
        "description": "length of the candle; days are UTC, weeks begin on Monday",
        "enum": [*get_args(Timeframe)],
    },
    "alert": {"description": "what it is about; `price_alert` is an owner's", "enum": [*ALERT_KINDS]},
    "endpoint": {"description": "id of a webhook's endpoint", "examples": ["wh_9f86d081884c7d65"]},
    "consumer": {"description": "who could not handle the message", "examples": ["cache", "whales"]},
    "holder": {"description": "who holds the lease", "examples": ["producers.binance"]},
    "run": {"description": "name of the replay", "examples": ["20260626-1"]},
    "subject": {"description": "any other subject of this document, all of its tokens"},
    "bucket": {"description": "the key-value bucket that it was written to", "examples": ["STATE"]},
    "key": {"description": "its key there, all of its tokens", "examples": ["ticker.binance.BTC.USDT.spot"]},
    "who": {"description": "who asks", "examples": ["api"]},
    "window": {"description": "the span of time that is counted"},
    "service": {"description": "whose resource was changed", "examples": ["access"]},
    "action": {"description": "what was done", "examples": ["create", "revoke"]},
    "chat": {"description": "Telegram's id of the chat", "examples": ["42", "-1001234567890"]},
    "priority": {"description": "how soon", "enum": ["urgent", "normal", "low"]},
    "job": {"description": "hash of the job's id"},
    "account": {"description": "our id of the account", "examples": ["9f86d081884c7d65"]},
    "what": {"description": "group, role, rule, settings, member, user, action", "examples": ["role"]},
    "group": {"description": "Telegram's id of the group; `all` for a profile", "examples": ["-1001234567890"]},
    "strategy": {"description": "our id of the strategy", "examples": ["4c1f0c9a4be1d27c"]},
    "rule": {"description": "the limit", "examples": ["key", "ip"]},
}
# Subjects without a body of the contracts: name of the channel, address, what is on it.
OTHERS: Final[Mapping[str, tuple[str, str]]] = {
    "dlq.v1": (subjects.DEAD_LETTER + "{consumer}.{subject}", "Messages that could not be handled, as they were."),
    "replay": (subjects.REPLAY + "{run}.{subject}", "Events of a recording, as they are on the subject."),
    "lease": (subjects.LEASE + "{holder}", "Whether a lease's holder is there: its reply is empty."),
    "budget.v1": (subjects.BUDGET + "{venue}.{window}", "Counter of the REST weight that all processes spent."),
    "analytics.v1": (subjects.ANALYTICS, "Requests that the API answered, in batches (`RequestBatch`)."),
    "probe.v1": (subjects.PROBE + "{who}", "Whether the bus can write; the body says nothing."),
    "audit.v1": (subjects.AUDIT + "{service}.{action}", "Who changed what: `contracts.services.audit.AuditEvent`."),
    "community.v1": (subjects.COMMUNITY + "{what}.{group}", "What changed in a managed group (`CommunityEvent`)."),
    "community.undos": (subjects.COMMUNITY + "undo.{group}", "An undo over the API, which a bot lifts in Telegram."),
    "limit.v1": (subjects.LIMIT + "{rule}.{who}.{window}", "Counter of requests that all processes of the API share."),
    "cache.v1.drop": (
        subjects.CACHE_DROP,
        "Keys or a pattern of kept answers that every process drops, and replies how many.",
    ),
    "webhooks.changed": (
        subjects.WEBHOOK_CHANGED + "{endpoint}",
        "An endpoint of a webhook is not as it was: who remembers it reads it again.",
    ),
    "api.v1.connections": (
        subjects.HELD,
        "How many connections of its stream each API process holds of each key (`HeldConnections`).",
    ),
    "price_alerts": (
        subjects.PRICE_ALERT + "{subject}",
        "Alerts of owners, as on `alert.v1`: for parts of the system only.",
    ),
    "samples.books": (
        subjects.SAMPLE_BOOK + "{venue}.{base}.{quote}.{contract}",
        "Live books as the detectors looked at them, once in some seconds: a `BookSnapshot`, cut.",
    ),
    "past.v1": (
        subjects.PAST + "{bucket}.{key}",
        "Each version of a document of the buckets STATE and COVERAGE, by which answers are given as they were.",
    ),
    "order.v1": (
        subjects.ORDER + "{what}.{account}",
        "Orders, executions and foreign orders of an account: `contracts.services.trading.events`.",
    ),
    "strategy.v1": (
        subjects.STRATEGY + "{what}.{strategy}",
        "Strategies and what they decided, and their signals: `contracts.services.trading.strategy_events`.",
    ),
    "job.v1": (subjects.JOB + "{subject}", "Work to be done; each kind is for one reader."),
    "webhook.jobs": (
        subjects.WEBHOOK_JOB + "{endpoint}",
        "That something waits for an endpoint of a webhook; with an event's id behind it, that it is to be sent again.",
    ),
    "later.at": (subjects.SCHEDULE + "{subject}", "Messages that the server publishes at their time."),
    "later.due": (subjects.DUE + "{subject}", "Messages whose time has come."),
    "webhook.due": (subjects.DUE + "webhook.{endpoint}", "That the time of an endpoint's next try has come."),
    "telegram.jobs": (
        subjects.TELEGRAM_JOB + "{chat}.{priority}",
        "What is to be done in a Telegram chat: `contracts.services.telegram.TelegramJob`.",
    ),
    "telegram.results": (
        subjects.TELEGRAM_RESULT + "{chat}.{job}",
        "What became of a job: `contracts.services.telegram.TelegramResult`.",
    ),
    "telegram.blocked": (subjects.TELEGRAM_BLOCKED + "{chat}", "A chat does not want the bot: `ChatBlocked`."),
    "telegram.migrated": (subjects.TELEGRAM_MIGRATED + "{chat}", "A group became a supergroup: `ChatMigrated`."),
}
HEADERS: Final[Json] = {
    "type": "object",
    "required": [subjects.HEADER_SCHEMA],
    "properties": {
        subjects.HEADER_MESSAGE_ID: {"type": "string", "description": "the event's id; streams drop what they have"},
        subjects.HEADER_SCHEMA: {"type": "string", "pattern": "^[a-z_]+/[1-9][0-9]*$", "description": "kind/version"},
        subjects.HEADER_TRACE: {"type": "string", "description": "W3C trace context, where the event is traced"},
    },
}
_CORE: Final = (
    "Core NATS only: at most once, nothing is kept (recording adds the stream). A loss shows in the sequence, and a "
    "FeedStatus says so."
)
_KEPT: Final = (
    "Core NATS at most once, and kept on a file stream with asynchronous persistence, bounded by age and bytes, the "
    "oldest dropped first. A loss shows in the sequence, and a FeedStatus says so."
)
_SIGNAL: Final = (
    "At least once, deduplicated by id, written before it is acknowledged; kept on a file stream bounded by age and "
    "bytes."
)
_EFFECT: Final = "Acknowledged and synced to disk; when full, new messages are refused. At least once: handle by id."


def name_of(model: type[Event]) -> str:
    """Return the name of an event's channel: `trade.v1`."""
    return f"{model.kind}.v{model.version}"


def subject_of(model: type[Event]) -> str:
    """Return the address of an event's channel: its subject with `{parameters}`."""
    return KIND_SUBJECTS[model.kind] + ".".join(f"{{{name}}}" for name in _TOKENS.get(model.kind, _TAIL))


def tokens_of(address: str) -> tuple[str, ...]:
    """Return the names of an address's parameters."""
    return tuple(part[1:-1] for part in address.split(".") if part.startswith("{"))


def describe_delivery(model: type[Event]) -> Json:
    """Return the extensions of an event's channel: how it is delivered, and the streams that keep it."""
    held = _streams(model)
    stream = held[0] if held else None
    kept = {} if stream is None or stream.optional else {"x-stream": ", ".join(item.name for item in held)}
    return {**kept, "x-delivery": _delivery(stream)}


def example_headers(model: type[Event], example: Json) -> Json:
    """Return the headers of an example."""
    return {subjects.HEADER_MESSAGE_ID: example["id"], subjects.HEADER_SCHEMA: schema_of(model)}


def describe_command(command: Command) -> str:
    """Say what a command is for, who serves it, and how soon."""
    return (
        f"{first_line(command.request)} Served by the {command.served_by}; the reply goes to the request's reply "
        f"subject, as a rule within {command.seconds:g} seconds."
    )


def first_line(model: type[BaseModel]) -> str:
    """Return the first line of what a model says of itself."""
    return (model.__doc__ or "").strip().splitlines()[0]


def body_schemas(model: type[BaseModel]) -> Json:
    """Return a body's JSON schema and those of what it nests, by name."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    nested: Json = schema.pop("$defs", {})
    return {model.__name__: schema, **nested}


def as_draft7(node: Any) -> Any:
    """Write a schema as AsyncAPI's draft 7 has pairs, without the titles that only repeat the fields' names."""
    if isinstance(node, list):
        return [as_draft7(item) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    schema = {key: value for key, value in cast("Json", node).items() if key != "title"}
    fields: Json | None = schema.pop("properties", None)
    plain: Json = {"items" if key == "prefixItems" else key: as_draft7(value) for key, value in schema.items()}
    return plain if fields is None else plain | {"properties": {name: as_draft7(part) for name, part in fields.items()}}


def _streams(model: type[Event]) -> list[StreamSpec]:
    prefix = KIND_SUBJECTS[model.kind]

    def holds(stream: StreamSpec) -> bool:
        kept = (item.rstrip(">") for item in stream.subjects)
        return any(prefix.startswith(item) or item.startswith(prefix) for item in kept)

    return [stream for stream in STREAMS if holds(stream)]


def _delivery(stream: StreamSpec | None) -> str:
    if stream is None or stream.optional:
        return _CORE
    if stream.effects:
        return _EFFECT
    return _SIGNAL if subjects.ALL_SIGNALS in stream.subjects else _KEPT
