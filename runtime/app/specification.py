"""AsyncAPI of an application: FastStream's own document, and what it leaves out of it, from the contracts."""

from __future__ import annotations

from typing import Any

from faststream.nats import NatsRouter
from faststream.specification import AsyncAPI
from faststream.specification.asyncapi.v3_0_0.schema import Channel, Operation, Reference
from faststream.specification.asyncapi.v3_0_0.schema.operations import Action
from faststream.specification.base import Specification

from contracts.codec import EVENTS
from contracts.commands import COMMANDS, Command
from contracts.schema.asyncapi import PARAMETERS, VERSION, body_schemas, subject_of, tokens_of

Json = dict[str, Any]


def declare_events() -> NatsRouter:
    """Return publishers without handlers, one for each event: the fast lane publishes past FastStream."""
    router = NatsRouter()
    for model in EVENTS.values():
        text = (model.__doc__ or "").strip()
        router.publisher(subject_of(model), schema=model, title=f"{model.kind}.v{model.version}", description=text)
    return router


class BusSpecification(AsyncAPI):
    """Adds the replies of commands, the commands that other processes serve, and the parameters of addresses."""

    def __init__(self) -> None:
        super().__init__(
            title="Hydrophone",
            version=f"{VERSION}.0.0",
            description="Events, signals and commands on NATS; docs/asyncapi.json is the released contract, "
            "with examples and how each event is kept.",
        )

    def to_specification(self) -> Specification:
        """Return the whole document."""
        document: Any = super().to_specification()
        document.components.parameters = dict(PARAMETERS)
        for channel in document.channels.values():
            names = tokens_of(channel.address)
            if names:
                channel.parameters = {name: _reference("components", "parameters", name) for name in names}
        served = {channel.address: key for key, channel in document.channels.items()}
        for command in COMMANDS:
            _describe(command, served.get(command.subject), document)
        return document


def _describe(command: Command, served: str | None, document: Any) -> None:
    """Add the reply to a command that is served here, and the whole command where another process serves it."""
    key = command.name if served is None else served
    if served is None:
        _add_command(command, document)
    name, channel = f"{key}:Reply", document.channels[key]
    document.components.schemas |= body_schemas(command.reply)
    document.components.messages[name] = _message(command.reply.__name__)
    channel.messages["Reply"] = _reference("components", "messages", name)
    reply = {"channel": _reference("channels", key), "messages": [_reference("channels", key, "messages", "Reply")]}
    for operation in document.operations.values():
        if operation.channel.model_dump(by_alias=True) == _reference("channels", key):
            operation.reply = reply


def _add_command(command: Command, document: Any) -> None:
    key, name = command.name, f"{command.name}:Request"
    document.components.schemas |= body_schemas(command.request)
    document.components.messages[name] = _message(command.request.__name__)
    document.channels[key] = Channel(
        address=command.subject,
        description=f"Served by the {command.served_by}.",
        messages={"Request": Reference(**_reference("components", "messages", name))},
    )
    document.operations[key] = Operation(
        action=Action.RECEIVE,
        channel=Reference(**_reference("channels", key)),
        messages=[Reference(**_reference("channels", key, "messages", "Request"))],
    )


def _message(schema: str) -> Json:
    return {"title": schema, "contentType": "application/json", "payload": _reference("components", "schemas", schema)}


def _reference(*steps: str) -> Json:
    return {"$ref": "/".join(("#", *steps))}
