"""The fast codec: a msgspec struct derived from each event's model, so that there is one definition and a quick way in.

`fast(Trade)` has the fields of `Trade` in the same order, with decimals kept as text. `encode` and the decoders write
and read the same bytes as pydantic does and refuse the same bad ones; a test proves it for every model.
"""

from __future__ import annotations

import types
import typing
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Final, get_args, get_origin

import msgspec
from pydantic.fields import FieldInfo

from contracts import subjects
from contracts.market import MARKET_EVENTS, Event
from contracts.numbers import pattern_of
from contracts.signals import SIGNAL_EVENTS

EVENTS: Final[dict[str, type[Event]]] = {model.kind: model for model in (*MARKET_EVENTS, *SIGNAL_EVENTS)}
SUBJECT_KINDS: Final[dict[str, str]] = {
    subjects.TRADE: "trade",
    subjects.TICKER: "ticker",
    subjects.BOOK: "book",
    subjects.DELTA: "delta",
    subjects.LIQUIDATION: "liquidation",
    subjects.FUNDING: "funding",
    subjects.INTEREST: "interest",
    subjects.CANDLE: "candle",
    subjects.FEED: "feed",
    subjects.WHALE: "whale",
    subjects.CLUSTER: "cluster",
    subjects.STORM: "storm",
}
KIND_SUBJECTS: Final[dict[str, str]] = {kind: prefix for prefix, kind in SUBJECT_KINDS.items()}

_encoder: Final = msgspec.json.Encoder()

encode = _encoder.encode


@cache
def fast(model: type[Event]) -> type[Any]:
    """Derive the struct of an event: same names, same order, decimals as text; `kind` is a class attribute."""
    hints = typing.get_type_hints(model, include_extras=True)
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for name, info in model.model_fields.items():
        kind = _fast_type(hints[name])
        fields.append((name, kind) if info.is_required() else (name, kind, info.default))
    return msgspec.defstruct(
        f"Fast{model.__name__}",
        fields,
        namespace={"kind": model.kind, "__doc__": model.__doc__},
        frozen=True,
        kw_only=True,
        gc=False,
    )


@cache
def decoder(model: type[Event]) -> msgspec.json.Decoder[Any]:
    """Give the typed decoder of an event's body.

    It raises msgspec.DecodeError (as ValidationError it names the field at fault), and UnicodeDecodeError for text that
    is no UTF-8.
    """
    return msgspec.json.Decoder(fast(model))


def decode(subject: str, body: bytes) -> Any:
    """Decode a body by its subject; raises KeyError for a subject that carries no event."""
    return decoder(EVENTS[kind_of(subject)]).decode(body)


def kind_of(subject: str) -> str:
    """Tell the kind of event that a subject carries."""
    for prefix, kind in SUBJECT_KINDS.items():
        if subject.startswith(prefix):
            return kind
    raise KeyError(subject)


def schema_of(model: type[Event]) -> str:
    """Give the value of the schema header: `trade/1`."""
    return f"{model.kind}/{model.version}"


def _fast_type(hint: Any) -> Any:
    origin = get_origin(hint)
    if origin is Annotated:
        return _fast_annotated(hint)
    if origin in {typing.Union, types.UnionType}:
        return typing.Union[tuple(_fast_type(part) for part in get_args(hint))]  # noqa: UP007 - built at run time
    if origin is list:
        return list[_fast_type(get_args(hint)[0])]
    if origin is tuple:
        return tuple[tuple(_fast_type(part) for part in get_args(hint))]
    return hint


def _fast_annotated(hint: Any) -> Any:
    inner, *marks = get_args(hint)
    if inner is Decimal:
        return Annotated[str, msgspec.Meta(pattern=pattern_of(hint).replace("$", r"\Z"))]
    bounds: dict[str, int] = {}
    for mark in marks:
        for rule in mark.metadata if isinstance(mark, FieldInfo) else ():
            bounds.update({edge: getattr(rule, edge) for edge in ("ge", "le") if hasattr(rule, edge)})
    kind = _fast_type(inner)
    return Annotated[kind, msgspec.Meta(ge=bounds.get("ge"), le=bounds.get("le"))] if bounds else kind
