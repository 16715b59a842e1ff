"""The handlers of `cmd.v1.webhooks.<verb>` that are about endpoints."""

from __future__ import annotations

from faststream.nats import NatsRouter

from consumers.webhooks.registry.registry import Registry
from contracts import subjects
from contracts.services.webhooks.endpoints import (
    QUEUE,
    DeleteEndpoint,
    EndpointInfo,
    EndpointPage,
    EndpointShown,
    FindEndpoint,
    KeysQuery,
    KeysReply,
    ListEndpoints,
    PauseEndpoint,
    RegisterEndpoint,
    ResumeEndpoint,
    RotateSecret,
    TestEndpoint,
    TestReply,
    UpdateEndpoint,
)
from runtime.app.commands import CommandArguments, command


def add_commands(router: NatsRouter, registry: Registry) -> None:
    """Serve every command that is about endpoints on a router."""
    _add_questions(router, registry)
    _add_changes(router, registry)


def _add_changes(router: NatsRouter, registry: Registry) -> None:
    @router.subscriber(**webhook_command("register"))
    async def on_register(request: RegisterEndpoint) -> EndpointShown:
        return await registry.register(request)

    @router.subscriber(**webhook_command("update"))
    async def on_update(request: UpdateEndpoint) -> EndpointInfo:
        return await registry.update(request)

    @router.subscriber(**webhook_command("delete"))
    async def on_delete(request: DeleteEndpoint) -> EndpointInfo:
        return await registry.delete(request)

    @router.subscriber(**webhook_command("pause"))
    async def on_pause(request: PauseEndpoint) -> EndpointInfo:
        return await registry.set_state(request, "paused")

    @router.subscriber(**webhook_command("resume"))
    async def on_resume(request: ResumeEndpoint) -> EndpointInfo:
        return await registry.set_state(request, "active")

    @router.subscriber(**webhook_command("rotate_secret"))
    async def on_rotate(request: RotateSecret) -> EndpointShown:
        return await registry.rotate(request)


def _add_questions(router: NatsRouter, registry: Registry) -> None:
    @router.subscriber(**webhook_command("list"))
    async def on_list(query: ListEndpoints) -> EndpointPage:
        return await registry.list_of(query)

    @router.subscriber(**webhook_command("find"))
    async def on_find(query: FindEndpoint) -> EndpointInfo:
        return await registry.find(query)

    @router.subscriber(**webhook_command("test"))
    async def on_test(request: TestEndpoint) -> TestReply:
        return await registry.test(request)

    @router.subscriber(**webhook_command("keys"))
    async def on_keys(_query: KeysQuery) -> KeysReply:
        return await registry.keys()


def webhook_command(verb: str) -> CommandArguments:
    """Return the arguments of a command's subscriber."""
    return command(subjects.WEBHOOKS_COMMAND + verb, QUEUE)
