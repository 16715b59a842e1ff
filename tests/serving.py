"""Serves a subject with a function, in place of whoever serves it in the product."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from runtime.nats.bus import Bus


async def serve(bus: Bus, subject: str, reply: Callable[[bytes], Awaitable[bytes]]) -> Subscription:
    """Reply to each request with what `reply` makes of its body, until the subscription is ended."""

    async def on_request(message: Msg) -> None:
        await message.respond(await reply(message.data))

    return await bus.client.subscribe(subject, cb=on_request)
