"""The fast codec: a msgspec struct derived from each event's model, so that there is one definition and a quick way in.

`fast(Trade)` has the fields of `Trade` in the same order, with decimals kept as text. `encode` and the decoders write
and read the same bytes as pydantic does and refuse the same bad ones; a test proves it for every model. A field that is
left out where it is false (`exclude_if`) is msgspec's UNSET then, which is as false as False. `decode_all`
accepts without a pattern what is plainly good; all else is decided, and refused with its reason, as `decode` does.
Documents of `contracts.state` have their structs from here, too.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, Final, cast, get_args, get_origin

import msgspec
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from contracts.alerts import ALERT_EVENTS
from contracts.arithmetic.decimals import are_prices
from contracts.consolidated import CONSOLIDATED_EVENTS
from contracts.market import MARKET_EVENTS, Event
from contracts.numbers import DAY_NS, AmountText, PriceText, fast_pattern, pattern_of, time_fault
from contracts.schema.routes import KIND_SUBJECTS as KIND_SUBJECTS  # noqa: PLC0414  # the codec's names from one place
from contracts.schema.routes import SUBJECT_KINDS as SUBJECT_KINDS  # noqa: PLC0414
from contracts.schema.routes import BadEventError, read_subject, subject_text
from contracts.schema.routes import kind_of as kind_of  # noqa: PLC0414
from contracts.signals import SIGNAL_EVENTS

EVENTS: Final[dict[str, type[Event]]] = {
    model.kind: model for model in (*MARKET_EVENTS, *SIGNAL_EVENTS, *CONSOLIDATED_EVENTS, *ALERT_EVENTS)
}
MOST_AHEAD_NS: Final = 5 * 60 * 10**9  # that the clock of who received an event may be ahead of a reader's
_NO_END: Final = 2**63
_MOST_ROUTES: Final = 50_000
_BACKSLASH: Final = ord("\\")  # a number: to look for bytes in bytes costs thirty times as much
_DELETE: Final = 0x7F
_FREE: Final = frozenset({"reason"})
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_EDGES: Final = ("ge", "le", "min_length", "max_length")
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
UNDECODABLE: Final = (*_UNREADABLE, ValueError, KeyError)
_encoder: Final = msgspec.json.Encoder()

encode = _encoder.encode


@dataclass(frozen=True, slots=True)
class Opened:
    """A subject that was read before, with the decoder of its events and the quick one of `decode_all`."""

    subject: str
    decode: Callable[[bytes], Any]
    kind: str
    venue: str
    symbol: str | None
    timeframe: str | None
    replayed: bool
    quick: Callable[[bytes], Any] | None
    numbers: Callable[[Any], tuple[str | None, ...]]


_routes: dict[str | bytes, Opened] = {}  # no state: what can be computed from the subject alone


@cache
def fast(model: type[BaseModel]) -> type[Any]:
    """Derive the struct of a model: same names, same order, decimals as text; `kind` is a class attribute."""
    return derive(model, {})


@cache
def trusted(model: type[BaseModel]) -> type[Any]:
    """Derive the struct for who reads what `fast` wrote: as that one without patterns and bounds.

    A pattern for each number of a book costs several times what decoding the rest does.
    """
    return derive(model, {}, bounded=False)


def derive(model: type[BaseModel], instead: Mapping[str, Any], *, bounded: bool = True) -> type[Any]:
    """Derive a struct as `fast` does, or `trusted` if not `bounded`; `instead` has other types for some fields."""
    hints = typing.get_type_hints(model, include_extras=True)
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for name, info in model.model_fields.items():
        kind = instead.get(name) or _fast_type(hints[name], bounded=bounded)
        if info.exclude_if is not None:
            fields.append((name, kind | msgspec.UnsetType, msgspec.UNSET))
        else:
            fields.append((name, kind) if info.is_required() else (name, kind, info.default))
    kind_of_event = {"kind": model.kind} if issubclass(model, Event) else {}
    return msgspec.defstruct(
        f"Fast{model.__name__}",
        fields,
        namespace={**kind_of_event, "__doc__": model.__doc__},
        frozen=True,
        kw_only=True,
        gc=False,
    )


@cache
def decoder(model: type[BaseModel]) -> msgspec.json.Decoder[Any]:
    """Give the typed decoder of a model's body.

    It raises msgspec.DecodeError (as ValidationError it names the field at fault), and UnicodeDecodeError for text that
    is no UTF-8.
    """
    return msgspec.json.Decoder(fast(model))


def decode(subject: str, body: bytes, now: int | None = None) -> Any:
    """Decode a body and hold it to its subject and to the rules of time and names; `now` is the reader's clock, ns UTC.

    Raises KeyError for a subject that carries no event, BadEventError, msgspec.DecodeError or UnicodeDecodeError for a
    body that is none of its kind. Of a field that stands twice the last counts.
    """
    route = find_route(subject)
    try:
        return _decode_fully(route, body, now)
    except UNDECODABLE:  # of a number that stands twice msgspec refuses the first, too
        events, _ = decode_all([(subject.encode(), body)], _NO_END if now is None else now)
        if not events:
            raise
        return decoder(EVENTS[route.kind]).decode(msgspec.json.encode(events[0][1]))


def decode_all(
    messages: Iterable[tuple[bytes, ...]], now: int
) -> tuple[list[tuple[str, Any]], list[tuple[int, Exception]]]:
    """Decode messages that begin with subject and body, as `decode` does each; `now` is the reader's clock, ns UTC.

    Returns the (subject, event) of those that could be, and which of the others (from 0) could not be and why.
    """
    events: list[tuple[str, Any]] = []
    faults: list[tuple[int, Exception]] = []
    add, routes, latest = events.append, _routes, now + MOST_AHEAD_NS
    for message in messages:
        body = message[1]
        try:
            route = routes.get(message[0]) or _open_raw(message[0])
            try:
                event = None if route.quick is None else route.quick(body)
            except _UNREADABLE:
                event = None
            if event is None or not (
                event.symbol == route.symbol
                and event.venue == route.venue
                and event.ts_recv <= latest
                and ((ts := event.ts_event) is None or 0 < ts <= event.ts_recv or 0 < ts - event.ts_recv <= DAY_NS)
                and _BACKSLASH not in body
                and _DELETE not in body
                and are_prices(route.numbers(event))
            ):
                event = _decode_fully(route, body, now)
            add((route.subject, event))
        except UNDECODABLE as error:
            faults.append((len(events) + len(faults), error))
    return events, faults


def _decode_fully(route: Opened, body: bytes, now: int | None) -> Any:
    """Return the event of a body, or raise the reason why it is none."""
    try:
        event = route.decode(body)
    except RecursionError as error:
        raise BadEventError("nested too deeply") from error
    check_event(event, route, body, now)
    return event


def check_event(event: Any, route: Opened, body: bytes, now: int | None) -> None:
    """Raise BadEventError where an event is not what its subject says, or breaks a rule that needs no list read."""
    if event.venue != route.venue:
        raise BadEventError(f"venue {event.venue!r} on the subject of {route.venue!r}")
    if event.symbol != route.symbol and route.symbol is not None:
        raise BadEventError(f"symbol {event.symbol!r} on the subject of {route.symbol!r}")
    if route.timeframe is not None and event.timeframe != route.timeframe:
        raise BadEventError(f"time frame {event.timeframe!r} on the subject of {route.timeframe!r}")
    if (_BACKSLASH in body or _DELETE in body) and (name := _find_unprintable(event)) is not None:
        raise BadEventError(f"{name} holds a control character")
    if route.replayed:
        return
    if (fault := time_fault(event.ts_event, event.ts_recv)) is not None:
        raise BadEventError(fault)
    if now is not None and event.ts_recv > now + MOST_AHEAD_NS:
        raise BadEventError(f"ts_recv {event.ts_recv} is ahead of the reader's clock {now}")


def _find_unprintable(event: Any) -> str | None:
    """Name the first field, but for a free text, that holds a control character; lists of names are looked through."""
    for name in event.__struct_fields__:
        value: Any = getattr(event, name)
        texts = cast("list[Any]", value) if isinstance(value, list) else [value]
        if name not in _FREE and any(isinstance(text, str) and _CONTROL.search(text) for text in texts):
            return name
    return None


def find_route(subject: str) -> Opened:
    """Read a subject, once: the newest are remembered; raises KeyError or BadEventError as `decode` does."""
    opened = _routes.get(subject)
    if opened is None:
        route = read_subject(subject)
        model = EVENTS[route.kind]
        quick = None if route.timeframe else _quick_decoder(model)
        opened = Opened(
            subject=subject,
            decode=decoder(model).decode,
            kind=route.kind,
            venue=route.venue,
            symbol=route.symbol,
            timeframe=route.timeframe,
            replayed=route.replayed,
            quick=quick,
            numbers=attrgetter(*_plain_numbers(model)) if quick else tuple,
        )
        _remember(subject, opened)
    return opened


def _open_raw(raw: bytes) -> Opened:
    """Read a subject as it came off the wire, as `find_route` does."""
    opened = find_route(subject_text(raw))
    _remember(raw, opened)
    return opened


def _remember(subject: str | bytes, opened: Opened) -> None:
    if len(_routes) >= _MOST_ROUTES:
        del _routes[next(iter(_routes))]
    _routes[subject] = opened


@cache
def _plain_numbers(model: type[Event]) -> dict[str, Any]:
    """Return the fields of an event that are a price or an amount, with the type that has no pattern."""
    parts = {name: (hint, *get_args(hint)) for name, hint in typing.get_type_hints(model, include_extras=True).items()}
    numbers = [name for name in model.model_fields if PriceText in parts[name] or AmountText in parts[name]]
    return {name: str | None if type(None) in parts[name] else str for name in numbers}


@cache
def _quick_decoder(model: type[Event]) -> Callable[[bytes], Any] | None:
    """Return the decoder that leaves prices and amounts to `are_prices`; None where an event has less than two."""
    numbers = _plain_numbers(model)
    return msgspec.json.Decoder(derive(model, numbers)).decode if len(numbers) > 1 else None


def schema_of(model: type[Event]) -> str:
    """Give the value of the schema header: `trade/1`."""
    return f"{model.schema_kind or model.kind}/{model.version}"


def _fast_type(hint: Any, *, bounded: bool) -> Any:
    origin: Any = get_origin(hint)
    parts = get_args(hint)
    if origin is Annotated:
        return _fast_annotated(hint, bounded=bounded)
    if origin in {typing.Union, types.UnionType}:
        return typing.Union[tuple(_fast_type(part, bounded=bounded) for part in parts)]  # noqa: UP007 - at run time
    if origin in {list, dict, tuple}:
        return cast("Any", origin)[tuple(_fast_type(part, bounded=bounded) for part in parts)]
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return fast(hint) if bounded else trusted(hint)
    return cast("Any", hint)


def _fast_annotated(hint: Any, *, bounded: bool) -> Any:
    inner, *marks = get_args(hint)
    if inner is Decimal:
        return Annotated[str, msgspec.Meta(pattern=fast_pattern(pattern_of(hint)))] if bounded else str
    bounds: dict[str, Any] = {}
    for mark in marks:
        for rule in mark.metadata if isinstance(mark, FieldInfo) else ():
            bounds.update({edge: getattr(rule, edge) for edge in _EDGES if hasattr(rule, edge)})
    kind = _fast_type(inner, bounded=bounded)
    return Annotated[kind, msgspec.Meta(**bounds)] if bounds and bounded else kind
