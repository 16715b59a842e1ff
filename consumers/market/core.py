"""Which request is answered by what: one line a verb; and the core's own status. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pydantic import BaseModel

from consumers.market.answering import Answerer, Compose
from consumers.market.answers import feeds, flows, multi, orderbook, snapshot
from consumers.market.answers.feeds import list_degraded
from consumers.market.state import MarketState, Reader
from contracts.schema.literals import Age
from contracts.services import market as commands


@dataclass(frozen=True, slots=True)
class Verb:
    """What a request is read as, and what composes its answer."""

    query: type[BaseModel]
    compose: Compose


VERBS: Final[Mapping[str, Verb]] = {
    "raw": Verb(commands.RawQuery, snapshot.compose_raw),
    "price": Verb(commands.PriceQuery, snapshot.compose_price),
    "whale": Verb(commands.WhaleQuery, flows.compose_whales),
    "liq": Verb(commands.LiquidationsQuery, flows.compose_liquidations),
    "orderbook": Verb(commands.OrderbookQuery, orderbook.compose_orderbook),
    "ticker": Verb(commands.TickerQuery, multi.compose_ticker),
    "multi_orderbook": Verb(commands.MultiOrderbookQuery, multi.compose_book),
    "trades": Verb(commands.TradesQuery, multi.compose_trades),
    "symbols": Verb(commands.SymbolsQuery, multi.compose_symbols),
    "health": Verb(commands.HealthQuery, feeds.compose_health),
}
"""What is answered from memory; `ohlc` asks the bus, `sentiment` is about a text, `status` about the core itself."""


class MirrorState(Protocol):
    """What a mirrored bucket says of itself."""

    @property
    def loaded(self) -> bool:
        """Whether every key was read at least once."""
        ...

    @property
    def changed_ns(self) -> int | None:
        """When the last change arrived, ns UTC."""
        ...

    def __len__(self) -> int:
        """How many keys it holds."""
        ...


@dataclass(frozen=True, slots=True)
class Inside:
    """What the status is made from; `indexing`: whether something is listed that no symbol stands for yet."""

    state: MarketState
    answerer: Answerer
    mirrors: Mapping[str, MirrorState]
    fetched: Mapping[str, Any]
    indexing: bool


def compose_status(inside: Inside, now_ns: int) -> dict[str, Any]:
    """What is waited for, what is not as it should be, and what is held in memory."""
    waiting = [f"bucket {name}" for name, mirror in inside.mirrors.items() if not mirror.loaded]
    if inside.indexing and not inside.state.symbols.instruments:
        waiting.append("index of symbols")
    answerer = inside.answerer
    return {
        "waiting_for": waiting,
        "degraded": list_degraded(Reader(inside.state, now_ns)),
        "buckets": {name: _mirror(mirror) for name, mirror in inside.mirrors.items()},
        "fetched": inside.fetched,
        "answers": {"entries": len(answerer), "hits": answerer.hits, "misses": answerer.misses},
    }


def _mirror(mirror: MirrorState) -> dict[str, Any]:
    changed = mirror.changed_ns
    return {"loaded": mirror.loaded, "keys": len(mirror), "last_change_age": None if changed is None else Age(changed)}
