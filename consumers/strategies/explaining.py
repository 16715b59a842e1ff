"""Why a strategy did what it did: the decision as it was kept, decided again by the same code."""

from __future__ import annotations

import json

import structlog
from nats.errors import Error as NatsError

from consumers.strategies.at_work import AtWork
from consumers.strategies.describing import describe_event, say_wanted
from consumers.strategies.kept import Kept
from consumers.strategies.sending import Sender
from consumers.strategies.store import StrategyStore, wanted_of
from contracts.errors import HydrophoneError, NotFoundError
from contracts.services.trading.orders import OrderInfo
from contracts.services.trading.strategies import StrategyExplanation
from contracts.services.trading.strategy_events import WantedOrder
from runtime.clients.command_client import CommandClient
from runtime.store import Document
from runtime.strategies.protocol import read_kept

_log = structlog.get_logger("strategies")


class Explainer:
    """Explains what was kept of decisions: 30 days of them."""

    def __init__(self, store: StrategyStore, at_work: AtWork, client: CommandClient) -> None:
        self._store, self._at_work, self._client = store, at_work, client

    async def why(self, kept: Kept, at_ns: int | None) -> StrategyExplanation:
        """Return the last decision that was made by then; NotFoundError where there is none."""
        document = await self._store.find_decision(kept.id, at_ns)
        if document is None:
            raise NotFoundError("Nothing was decided by then", id=kept.id)
        wanted = wanted_of(document)
        return StrategyExplanation(
            id=kept.id,
            kind=kept.kind,
            number=document["number"],
            at=document["at"],
            saw=describe_event(read_kept(document["kind"], document["event"])),
            before=json.loads(document["before"]),
            after=json.loads(document["after"]),
            decisions=[say_wanted(one) for one in wanted],
            wanted=wanted,
            orders=await self._orders(kept, wanted),
            same=self._is_same(kept, document, wanted),
        )

    def _is_same(self, kept: Kept, document: Document, wanted: list[WantedOrder]) -> bool:
        definition = self._at_work.definition_of(kept)
        before = definition.kind.state.model_validate_json(document["before"])
        event = read_kept(document["kind"], document["event"])
        after, again = definition.strategy.decide(before, event, document["at"])
        texts = [one.model_dump_json() for one in again]
        ours = [one.model_dump_json() for one in wanted][: len(texts)]
        return texts == ours and bool(after.done is not None or after.model_dump_json() == document["after"])

    async def _orders(self, kept: Kept, wanted: list[WantedOrder]) -> list[OrderInfo]:
        """Return what has become of the orders; none where trading does not answer."""
        names = {one.client_id for one in wanted}
        try:
            found = await Sender(self._client, kept).list_orders()
        except (HydrophoneError, NatsError) as error:
            _log.warning("strategy.orders_unknown", strategy=kept.id, error=str(error) or type(error).__name__)
            return []
        return [order for order in found if order.client_id in names]
