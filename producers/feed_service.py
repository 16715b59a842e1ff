"""Answers `cmd.v1.feed.<verb>`: fresh snapshots of books, new connections, pauses; the reply is what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import structlog
from nats.aio.msg import Msg
from pydantic import BaseModel, ValidationError

from contracts import subjects
from contracts.commands import command_at
from contracts.errors import ConflictError, HydrophoneError
from contracts.services import feed as words
from producers.connection.feed import Feed
from producers.producer import Producer
from producers.standby import Unit
from producers.venue import Venue
from runtime import clock
from runtime.app.commands import failure_of
from runtime.app.contract_decoder import invalid_parameter
from runtime.book.books import ResyncOutcome
from runtime.nats.bus import Bus

_log = structlog.get_logger("feed_commands")
_LOOK: Final = 0.05
_REASON: Final = "a new connection was asked for"


def describe_rule(venue: Venue) -> words.BookRuleReply:
    """Return how the venue's deltas make a book."""
    rule, checksum = venue.book, None if venue.checksum is None else venue.checksum.name
    return words.BookRuleReply(
        chain=rule.chain, depth=rule.depth, seed_depth=rule.seed_depth, proven=rule.proven, checksum=checksum
    )


class FeedService:
    """The feeds of the units of this process. Every process gets each request; the one that publishes it replies."""

    def __init__(self, units: Sequence[Unit], *, seconds: float = words.OUTCOME_SECONDS) -> None:
        self._units, self._seconds = units, seconds
        self._under_way: set[asyncio.Task[None]] = set()
        self._serve: dict[str, Callable[[Any], Awaitable[BaseModel | None]]] = {
            "resync": self.resync,
            "reconnect": self.reconnect,
            "pause": self.pause,
            "resume": self.resume,
        }

    async def open(self, bus: Bus) -> None:
        """Answer for as long as the connection lasts, again after each reconnect."""
        for verb in self._serve:
            await bus.client.subscribe(f"{subjects.FEED_COMMAND}{verb}", cb=self._on_request)

    async def close(self) -> None:
        """End what is under way."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def resync(self, query: words.ResyncQuery) -> words.ResyncReply | None:
        """Ask for snapshots; None where no unit that publishes from here follows the exchange, or the instrument.

        Raises ConflictError while the exchange is paused.
        """
        began, active = clock.monotonic(), self._active(query.venue)
        _refuse_paused(active)
        asked: dict[tuple[Feed, str], ResyncOutcome] = {}
        for feed in (feed for producer in active for feed in producer.feeds):
            for symbol in list(feed.session.books.held) if query.symbol is None else [query.symbol]:
                outcome = feed.session.books.resync(symbol, now=began)
                if outcome is not None:
                    asked[feed, symbol] = outcome
        if not active or (not asked and query.symbol is not None):
            return None
        rule, count = describe_rule(active[0].venue), len(asked)
        _log.info("feed.resync", venue=query.venue, symbol=query.symbol, books=count)
        if not query.wait:
            outcome = "requested" if "requested" in asked.values() else "pending"
            return words.ResyncReply(outcome=outcome, rule=rule, books=count)

        def waiting() -> list[str]:
            return [symbol for feed, symbol in asked if not feed.session.books.is_renewed(symbol)]

        seconds = await self._until(lambda: not waiting(), began)
        left = waiting()
        outcome = "late" if left else "live"
        return words.ResyncReply(outcome=outcome, rule=rule, seconds=seconds, books=count, waiting=left[:100])

    async def reconnect(self, query: words.ReconnectQuery) -> words.FeedReply | None:
        """Give up the exchange's connections for new ones; raises ConflictError while it is paused."""
        began, active = clock.monotonic(), self._active(query.venue)
        before = [(feed, feed.reconnects) for producer in active for feed in producer.feeds]
        _refuse_paused(active)
        for feed, _ in before:
            feed.reconnect(_REASON)
        if not active:
            return None
        return await self._outcome(
            active, began, lambda: all(feed.reconnects > count and feed.live for feed, count in before)
        )

    async def pause(self, query: words.PauseQuery) -> words.FeedReply | None:
        """Close the exchange's connections, here and where it stands by."""
        began, active = clock.monotonic(), self._active(query.venue)
        for unit in self._of(query.venue):
            unit.producer.resumed.clear()
        if not active:
            return None
        feeds = [feed for producer in active for feed in producer.feeds]
        seconds = await self._until(lambda: not any(feed.connected for feed in feeds), began)
        late = any(feed.connected for feed in feeds)
        return words.FeedReply(outcome="late" if late else "paused", seconds=seconds, connections=len(feeds))

    async def resume(self, query: words.ResumeQuery) -> words.FeedReply | None:
        """Open them again; nothing where it is not paused."""
        began, active = clock.monotonic(), self._active(query.venue)
        for unit in self._of(query.venue):
            unit.producer.resumed.set()
        if not active:
            return None
        return await self._outcome(active, began, lambda: all(f.live for producer in active for f in producer.feeds))

    async def _outcome(self, active: Sequence[Producer], began: float, live: Callable[[], bool]) -> words.FeedReply:
        seconds = await self._until(live, began)
        feeds = [feed for producer in active for feed in producer.feeds]
        waiting = [feed.plan.name for feed in feeds if not feed.live]
        reason = None if live() else f"not live yet: {', '.join(waiting[:10]) or 'a connection that is being closed'}"
        return words.FeedReply(
            outcome="late" if reason else "live", seconds=seconds, connections=len(feeds), reason=reason
        )

    async def _until(self, done: Callable[[], bool], began: float) -> float:
        """Wait until it is so, as long as an outcome is waited for; returns the seconds since the request came."""
        while not done() and clock.monotonic() - began < self._seconds:
            await clock.sleep(_LOOK)
        return round(clock.monotonic() - began, 3)

    def _of(self, venue: str) -> list[Unit]:
        return [unit for unit in self._units if unit.producer.venue.id == venue]

    def _active(self, venue: str) -> list[Producer]:
        return [unit.producer for unit in self._of(venue) if unit.active]

    async def _on_request(self, message: Msg) -> None:
        task = asyncio.create_task(self._reply(message), name=message.subject)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _reply(self, message: Msg) -> None:
        found = command_at(message.subject)
        if found is None:
            return
        try:
            reply = await self._serve[found.verb](found.request.model_validate_json(message.data))
        except ValidationError as error:
            await message.respond(failure_of(invalid_parameter(error)))
            return
        except HydrophoneError as error:
            await message.respond(failure_of(error))
            return
        if reply is not None:
            await message.respond(reply.model_dump_json().encode())


def _refuse_paused(producers: Sequence[Producer]) -> None:
    for producer in producers:
        if not producer.resumed.is_set():
            raise ConflictError(f"{producer.venue.id} is paused: resume it first", venue=producer.venue.id)
