"""Writes an event as the bus gets it in one step: command, headers and body. Pure.

The function that does it is generated from the event's model, once for each kind, as dataclasses generate theirs; an
instrument's constants are bound to it as JSON that is written once. What is in any way unusual (an id with a quotation
mark, a time that cannot be) takes the long way through the struct and the codec, so that there is one rule for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Raw

from contracts import codec
from contracts.codec import EVENTS, KIND_SUBJECTS, fast, schema_of
from contracts.errors import FrameError
from contracts.numbers import DAY_NS, INT64_MAX, INT64_MIN
from contracts.subjects import HEADER_MESSAGE_ID, HEADER_SCHEMA, KINDS_WITHOUT_HEADERS
from producers.normalize.messages import DETAILS, Change, Message, Route
from producers.normalize.writing import Layout, is_compiled, make_compiled
from runtime.nats.lanes.message import header, make_parts

LONGEST_ID: Final = 256
UNLESS_SAID: Final = {"is_snapshot": False, "closed": False, "sampled": False}  # of fields that the contract requires
_MOST_SIZES: Final = 20_000
_END_BITS: Final = 32  # no id ends beyond
_BEFORE_ID: Final = len('{"id":"')
_encode: Final = msgspec.json.Encoder().encode
Make = Callable[..., Any]


def make_writer(route: Route, tail: str, constants: dict[str, Any], make: Make, *, numbered: str | None = None) -> Make:
    """Return the writer of one instrument's events of a kind; it takes the fields that are no constants by name.

    `numbered`: what an id begins with whose other part is a number. It takes a `number` then instead of an id.

    `make` makes the struct, or an `Unreadable`, of what is unusual. Candles, of which no producer publishes any, are
    written from their structs.
    """
    kind = route.kind

    def unusual(**values: Any) -> Any:
        event = make(**values)
        return event if event.kind == "unreadable" else write_event(event, tail, route)

    if kind == "candle":
        return unusual
    if numbered is not None:
        unusual = by_numbers(kind, numbered, unusual)
        if not is_plain_id(numbered):
            return unusual
    build = _builder(kind, tuple(sorted(constants)), numbered is not None)
    write = build((tail, numbered or ""), constants, route, unusual)
    if not is_compiled():
        return write
    return make_compiled(write, route, _layout(kind, tail, constants, numbered))


def _layout(kind: str, tail: str, constants: dict[str, Any], numbered: str | None) -> Layout:
    """Return what messages are made of, and by which names their values are given."""
    hints = _hints(kind)
    groups = _groups(list(hints), tuple(constants))
    fields = tuple((group[0], _raw(constants, group) if group[0] in constants else None) for group in groups)
    made = set[str]() if numbered is None else {"id", "trade_id"}
    values = {"number": ...} if numbered is not None else dict[str, Any]()
    for name, constant in fields:
        if constant is None and name not in made:
            values[name] = _default(kind, name, hints[name])
    command = "PUB" if kind in KINDS_WITHOUT_HEADERS else "HPUB"
    return Layout(f"{command} {KIND_SUBJECTS[kind]}{tail} ", _head_of(kind), fields, values, constants, numbered)


@cache
def _hints(kind: str) -> dict[str, Any]:
    """Return the fields that a producer writes, with their types; what is left out unless true is none of them."""
    left_out = {name for name, info in EVENTS[kind].model_fields.items() if info.exclude_if is not None}
    hints = get_type_hints(fast(EVENTS[kind]), include_extras=True)
    return {name: hint for name, hint in hints.items() if name not in left_out}


def by_numbers(kind: str, prefix: str, make: Make) -> Make:
    """Return a maker that takes a `number`, of one that takes an id; FrameError where it is no such."""

    def make_by_number(*, number: int, **values: Any) -> Any:
        if not 0 <= number <= INT64_MAX:
            raise FrameError(f"the number of a {kind} is no int64, or negative: {number}", field="number")
        text = str(number)
        return make(id=prefix + text, trade_id=text, **values) if kind == "trade" else make(id=prefix + text, **values)

    return make_by_number


def is_plain_id(text: str) -> bool:
    """Return whether a text may begin an id as it is."""
    return text.isascii() and text.isprintable() and not {'"', "\\"} & {*text} and len(text) <= LONGEST_ID // 2


def write_event(event: Any, tail: str, route: Route | None = None) -> Message:
    """Return the message of a struct: what a writer returns at once. Without a route it gets one of its own."""
    kind: str = event.kind
    length = f"{event.timeframe}." if kind == "candle" else ""
    headers = kind not in KINDS_WITHOUT_HEADERS
    parts = make_parts(
        f"{KIND_SUBJECTS[kind]}{length}{tail}",
        codec.encode(event),
        schema=schema_of(EVENTS[kind]) if headers else None,
        msg_id=event.id if headers else None,
    )
    values = tuple(getattr(event, name) for name in DETAILS.get(kind, ()))
    detail = (Change(*values) if kind == "delta" else values) or None
    return Message(route or Route(kind, event.symbol), parts, detail)


def _head_of(kind: str) -> str:
    """Return the headers of a kind's events up to the id; empty where it has none."""
    if kind in KINDS_WITHOUT_HEADERS:
        return ""
    return f"NATS/1.0\r\n{header(HEADER_SCHEMA, schema_of(EVENTS[kind]))}{HEADER_MESSAGE_ID}: "


class _Sizes:
    """The text between subject and id, or between subject and body, by the sizes that it names."""

    def __init__(self, kind: str) -> None:
        self._head = _head_of(kind)
        self.known: dict[int, bytes] = {}

    def make(self, size: int, end: int) -> bytes | None:
        """Make it for a body of so many bytes, in which the id ends at `end`; None where no id may end there."""
        if not _BEFORE_ID < end <= _BEFORE_ID + LONGEST_ID:
            return None
        if len(self.known) >= _MOST_SIZES:
            self.known.clear()
        if not self._head:
            text = f"{size}\r\n"
        else:
            headers = len(self._head) + end - _BEFORE_ID + len("\r\n\r\n")
            text = f"{headers} {headers + size}\r\n{self._head}"
        found = self.known[size << _END_BITS | end] = text.encode()
        return found


@cache
def _builder(kind: str, fixed: tuple[str, ...], numbered: bool) -> Callable[..., Make]:  # noqa: FBT001 - a cache's key
    """Compile the function that binds an instrument's constants to a writer."""
    hints = _hints(kind)
    groups = _groups(list(hints), fixed)
    sizes = _Sizes(kind)
    space: dict[str, Any] = {
        "Wire": _wire(kind, hints, groups),
        "encode": _encode,
        "raw": _raw,
        "groups": groups,
        "Change": Change,
        "known": sizes.known.get,
        "make_sizes": sizes.make,
        "Message": Message,
    }
    exec(compile(_source(kind, hints, groups, fixed, numbered=numbered), f"<writer of {kind}>", "exec"), space)  # noqa: S102 - of our own models
    return space["bind"]


def _groups(names: list[str], fixed: tuple[str, ...]) -> list[list[str]]:
    """Return the fields in order, those that are constants and follow each other together."""
    groups: list[list[str]] = []
    for name in names:
        if name in fixed and groups and groups[-1][0] in fixed:
            groups[-1].append(name)
        else:
            groups.append([name])
    return groups


def _wire(kind: str, hints: dict[str, Any], groups: list[list[str]]) -> type[Any]:
    """Return the struct that is encoded: a group of constants is one field, named as its first one."""
    fields = [(group[0], hints[group[0]]) for group in groups]
    return msgspec.defstruct(f"Wire_{kind}", fields, gc=False, frozen=True)


def _raw(constants: dict[str, Any], group: list[str]) -> Raw:
    """Return a group of constants as JSON: the first one's value, and the others with their names."""
    texts = [_encode(constants[name]).decode() for name in group]
    return Raw(",".join([texts[0], *(f'"{name}":{text}' for name, text in zip(group[1:], texts[1:], strict=True))]))


def _source(
    kind: str, hints: dict[str, Any], groups: list[list[str]], fixed: tuple[str, ...], *, numbered: bool
) -> str:
    """Return the source of `bind((tail, prefix), constants, route, unusual)`, which returns the writer."""
    headers = kind not in KINDS_WITHOUT_HEADERS
    free = [group[0] for group in groups if group[0] not in fixed]
    values = [group[0] if group[0] in free else f"c{place}" for place, group in enumerate(groups)]
    details = ", ".join(DETAILS.get(kind, ()))
    detail = f"Change({details})" if kind == "delta" else f"({details})" if details else "None"
    texts = {"id", "trade_id"} if numbered else set[str]()
    given = ["number"] if numbered else []
    given += [name for name in free if name not in texts]
    unusual = f"return unusual({', '.join(f'{name}={name}' for name in given)})"
    between = f"body[{_BEFORE_ID}:end], b'\\r\\n\\r\\n', " if headers else ""
    parameters = [name if name == "number" else _parameter(kind, name, hints[name]) for name in given]
    lines = [
        "def bind(names, constants, route, unusual):",
        "    tail, prefix = names",
        *(f"    c{place} = raw(constants, groups[{place}])" for place, group in enumerate(groups) if group[0] in fixed),
        *(f"    {name} = constants[{name!r}]" for name in DETAILS.get(kind, ()) if name in fixed),
        f"    begin = ({('HPUB ' if headers else 'PUB ') + KIND_SUBJECTS[kind]!r} + tail + ' ').encode()",
        f"    base = {_BEFORE_ID} + len(prefix)",
        f"    def write(*, {', '.join(parameters)}):",
        *(_number_lines(kind) if numbered else ()),
        f"        if {' or '.join(_guards(free, hints, numbered=numbered))}:",
        f"            {unusual}",
        f"        body = encode(Wire({', '.join(values)}))",
        "        size = len(body)",
        *(("        end = base + len(text)",) if numbered else _id_lines(unusual)),
        f"        sizes = known(size << {_END_BITS} | end) or make_sizes(size, end)",
        "        if sizes is None:",
        f"            {unusual}",
        f"        return Message(route, (begin, sizes, {between}body, b'\\r\\n'), {detail})",
        "    return write",
    ]
    return "\n".join(lines)


def _number_lines(kind: str) -> list[str]:
    """Return the lines that make the id of a number."""
    text = "text = trade_id" if kind == "trade" else "text"
    return [f"        {text} = str(number)", "        id = prefix + text"]


def _id_lines(unusual: str) -> list[str]:
    """Return the lines that find out whether the id was encoded as it is."""
    return [
        f"        end = {_BEFORE_ID} + len(id)",
        "        if body[end] != 34 or body[end - 1] == 92 or 127 in body:",
        f"            {unusual}",
    ]


def _parameter(kind: str, name: str, hint: Any) -> str:
    """Return a parameter, with its default where it has one."""
    default = _default(kind, name, hint)
    return name if default is ... else f"{name}={default!r}"


def _default(kind: str, name: str, hint: Any) -> Any:
    """Return a parameter's default: the model's, or None where that may be its value; Ellipsis for none."""
    field = EVENTS[kind].model_fields[name]
    if not field.is_required():
        return field.default
    if name in UNLESS_SAID:
        return UNLESS_SAID[name]
    return None if NoneType in get_args(hint) else ...


def _guards(free: list[str], hints: dict[str, Any], *, numbered: bool) -> list[str]:
    """Return what makes an event unusual before it is encoded: times and integers that cannot be."""
    found = [f"(ts_event is not None and not 0 < ts_event <= ts_recv + {DAY_NS})"]
    if numbered:
        found.append(f"not 0 <= number <= {INT64_MAX}")
    elif "trade_id" in free:
        found.append(f"not (trade_id and id.endswith(trade_id) or trade_id.isalnum()) or len(trade_id) > {LONGEST_ID}")
    for name in free:
        if name not in {"ts_event", "ts_recv"} and _is_integer(hints[name]):
            optional = f"{name} is not None and " if NoneType in get_args(hints[name]) else ""
            found.append(f"({optional}not {INT64_MIN} <= {name} <= {INT64_MAX})")
    return found


def _is_integer(hint: Any) -> bool:
    if get_origin(hint) in {Union, UnionType}:
        hint = next(part for part in get_args(hint) if part is not NoneType)
    return get_origin(hint) is Annotated and get_args(hint)[0] is int
