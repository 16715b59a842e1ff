"""The compiled form of a writer, where it was built (`make venv`): the same as the generated one in fewer steps.

Who wants the generated one although the other is there sets `sys.modules["producers.normalize.compiled.writing"]` to
None before anything here is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from sys import intern
from typing import TYPE_CHECKING, Any, Final

from msgspec import Raw

from contracts.numbers import DAY_NS
from producers.normalize.messages import DETAILS, Change, Message, Route
from runtime.nats.lanes.message import END

if TYPE_CHECKING:
    from producers.normalize.compiled.writing import Writer

    COMPILED: bool
else:
    try:
        from producers.normalize.compiled.writing import Writer
    except ImportError:
        Writer = None
    COMPILED = Writer is not None

Make = Callable[..., Any]
_DELETE: Final = 0x7F
_NUMBER: Final = "number"
_MADE: Final = frozenset({"id", "trade_id"})  # of a number, where there is one


@dataclass(frozen=True, slots=True)
class Layout:
    """What the messages of an instrument and kind are made of.

    `command` and its subject, and `head`, the headers up to the id, empty where there are none. `fields` are the body's
    in order: a group of constants as JSON by its first name, None for a value. `values` are those that are given, with
    their defaults, Ellipsis where there is none. `prefix`: what an id begins with whose other part is the first value,
    a number.
    """

    command: str
    head: str
    fields: tuple[tuple[str, Raw | None], ...]
    values: dict[str, Any]
    constants: dict[str, Any]
    prefix: str | None


def is_compiled() -> bool:
    """Return whether writers are compiled."""
    return COMPILED


def make_compiled(python: Make, route: Route, layout: Layout) -> Make:
    """Return the compiled form of the writer `python`, which writes whatever is unusual."""
    pieces = tuple(_pieces(layout.fields))
    shown = DETAILS.get(route.kind, ())
    fixed = [name for name in shown if name in layout.constants]  # values that nobody gives
    names = [*layout.values, *(f"({name})" for name in fixed)]
    places = {name: place for place, name in enumerate([*layout.values, *fixed])}
    if layout.prefix is not None:
        places |= dict.fromkeys(_MADE, places[_NUMBER])
    if any(_DELETE in piece for piece in pieces):
        return python
    return Writer(
        python,
        Message,
        route,
        (layout.command.encode(), layout.head.encode(), pieces, END),
        (
            tuple(map(intern, names)),
            (*layout.values.values(), *(layout.constants[name] for name in fixed)),
            tuple(places[name] for name, constant in layout.fields if constant is None),
            None if layout.prefix is None else layout.prefix.encode(),
        ),
        (Change if route.kind == "delta" else None, tuple(places[name] for name in shown) or None),
        DAY_NS,
        places["trade_id"] if layout.prefix is None and "trade_id" in places else -1,
    ).write


def _pieces(fields: Iterable[tuple[str, Raw | None]]) -> Iterable[bytes]:
    """Yield the JSON before each value, and that behind the last one."""
    text, comma = b"{", b""
    for name, constant in fields:
        text += comma + b'"' + name.encode() + b'":'
        comma = b","
        if constant is None:
            yield text
            text = b""
        else:
            text += bytes(constant)
    yield text + b"}"
