"""Chats on the bus: `cmd.v1.chats.*`, and messages of alerts and orders as jobs of Telegram's gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from faststream.nats import NatsRouter

from consumers.chats import core
from consumers.chats.orders import job_of, owner_chat
from consumers.chats.store import INDEXES, ChatStore
from contracts.alerts import Alert
from contracts.services.chats import (
    QUEUE,
    DeleteSubscription,
    FindProfile,
    FindSubscription,
    Profile,
    SaveProfile,
    SaveSubscription,
    SnoozeSubscription,
    Subscription,
)
from contracts.services.telegram.jobs import ChatBlocked, ChatMigrated, TelegramJob
from contracts.services.trading.events import (
    AccountEvent,
    ForeignOrder,
    OrderChanged,
    OrderFilled,
    TradingTripped,
)
from contracts.streams import DURABLES, DurableSpec
from contracts.subjects import CHATS_COMMAND
from runtime import clock
from runtime.app.commands import CommandArguments, command
from runtime.app.documents import open_store
from runtime.app.service import Consumer, Service
from runtime.app.serving import serve
from runtime.app.settling import durable
from runtime.nats.bus import Bus
from runtime.nats.telegram_jobs import publish_job

SPECS: Final[dict[str, DurableSpec]] = {spec.name: spec for spec in DURABLES if spec.name.startswith("chats_")}
AT_ONCE: Final = 32  # jobs of one alert that are published side by side


@dataclass(frozen=True, slots=True)
class ChatsPlan:
    """Where the documents are, and our own address, without a slash at its end; none where nobody said."""

    documents: str
    public_url: str = ""


@dataclass(frozen=True, slots=True)
class Chats:
    """What the handlers work with, once it is there."""

    store: ChatStore
    bus: Bus
    public_url: str = ""

    async def tell_owner(self, event: AccountEvent) -> None:
        """Queue the message of an event of orders for its owner, where it is worth one."""
        user = owner_chat(event.owner)
        profile = Profile(user_id=0) if user is None else await self.store.find_profile(user)
        job = job_of(event, profile, clock.now_ns())
        await self.publish([] if job is None else [job])

    async def publish(self, jobs: Sequence[TelegramJob]) -> None:
        """Queue jobs; what the stream does not take is raised, and those that it took are known by their ids."""
        for at in range(0, len(jobs), AT_ONCE):
            await asyncio.gather(*(publish_job(self.bus, job) for job in jobs[at : at + AT_ONCE]))


def make_consumer(plan: ChatsPlan) -> Consumer:
    """Return the consumer that serves until it is stopped, once its documents are there."""
    held: list[Chats] = []
    router = make_router(lambda: held[-1])

    async def run(service: Service) -> None:
        async with open_store(service, plan.documents, INDEXES) as store:
            if store is not None:
                held.append(Chats(ChatStore(store), service.bus, plan.public_url))
                await serve(router, service)

    return Consumer(run, router)


def make_router(chats: Callable[[], Chats]) -> NatsRouter:
    """Return the handlers; `chats()` is what they work with."""
    router = NatsRouter()
    _add_commands(router, chats)
    _add_events(router, chats)
    _add_orders(router, chats)
    return router


def _add_commands(router: NatsRouter, chats: Callable[[], Chats]) -> None:
    @router.subscriber(**_command("profile_find"))
    async def on_profile_find(query: FindProfile) -> Profile:
        return await chats().store.find_profile(query.user_id)

    @router.subscriber(**_command("profile_save"))
    async def on_profile_save(change: SaveProfile) -> Profile:
        return await chats().store.save_profile(change)

    @router.subscriber(**_command("subscription_find"))
    async def on_find(query: FindSubscription) -> Subscription:
        return await chats().store.find(query)

    @router.subscriber(**_command("subscription_save"))
    async def on_save(change: SaveSubscription) -> Subscription:
        return await chats().store.save(change)

    @router.subscriber(**_command("subscription_delete"))
    async def on_delete(change: DeleteSubscription) -> Subscription:
        return await chats().store.delete(change)

    @router.subscriber(**_command("subscription_snooze"))
    async def on_snooze(change: SnoozeSubscription) -> Subscription:
        now = datetime.fromtimestamp(clock.now_ns() / core.SECOND_NS, UTC)
        until = (now + timedelta(seconds=change.seconds)).isoformat() if change.seconds else None
        return await chats().store.snooze(change, until)


def _add_events(router: NatsRouter, chats: Callable[[], Chats]) -> None:
    @router.subscriber(**durable(SPECS["chats_alerts"]))
    async def on_alert(alert: Alert) -> None:
        """Queue the message for each chat that gets the alert."""
        here = chats()
        await here.publish(core.jobs_of(alert, await here.store.active(), clock.now_ns(), here.public_url))

    @router.subscriber(**durable(SPECS["chats_own_alerts"]))
    async def on_own_alert(alert: Alert) -> None:
        """Queue the message of a price alert for the chat that its owner named."""
        here, user = chats(), core.owner_user(alert)
        profile = Profile(user_id=0) if user is None else await here.store.find_profile(user)
        job = core.own_job(alert, profile, clock.now_ns(), here.public_url)
        await here.publish([] if job is None else [job])

    @router.subscriber(**durable(SPECS["chats_blocked"]))
    async def on_blocked(event: ChatBlocked) -> None:
        await chats().store.drop_chat(event.chat_id)

    @router.subscriber(**durable(SPECS["chats_migrated"]))
    async def on_migrated(event: ChatMigrated) -> None:
        await chats().store.move_chat(event.chat_id, event.new_chat_id)


def _add_orders(router: NatsRouter, chats: Callable[[], Chats]) -> None:
    @router.subscriber(**durable(SPECS["chats_fills"]))
    async def on_filled(event: OrderFilled) -> None:
        await chats().tell_owner(event)

    @router.subscriber(**durable(SPECS["chats_orders"]))
    async def on_changed(event: OrderChanged) -> None:
        await chats().tell_owner(event)

    @router.subscriber(**durable(SPECS["chats_foreign_orders"]))
    async def on_foreign(event: ForeignOrder) -> None:
        await chats().tell_owner(event)

    @router.subscriber(**durable(SPECS["chats_trips"]))
    async def on_tripped(event: TradingTripped) -> None:
        await chats().tell_owner(event)


def _command(verb: str) -> CommandArguments:
    return command(CHATS_COMMAND + verb, QUEUE)
