"""The AsyncAPI document of the bus: FastStream's own, completed with what it has no place for.

FastStream describes what is declared to it: every event as a publisher without a handler, every command as a
subscriber, whoever serves it, and the durables of the process. Replies, parameters, headers, examples and how an event
is delivered come from `contracts.schema.asyncapi`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from faststream.nats import NatsBroker
from faststream.specification import AsyncAPI
from faststream.specification.asyncapi.v3_0_0.schema import Channel
from faststream.specification.base import Specification

from contracts.codec import EVENTS
from contracts.commands import Command, ErrorReply, every_command
from contracts.market import Event
from contracts.schema import asyncapi
from contracts.schema.asyncapi import Json
from contracts.subjects import KINDS_WITHOUT_HEADERS

HERE: Final = "127.0.0.1:4222"
SERVER: Final = "The bus; on one machine run.json holds its URL and token"
_TITLE: Final = "Hydrophone"
_DESCRIPTION: Final = (
    "Market events, signals and commands on NATS. Bodies are compact JSON; decimals are text, times int64 nanoseconds "
    "UTC. Readers ignore fields that they do not know. A breaking change is a new version beside the old one, on "
    "subjects of its own."
)
_TOKEN: Final = {"token": {"type": "apiKey", "in": "user", "description": "the bus's token"}}
_EVENT: Final = "Message"  # FastStream's names of a publisher's and a subscriber's message
_REQUEST: Final = "SubscribeMessage"
_REPLY: Final = "Reply"


class BusSpecification(AsyncAPI):
    """The document of the whole bus, and of the process's own subscriptions where it is an application's.

    `examples` holds a message for each `<kind>.v<version>`, as parsed JSON; `servers`: `host:port`, several where the
    bus is a cluster; `commands`: None for all. Nothing is read before the document is asked for.
    """

    def __init__(
        self,
        servers: Sequence[str] = (HERE,),
        events: Mapping[str, type[Event]] = EVENTS,
        commands: Sequence[Command] | None = None,
        examples: Mapping[str, Json] | None = None,
    ) -> None:
        super().__init__(title=_TITLE, version=f"{asyncapi.VERSION}.0.0", description=_DESCRIPTION)
        self._servers, self._events, self._commands, self._examples = servers, events, commands, examples or {}
        self._declared = False

    def to_specification(self) -> Specification:
        """Return the document; the same contracts always give the same one."""
        commands = every_command() if self._commands is None else self._commands
        if not self._declared:
            self.brokers.insert(0, _declare(self._servers, self._events, commands))
            self._declared = True
        document: Any = super().to_specification()
        for server in document.servers.values():
            server.security = [_reference("components", "securitySchemes", "token")]
        for model in self._events.values():
            self._complete_event(document, model)
        for command in commands:
            _complete_command(document, command)
        for name, (address, text) in asyncapi.OTHERS.items():
            document.channels[name] = Channel(address=address, description=text, messages={})
        for channel in document.channels.values():
            tokens = asyncapi.tokens_of(channel.address)
            if tokens:
                channel.parameters = {token: _reference("components", "parameters", token) for token in tokens}
        parts = document.components
        _add(parts.schemas, {asyncapi.HEADERS_NAME: asyncapi.HEADERS})
        if commands:
            _add(parts.schemas, asyncapi.body_schemas(ErrorReply))
        parts.schemas = _sorted({name: asyncapi.as_draft7(schema) for name, schema in parts.schemas.items()})
        parts.parameters, parts.securitySchemes = dict(asyncapi.PARAMETERS), _TOKEN
        parts.messages, document.channels = _sorted(parts.messages), _sorted(document.channels)
        document.operations = _sorted(document.operations)
        return document

    def _complete_event(self, document: Any, model: type[Event]) -> None:
        name = asyncapi.name_of(model)
        channel, message = document.channels[name], document.components.messages[f"{name}:{_EVENT}"]
        channel.title = model.__name__
        for extension, text in asyncapi.describe_delivery(model).items():
            setattr(channel, extension, text)
        message.name, message.summary = model.kind, asyncapi.first_line(model)
        message.contentType, message.correlationId = "application/json", None
        has_headers = model.kind not in KINDS_WITHOUT_HEADERS
        message.headers = _reference("components", "schemas", asyncapi.HEADERS_NAME) if has_headers else None
        example = self._examples.get(name)
        if example is not None:
            own = {"headers": asyncapi.example_headers(model, example)} if has_headers else {}
            message.examples = [{**own, "payload": example}]


def _declare(servers: Sequence[str], events: Mapping[str, type[Event]], commands: Sequence[Command]) -> NatsBroker:
    """Return a broker that only describes, and never connects: what other processes and the fast lane do, too."""
    broker = NatsBroker(specification_url=list(servers), description=SERVER)
    for model in events.values():
        text = (model.__doc__ or "").strip()
        broker.publisher(asyncapi.subject_of(model), schema=model, title=asyncapi.name_of(model), description=text)
    for command in commands:
        describe = broker.subscriber(
            command.subject, title=command.name, description=asyncapi.describe_command(command)
        )
        describe(_handler(command))
    return broker


def _handler(command: Command) -> Callable[..., Awaitable[Any]]:
    async def serve(request: Any) -> Any:
        raise NotImplementedError(command.name)

    serve.__annotations__ = {"request": command.request, "return": command.reply}
    return serve


def _complete_command(document: Any, command: Command) -> None:
    """Add the reply; one that says no `error` itself may be the one that says nothing else."""
    name, channel, parts = command.name, document.channels[command.name], document.components
    setattr(channel, "x-delivery", asyncapi.COMMAND_DELIVERY)
    _add(parts.schemas, asyncapi.body_schemas(command.reply))
    payload = _reference("components", "schemas", command.reply.__name__)
    if "error" not in command.reply.model_fields:
        payload = {"oneOf": [payload, _reference("components", "schemas", ErrorReply.__name__)]}
    request, reply = parts.messages[f"{name}:{_REQUEST}"], f"{name}:{_REPLY}"
    request.summary, request.contentType = asyncapi.first_line(command.request), "application/json"
    parts.messages[reply] = {
        "title": reply,
        "summary": asyncapi.first_line(command.reply),
        "contentType": "application/json",
        "payload": payload,
    }
    channel.messages[_REPLY] = _reference("components", "messages", reply)
    document.operations[name].reply = {
        "channel": _reference("channels", name),
        "messages": [_reference("channels", name, "messages", _REPLY)],
    }


def _add(schemas: Json, more: Json) -> None:
    """Add schemas; ValueError where two bodies of one name differ: a reference would lead to the wrong one."""
    for name, schema in more.items():
        if asyncapi.as_draft7(schemas.setdefault(name, schema)) != asyncapi.as_draft7(schema):
            raise ValueError(f"two bodies are called {name}")


def _sorted(parts: Mapping[str, Any]) -> dict[str, Any]:
    return dict(sorted(parts.items()))


def _reference(*steps: str) -> Json:
    return {"$ref": "/".join(("#", *steps))}
