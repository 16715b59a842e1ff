"""The broadcast `cache.v1.drop`: every process that keeps answers drops what it says, and replies how many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from contracts import subjects
from contracts.errors import NotReadyError
from contracts.services.cache import DropReply, DropRequest
from runtime import clock
from runtime.nats.bus import Bus

_log = structlog.get_logger("cache")
GATHER_SECONDS: Final = 0.25


async def serve_drops(bus: Bus, process: Literal["api", "market"], drop: Callable[[DropRequest], int]) -> None:
    """Subscribe this process for as long as its connection lives: each broadcast reaches every process."""

    async def on_message(message: Msg) -> None:
        request = DropRequest.model_validate_json(message.data)
        dropped = drop(request)
        _log.info("cache.dropped", keys=len(request.keys), pattern=request.pattern, dropped=dropped)
        if message.reply:
            reply = DropReply(process=process, dropped=dropped)
            await bus.client.publish(message.reply, reply.model_dump_json().encode())

    await bus.client.subscribe(subjects.CACHE_DROP, cb=on_message)


async def broadcast_drop(bus: Bus, request: DropRequest, seconds: float = GATHER_SECONDS) -> list[DropReply]:
    """Return what the processes reply within some seconds; who replies later has dropped it all the same.

    Raises NotReadyError while the bus is away.
    """
    if not bus.connected:
        raise NotReadyError("The bus is away: the other processes cannot be reached", waiting_for=["bus"])
    replies: list[DropReply] = []

    async def on_reply(message: Msg) -> None:
        if message.data:  # a status of the server has none
            replies.append(DropReply.model_validate_json(message.data))

    try:
        inbox = bus.client.new_inbox()
        subscription = await bus.client.subscribe(inbox, cb=on_reply)
        await bus.client.publish(subjects.CACHE_DROP, request.model_dump_json().encode(), reply=inbox)
        await clock.sleep(seconds)
        await subscription.unsubscribe()
    except NatsError as error:
        raise NotReadyError("The bus went away meanwhile", waiting_for=["bus"]) from error
    return replies
