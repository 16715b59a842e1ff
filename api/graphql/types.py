"""GraphQL types, derived from the contracts' replies: one definition of what a whale trade or a book has.

A field has the name that REST gives it (`change_24h`, `usd_value`) and, as an alias, the other spelling (`usdValue`).
Objects are the decoded replies themselves: a resolver hands on a dictionary, `read_field` takes a value out of it.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Mapping
from datetime import datetime
from keyword import iskeyword
from typing import Any, Final, Literal, NewType, Union, get_args, get_origin

import strawberry
from pydantic import BaseModel
from strawberry.tools import create_type
from strawberry.types.field import StrawberryField
from strawberry.types.scalar import ScalarDefinition

from contracts.numbers import AmountText
from contracts.services import coverage
from contracts.services.replies import liqmap, multi
from contracts.services.replies import market as replies

Number = NewType("Number", object)
Whole = NewType("Whole", int)
Time = NewType("Time", str)


def _as_it_is(value: Any) -> Any:
    return value


SCALARS: Final[Mapping[object, ScalarDefinition]] = {
    Number: strawberry.scalar(
        name="Decimal",
        description="A JSON number with the digits that the exchange sent, none of them lost to a binary float",
        serialize=_as_it_is,
    ),
    Whole: strawberry.scalar(
        name="BigInt", description="A whole number of any size, as JSON number", serialize=_as_it_is
    ),
    Time: strawberry.scalar(name="DateTime", description="ISO 8601, UTC", serialize=_as_it_is),
}
_LEAVES: Final[dict[Any, Any]] = {float: Number, int: Whole, datetime: Time, str: str, bool: bool}
_LEAVES[get_args(AmountText)[0]] = str  # an exact decimal as text
_WORD: Final = re.compile(r"_([a-z0-9])")
_keys: Final[dict[str, str]] = {}  # of each attribute
_defaults: Final[dict[str, bool]] = {}  # of what a reply has only where it is something else
_made: Final[dict[type[BaseModel], Any]] = {}


def read_field(source: Mapping[str, Any], name: str) -> Any:
    """Return a field of a decoded reply by either of its names; its default, else null, where it has none."""
    key = _keys.get(name, name)
    return source.get(key, _defaults.get(key))


def camel(name: str) -> str:
    """Return the other spelling of a name: `usdValue` of `usd_value`, `change24h` of `change_24h`."""
    return _WORD.sub(lambda match: match[1].upper(), name)


def both_spellings(name: str, type_: Any, description: str | None = None) -> list[StrawberryField]:
    """Return a field, and its alias where it has another spelling."""
    other = camel(name)
    fields = [_field(name, type_, description)]
    if other != name:
        _keys[other] = name
        fields.append(_field(other, type_, f"The same as `{name}`"))
    return fields


def _field(name: str, type_: Any, description: str | None) -> StrawberryField:
    field: StrawberryField = strawberry.field(name=name, description=description, graphql_type=type_)
    field.python_name = f"{name}_" if iskeyword(name) else name
    _keys.setdefault(field.python_name, name)
    return field


def fields_of(model: type[BaseModel], leave_out: Iterable[str] = ()) -> list[StrawberryField]:
    """Return a reply's fields as GraphQL fields."""
    fields: list[StrawberryField] = []
    for name, info in model.model_fields.items():
        key = info.alias or name
        if key not in leave_out:
            fields += both_spellings(key, as_type(info.annotation), info.description)
            if isinstance(info.default, bool):
                _defaults[key] = info.default
    return fields


def as_type(annotation: Any) -> Any:
    """Return the GraphQL type of an annotation of the contracts."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return str
    if origin in {Union, types.UnionType}:
        kinds = [one for one in arguments if one is not type(None)]
        return as_type(kinds[0]) | None if len(kinds) < len(arguments) else as_type(kinds[0])
    if origin is list:
        return list[as_type(arguments[0])]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return make_type(annotation)
    return _LEAVES[annotation]


def make_type(model: type[BaseModel], name: str = "", more: Iterable[StrawberryField] = ()) -> Any:
    """Return the GraphQL type of a reply, with `more` fields; made once."""
    if model not in _made:
        _made[model] = create_type(name or model.__name__, [*fields_of(model), *more], description=_summary(model))
    return _made[model]


def _summary(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().partition("\n")[0]


def _freshness() -> list[StrawberryField]:
    age = both_spellings("age", Number | None, f"{replies.AGE}, of the market that this was received on")
    return [*age, *both_spellings("quality", str, "live, sim, gap or stale")]


def _sent() -> list[StrawberryField]:
    return both_spellings("timestamp", Time, "when the answer was sent")


Price: Final = make_type(multi.TickerReply, "Price", _sent())
WhaleTransaction: Final = make_type(replies.Whale, "WhaleTransaction", _freshness())
Liquidation: Final = make_type(
    replies.MarketLiquidation,
    "Liquidation",
    [*both_spellings("side", str | None, "the position's: long or short"), *_freshness()],
)
LiquidationMap: Final = make_type(
    liqmap.LiquidationMap,
    "LiquidationMap",
    [*both_spellings("symbol", str, "as it was resolved"), *_sent()],
)
OrderbookLevel: Final = make_type(replies.Level, "OrderbookLevel")
Orderbook: Final = make_type(replies.Orderbook, "Orderbook", _sent())
Candle: Final = make_type(
    multi.Bar,
    "Candle",
    [
        *both_spellings("exchange", str, "whose candles these are"),
        *both_spellings("timeframe", str),
        *_freshness(),
    ],
)
Coverage: Final = make_type(coverage.CoverageReply, "Coverage", _sent())
WindowTotals: Final = create_type(
    "WindowTotals",
    [*both_spellings("window", str, "1h, 4h or 24h"), *fields_of(replies.Totals)],
    description="Liquidated in one window, in USD by side of the position",
)
WindowCoverage: Final = create_type(
    "WindowCoverage",
    [*both_spellings("window", str, "1h, 4h or 24h"), *fields_of(replies.Rests)],
    description="How much of one window was received",
)
LiquidationTotals: Final = create_type(
    "LiquidationTotals",
    [
        *both_spellings("totals", list[WindowTotals] | None),
        *both_spellings("coverage", list[WindowCoverage] | None),
        *fields_of(replies.LiquidationTotals, {"totals", "coverage"}),
    ],
    description="Sums over 1 h, 4 h and 24 h; lower bounds where `sampled`",
)
PriceUpdate: Final = create_type(
    "PriceUpdate",
    [
        field
        for name, type_ in (
            ("symbol", str),
            ("price", Number),
            *((figure, Number | None) for figure in ("change_24h", "volume_24h", "high", "low", "bid", "ask")),
            *((text, str) for text in ("quote", "market", "source", "quality")),
            *((names, list[str]) for names in ("exchanges", "stale_exchanges")),
            ("age", Number),
            ("sim", bool),
            ("timestamp", Time),
        )
        for field in both_spellings(name, type_)
    ],
    description="The consolidated price of a symbol, sent when it changes and at least every 5 seconds",
)
WhaleUpdate: Final = create_type(
    "WhaleUpdate",
    [*fields_of(replies.Whale), *both_spellings("tier", str, "of the coin, by which a trade counts as a whale's")],
    description="A whale trade as it was made; `side` is the aggressor's",
)
LiquidationUpdate: Final = create_type(
    "LiquidationUpdate",
    [
        *fields_of(replies.MarketLiquidation, {"usd_value"}),
        *both_spellings("side", str | None, "the position's: long or short"),
        *both_spellings("price_kind", str, "what the price is of"),
        *both_spellings("contracts", Number | None, "the amount where the exchange counts contracts"),
    ],
    description="A forced order as it was made",
)
