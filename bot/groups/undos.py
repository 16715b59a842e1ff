"""Undos of many, a thousand actions at a time; and those that were asked for over the API, which wait on the bus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.client import JetStreamContext
from opentelemetry.trace import SpanKind
from pydantic import ValidationError

from bot.groups.deeds import Deeds, Undone, caller_of
from bot.groups.telegram import Telegram
from bot.requests import Requests
from bot.texts.language import make_reader
from contracts import streams
from contracts.errors import HydrophoneError, NotFoundError
from contracts.services.community.actions import ActionKind, Undo, UndoResponse
from contracts.services.community.commands import RefuseUndo, UndoActions
from contracts.services.community.events import CommunityEvent
from contracts.services.responses import SuccessResponse
from contracts.streams import DURABLES
from contracts.subjects import HEADER_TRACE
from runtime import clock
from runtime.nats.bus import Bus
from runtime.texts.markup import plain, shorten

_log = structlog.get_logger("bot")
BEGUN: Final = ".begun"  # what the job's name ends with that says that an undo has begun
MOST_ROUNDS: Final = 10  # of a thousand actions
DURABLE: Final = next(spec for spec in DURABLES if spec.stream == streams.COMMUNITY)
_FETCH_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.5
_AGAIN_SECONDS: Final = 5.0
_LONGEST: Final = 500  # characters of a reason
_SPAN: Final = "undo actions"
_BY_HAND: Final = make_reader("en")  # what the log keeps is in one language
Begun = Callable[[int], Awaitable[None]]
"""Called with how many actions are lifted, before the first is."""


async def undo_all(
    deeds: Deeds,
    group_id: int,
    wanted: Undo,
    key: str,
    *,
    without: Collection[ActionKind] = frozenset(),
    begun: Begun | None = None,
) -> Undone:
    """Take back everything that is meant, and return what became of it."""
    count, total = 0, await deeds.undo(group_id, wanted, key, without=without, begun=begun)
    while total.more and not total.refused and count < MOST_ROUNDS:
        count += 1
        again = await deeds.undo(group_id, wanted, f"{key}.{count}", without=without)
        results, refused = [*total.results, *again.results], {**total.refused, **again.refused}
        total = Undone(total.undone + again.undone, again.more, results, refused)
    return total


class AskedUndos:
    """Carries out what was asked for over the API, whichever bot it is; what it was not able to say comes again."""

    def __init__(self, bus: Bus, requests: Requests, telegram: Telegram, deeds: Deeds) -> None:
        self._bus, self._requests, self._telegram, self._deeds = bus, requests, telegram, deeds

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Carry them out for as long as the block lasts."""
        task = asyncio.create_task(self._run(), name="undos of the API")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        while True:
            try:
                await self._take()
            except NatsError as error:
                _log.debug("groups.undos_wait", error=str(error) or type(error).__name__)
            await clock.sleep(_LOOK_SECONDS)

    async def _take(self) -> None:
        """Take what waits, for as long as the bus is there."""
        if not self._bus.connected:
            return
        subscription = await self._bus.jetstream().pull_subscribe_bind(DURABLE.name, stream=DURABLE.stream)
        try:
            while True:
                for message in await _fetch(subscription):
                    await self._settle(message)
        finally:
            if self._bus.connected:
                await subscription.unsubscribe()

    async def _settle(self, message: Msg) -> None:
        try:
            event = CommunityEvent.model_validate_json(message.data)
        except ValidationError as error:
            _log.error("groups.undo_refused", subject=message.subject, error=str(error).splitlines()[0])
            await message.term()
            return
        holding = asyncio.create_task(_hold(message), name="undo under way")
        trace = (message.headers or {}).get(HEADER_TRACE)
        try:
            with self._bus.tracing.continuing(_SPAN, trace, kind=SpanKind.CONSUMER):
                await self.carry_out(event)
        except NotFoundError as error:  # the group is managed no more
            _log.info("groups.undo_left", group=event.group, error=str(error))
        except HydrophoneError as error:
            _log.warning("groups.undo_again", group=event.group, error=str(error))
            await message.nak(delay=_AGAIN_SECONDS)
            return
        finally:
            holding.cancel()
        await message.ack()

    async def carry_out(self, event: CommunityEvent) -> None:
        """Lift in Telegram what is asked for and mark it; why something was not lifted is noted with its action."""
        if event.undo is None:
            return
        group_id, undo = event.group_ids[0], event.undo
        try:
            await self._telegram.chat(group_id)
        except NotFoundError:  # such a chat holds nobody
            request = UndoActions(group_id=group_id, caller=caller_of(undo.moderator_id), undo=undo)
            await self._requests.request("community.undo_actions", request, UndoResponse)
            return
        found = await undo_all(self._deeds, group_id, undo, f"undo.{event.id}")
        if not found.refused:
            return
        refusals = {name: shorten(plain(why.say(_BY_HAND)), _LONGEST) for name, why in found.refused.items()}
        refuse = RefuseUndo(group_id=group_id, caller=caller_of(undo.moderator_id), refusals=refusals)
        await self._requests.request("community.refuse_undo", refuse, SuccessResponse)


async def _fetch(subscription: JetStreamContext.PullSubscription) -> list[Msg]:
    try:
        return await subscription.fetch(1, timeout=_FETCH_SECONDS)
    except TimeoutError:
        return []


async def _hold(message: Msg) -> None:
    """Say that it is worked on, for as long as it is."""
    while True:
        await clock.sleep(DURABLE.ack_wait / 3)
        await message.in_progress()
