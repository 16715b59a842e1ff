"""Answers `cmd.v1.feed.resync`: whoever keeps the books in a producer's place asks for a fresh snapshot of one."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from nats.aio.msg import Msg
from pydantic import ValidationError

from contracts import subjects
from contracts.services.feed import BookRuleReply, ResyncQuery, ResyncReply
from producers.standby import Unit
from producers.venue import Venue
from runtime.app.commands import failure_of
from runtime.app.contract_decoder import invalid_parameter
from runtime.nats.bus import Bus

_log = structlog.get_logger("resync")


def describe_rule(venue: Venue) -> BookRuleReply:
    """Return how the venue's deltas make a book."""
    rule, checksum = venue.book, None if venue.checksum is None else venue.checksum.name
    return BookRuleReply(
        chain=rule.chain, depth=rule.depth, seed_depth=rule.seed_depth, proven=rule.proven, checksum=checksum
    )


class ResyncService:
    """The books of the units of this process. Every process gets each request; the one that publishes it replies."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self._units = units

    async def open(self, bus: Bus) -> None:
        """Answer for as long as the connection lasts, again after each reconnect."""
        await bus.client.subscribe(subjects.FEED_RESYNC, cb=self._on_request)

    def answer(self, query: ResyncQuery) -> ResyncReply | None:
        """Ask for the snapshot; None where no unit that publishes from here follows the instrument."""
        for unit in self._units:
            venue = unit.producer.venue
            if venue.id != query.venue or not unit.active:
                continue
            outcome = unit.producer.resync(query.symbol)
            if outcome is not None:
                _log.info("feed.resync", venue=query.venue, symbol=query.symbol, outcome=outcome)
                return ResyncReply(outcome=outcome, rule=describe_rule(venue))
        return None

    async def _on_request(self, message: Msg) -> None:
        try:
            reply = self.answer(ResyncQuery.model_validate_json(message.data))
        except ValidationError as error:
            await message.respond(failure_of(invalid_parameter(error)))
            return
        if reply is not None:
            await message.respond(reply.model_dump_json().encode())
