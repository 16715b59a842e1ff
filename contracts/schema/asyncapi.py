"""The bus as an AsyncAPI 3.0 document, made from the models.

Its command line is `python -m contracts.schema.asyncapi [--check | --release]`.

Without a flag it writes docs/asyncapi.json; `--check` only says whether that file is up to date; `--release` also keeps
the document as what was released of the version. All three refuse what breaks a released version.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast, get_args

from pydantic import BaseModel

from contracts import subjects
from contracts.codec import EVENTS, KIND_SUBJECTS, schema_of
from contracts.commands import COMMANDS, Command, ErrorReply
from contracts.market import Event, Timeframe
from contracts.schema.compatibility import list_breaks
from contracts.schema.routes import CONSOLIDATED
from contracts.streams import STREAMS, StreamSpec

Json = dict[str, Any]

ROOT: Final = Path(__file__).resolve().parents[2]
DOCUMENT: Final = Path("docs/asyncapi.json")
RELEASED: Final = Path("docs/asyncapi")  # v1.json: what was released of version 1
GOLDEN: Final = Path("tests/contracts/golden")  # <kind>.v<version>.json: the examples
VERSION: Final = 1

_TAIL: Final = ("venue", "base", "quote", "contract")
_TOKENS: Final[Mapping[str, tuple[str, ...]]] = {"candle": ("timeframe", *_TAIL), "feed": ("venue",)} | dict.fromkeys(
    CONSOLIDATED, _TAIL[1:]
)
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
}
_CORE: Final = (
    "Core NATS only: at most once, nothing is kept (recording adds the stream). A loss shows in the sequence, and a "
    "FeedStatus tells of it."
)
_KEPT: Final = (
    "Core NATS at most once, and kept on a file stream with asynchronous persistence, bounded by age and bytes, the "
    "oldest dropped first. A loss shows in the sequence, and a FeedStatus tells of it."
)
_SIGNAL: Final = "At least once, deduplicated by id, kept on a file stream bounded by age and bytes."
_EFFECT: Final = "Acknowledged and synced to disk; when full, new messages are refused. At least once: handle by id."
_HEADERS: Final[Json] = {
    "type": "object",
    "required": [subjects.HEADER_SCHEMA, subjects.HEADER_PUBLISHED],
    "properties": {
        subjects.HEADER_MESSAGE_ID: {"type": "string", "description": "the event's id; streams drop what they have"},
        subjects.HEADER_SCHEMA: {"type": "string", "pattern": "^[a-z_]+/[1-9][0-9]*$", "description": "kind/version"},
        subjects.HEADER_PUBLISHED: {"type": "string", "pattern": "^[0-9]+$", "description": "our clock, ns UTC"},
        subjects.HEADER_TRACE: {"type": "string", "description": "W3C trace context, where the event is traced"},
    },
}


def make_document(
    events: Mapping[str, type[Event]], examples: Mapping[str, Json], commands: Sequence[Command] = ()
) -> Json:
    """Describe the bus; `examples` holds a message for each `<kind>.v<version>`, as parsed JSON."""
    models = {f"{model.kind}.v{model.version}": model for model in events.values()}
    schemas: Json = {"EventHeaders": _HEADERS}
    if commands:
        schemas.update(body_schemas(ErrorReply))
    for model in models.values():
        schemas.update(_schemas(model))
    messages = {name: _message(model, examples[name]) for name, model in sorted(models.items())}
    for command in commands:
        for part, body in (("request", command.request), ("reply", command.reply)):
            schemas.update(body_schemas(body))
            messages[f"{command.name}.{part}"] = _command_message(f"{command.name}.{part}", body)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Hydrophone",
            "version": f"{VERSION}.0.0",
            "description": "Market events and signals on NATS. Bodies are compact JSON; decimals are text, times int64 "
            "nanoseconds UTC. Readers ignore fields that they do not know. A breaking change is a new version "
            "beside the old one, on subjects of its own.",
        },
        "defaultContentType": "application/json",
        "servers": {"bus": _server()},
        "channels": {name: _channel(name, model) for name, model in sorted(models.items())}
        | {command.name: _command_channel(command) for command in commands},
        "operations": {f"send.{name}": _operation(name, model) for name, model in sorted(models.items())}
        | {f"serve.{command.name}": _command_operation(command) for command in commands},
        "components": {
            "messages": messages,
            "parameters": dict(PARAMETERS),
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"token": {"type": "apiKey", "in": "user", "description": "the bus's token"}},
        },
    }


def _server() -> Json:
    return {
        "host": "{host}:{port}",
        "protocol": "nats",
        "description": "the bus; on one machine run.json tells its URL and token",
        "variables": {"host": {"default": "127.0.0.1"}, "port": {"default": "4222"}},
        "security": [{"$ref": "#/components/securitySchemes/token"}],
    }


def subject_of(model: type[Event]) -> str:
    """Give the address of an event's channel: its subject with `{parameters}`."""
    prefix = KIND_SUBJECTS[model.kind]
    return prefix + ".".join(f"{{{name}}}" for name in _tokens(model))


def tokens_of(address: str) -> tuple[str, ...]:
    """Return the names of an address's parameters."""
    return tuple(part[1:-1] for part in address.split(".") if part.startswith("{"))


def _tokens(model: type[Event]) -> tuple[str, ...]:
    return _TOKENS.get(model.kind, _TAIL)


def _channel(name: str, model: type[Event]) -> Json:
    held = _streams(model)
    stream = held[0] if held else None
    kept = {} if stream is None or stream.optional else {"x-stream": ", ".join(item.name for item in held)}
    return {
        "address": subject_of(model),
        "title": model.__name__,
        "description": (model.__doc__ or "").strip(),
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "parameters": {token: {"$ref": f"#/components/parameters/{token}"} for token in _tokens(model)},
        **kept,
        "x-delivery": _delivery(stream),
    }


def _operation(name: str, model: type[Event]) -> Json:
    return {
        "action": "send",
        "summary": f"Hydrophone publishes {model.__name__}",
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
    }


def _message(model: type[Event], example: Json) -> Json:
    headers = {subjects.HEADER_MESSAGE_ID: example["id"], subjects.HEADER_SCHEMA: schema_of(model)}
    return {
        "name": model.kind,
        "title": model.__name__,
        "summary": (model.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/EventHeaders"},
        "payload": {"$ref": f"#/components/schemas/{_schema_name(model)}"},
        "examples": [{"headers": headers, "payload": example}],
    }


def _command_channel(command: Command) -> Json:
    names = (f"{command.name}.request", f"{command.name}.reply")
    return {
        "address": command.subject,
        "title": command.name,
        "description": f"{_first_line(command.request)} Served by the {command.served_by}; the reply goes to the "
        f"request's reply subject, as a rule within {command.seconds:g} seconds.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "x-delivery": "Request and reply: whoever serves it replies always; without a reply nobody does.",
    }


def _command_operation(command: Command) -> Json:
    channel, messages = {"$ref": f"#/channels/{command.name}"}, f"#/channels/{command.name}/messages/{command.name}"
    return {
        "action": "receive",
        "summary": f"Hydrophone replies to {command.name}",
        "channel": channel,
        "messages": [{"$ref": f"{messages}.request"}],
        "reply": {"channel": channel, "messages": [{"$ref": f"{messages}.reply"}]},
    }


def _command_message(name: str, model: type[BaseModel]) -> Json:
    """Describe one way of a command; a reply that says no `error` itself may be the one that says nothing else."""
    payload: Json = {"$ref": f"#/components/schemas/{model.__name__}"}
    if name.endswith(".reply") and "error" not in model.model_fields:
        payload = {"oneOf": [payload, {"$ref": f"#/components/schemas/{ErrorReply.__name__}"}]}
    return {
        "name": name,
        "title": model.__name__,
        "summary": _first_line(model),
        "contentType": "application/json",
        "payload": payload,
    }


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


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


def _schema_name(model: type[Event]) -> str:
    return f"{model.__name__}.v{model.version}"


def _schemas(model: type[Event]) -> Json:
    """Give the event's JSON schema (draft 7, as AsyncAPI has it), and those of what it nests."""
    return body_schemas(model, _schema_name(model))


def body_schemas(model: type[BaseModel], name: str | None = None) -> Json:
    """Return a body's JSON schema and those of what it nests, by name."""
    schema = _draft7(model.model_json_schema(ref_template="#/components/schemas/{model}"))
    nested: Json = schema.pop("$defs", {})
    return {name or model.__name__: schema, **nested}


def _draft7(node: Any) -> Any:
    """Write pairs as draft 7 does, and leave out the titles that only repeat the fields' names."""
    if isinstance(node, list):
        return [_draft7(item) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    schema = {key: value for key, value in cast("Json", node).items() if key != "title"}
    fields: Json | None = schema.pop("properties", None)
    plain: Json = {"items" if key == "prefixItems" else key: _draft7(value) for key, value in schema.items()}
    return plain if fields is None else plain | {"properties": {name: _draft7(part) for name, part in fields.items()}}


def render(document: Json) -> str:
    """Write a document as text; the same document gives the same text."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def read_examples(folder: Path) -> dict[str, Json]:
    """Read the golden messages by `<kind>.v<version>`."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Write, check or release the document; gives the process's exit status."""
    if not set(arguments) <= {"--check", "--release"}:
        sys.stderr.write("usage: python -m contracts.schema.asyncapi [--check | --release]\n")
        return 2
    document = make_document(EVENTS, read_examples(root / GOLDEN), COMMANDS)
    problems = [
        f"{path.relative_to(root)}: {problem}"
        for path in sorted((root / RELEASED).glob("v*.json"))
        for problem in list_breaks(json.loads(path.read_text()), document)
    ]
    text, path = render(document), root / DOCUMENT
    if "--check" in arguments and (not path.exists() or path.read_text() != text):
        problems.append(f"{DOCUMENT} is not what the models say: run `make asyncapi`")
    if problems:
        sys.stderr.writelines(f"{problem}\n" for problem in problems)
        return 1
    if "--check" not in arguments:
        path.write_text(text)
    if "--release" in arguments:
        (root / RELEASED / f"v{VERSION}.json").write_text(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
