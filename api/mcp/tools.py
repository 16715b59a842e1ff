"""The tools: each is one command of the market core, with schemas made from the contracts' models.

Titles and descriptions are constants: no name that an exchange chose can reach a model as an instruction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from mcp.types import Tool, ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field, create_model

from api.market.documents import QUERIES, REPLIES
from contracts.services.replies.market import AGE, FeedHealth, Quality

_LINES: Final = {  # verb, title, description
    "get_price": (
        "price",
        "Price",
        "The price of a symbol, volume-weighted over the exchanges that are fresh, with its sources.",
    ),
    "get_snapshot": (
        "raw",
        "Market snapshot",
        "All that is known of a symbol now: price, 24 hour figures, prices by exchange, funding, whales, liquidations.",
    ),
    "get_whale_trades": (
        "whale",
        "Whale trades",
        "Recent very large trades of a symbol, newest first; `side` is the aggressor's.",
    ),
    "get_liquidations": (
        "liq",
        "Liquidations",
        "Recent forced orders of a coin, newest first, and totals in USD; lower bounds where `sampled` is true.",
    ),
    "get_liquidation_map": (
        "liqmap",
        "Liquidation map",
        "What was liquidated of a coin at each price, in USD by side; lower bounds where `sampled` is true.",
    ),
    "get_order_book": (
        "orderbook",
        "Order book",
        "The order book of a symbol on one exchange, best levels first; the deepest live one where none is named.",
    ),
    "get_candles": (
        "ohlc",
        "Candles",
        "Candles of a symbol on one exchange, oldest first, with indicators; what is missing is named in `holes`.",
    ),
    "get_coverage": (
        "coverage",
        "Coverage",
        "Seconds of a span that were live, sampled, filled in later or are unknown, by exchange; by default an hour.",
    ),
    "get_exchange_health": (
        "health",
        "Exchanges' health",
        "The state of each exchange's feed: connected, what is not live, ages, latencies, reconnects.",
    ),
}
FEEDS: Final = "feeds"  # where the reply about all exchanges stands in its result


class FeedsResult(BaseModel):
    """Each exchange's feed by its name; age and quality are those of the answer."""

    model_config = ConfigDict(title="FeedsResult")

    feeds: dict[str, FeedHealth]
    age: float = Field(description="seconds since the market core answered")
    quality: Quality
    timestamp: datetime = Field(description="when the answer was sent")


@dataclass(frozen=True, slots=True)
class MarketTool:
    """One tool, and the verb of the market core behind it."""

    verb: str
    tool: Tool


def _result(verb: str, name: str) -> type[BaseModel]:
    """Return the model of a tool's result: the reply, the resolved symbol, and when it was sent."""
    if verb == "health":
        return FeedsResult
    fields: dict[str, Any] = {
        "symbol": (str, Field(description="as it was resolved")),
        "timestamp": (datetime, Field(description="when the answer was sent, or the data arrived")),
    }
    reply = REPLIES[verb]
    more = {key: field for key, field in fields.items() if key not in reply.model_fields}
    return create_model(f"{name}Result", __base__=reply, **more)


def _make(name: str, verb: str, title: str, description: str) -> MarketTool:
    hints = ToolAnnotations(
        title=title, read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    )
    tool = Tool(
        name=name,
        title=title,
        description=f"{description} `age` is {AGE}; `quality` is live, sim, gap or stale.",
        input_schema={**QUERIES[verb].model_json_schema(), "additionalProperties": False},
        output_schema=_result(verb, name).model_json_schema(by_alias=True),
        annotations=hints,
    )
    return MarketTool(verb, tool)


TOOLS: Final[dict[str, MarketTool]] = {name: _make(name, *line) for name, line in _LINES.items()}
