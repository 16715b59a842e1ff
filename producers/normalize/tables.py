"""Tables of a channel's plain frames, by which the compiled reader makes their events without the venue's decoder.

A table says which field becomes which value of an event. It is never needed: a frame that is not as plain as the table
(a field is missing or null that need not be, a number has an exponent, a text an escape) goes to the venue's function,
which every channel has, and which alone says what such a frame means. So does every frame where nothing is compiled.
Both give the same bytes; `tests/producers/test_tables.py` plays every venue's frames, and damaged ones, to both. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from contracts.instrument import Instrument
from producers.normalize.writing import is_compiled

if TYPE_CHECKING:
    from producers.normalize.compiled.writing import Plan, Reader, Writer
else:
    try:
        from producers.normalize.compiled.writing import Plan, Reader, Writer
    except ImportError:
        Plan = Reader = Writer = None

Decode = Callable[[bytes, int], Any]  # (frame, ts_recv) -> events
Make = Callable[..., Any]
MakersOfEvents = Sequence[tuple[Make, str]]  # for each event of a table its maker and what its id begins with
_Kind = IntEnum(
    "_Kind", "NAME DIGITS PRICE AMOUNT SIGNED INTEGER CHOICE SCALED EITHER DATE SPAN COINS PERCENT ID", start=0
)  # as in reading.h
_Target = IntEnum("_Target", "FIELD OBJECT ROWS ONLY", start=0)
_LISTS: Final = {"]": _Target.ROWS, "0]": _Target.ONLY}
_Part = IntEnum("_Part", "FIELD TIME FRAME FIGURES", start=0)
_TEXT: Final = ord("s")
_NUMBER: Final = ord("n")
_FLAG: Final = ord("b")
FRAME: Final = (_Part.FRAME, "")
TIME: Final = (_Part.TIME, "")


@dataclass(frozen=True, slots=True)
class Value:
    """One value of an event, or a check: what is made of the field at `path` (`data[].p`, as errors name it).

    `or_null`: null where the field is absent, null or empty, and a price where it is zero.
    """

    kind: _Kind
    path: str = ""
    form: int = _TEXT
    or_null: bool = False
    beside: str = ""
    scale: int = 1
    words: tuple[tuple[bytes, bytes | None], ...] = ()
    parts: tuple[tuple[_Part, str], ...] = ()

    def paths(self) -> list[str]:
        """Return all fields that it reads."""
        return [path for path in (self.path, self.beside, *(path for _, path in self.parts)) if path]


def name(path: str) -> Value:
    """Return a text as it is."""
    return Value(_Kind.NAME, path)


def digits(path: str, *, text: bool = True) -> Value:
    """Return a number's digits as text; `text` says whether it comes as one."""
    return Value(_Kind.DIGITS, path, _form(text=text))


def price(path: str, *, text: bool = True, or_null: bool = False) -> Value:
    """Return a price, above zero."""
    return Value(_Kind.PRICE, path, _form(text=text), or_null)


def amount(path: str, *, text: bool = True, or_null: bool = False, of_price: str = "") -> Value:
    """Return an unsigned number; null where there is no price at `of_price`."""
    return Value(_Kind.AMOUNT, path, _form(text=text), or_null, of_price)


def coins(path: str, *, text: bool = True, or_null: bool = False, of_price: str = "") -> Value:
    """Return the amount of a size that may be in contracts, in the base coin (`producers.normalize.sizes.amount`)."""
    return Value(_Kind.COINS, path, _form(text=text), or_null, of_price)


def signed(path: str, *, text: bool = True, or_null: bool = False) -> Value:
    """Return a number of either sign."""
    return Value(_Kind.SIGNED, path, _form(text=text), or_null)


def percent(path: str, *, or_null: bool = False) -> Value:
    """Return a fraction as percent, exactly, without zeros at its end."""
    return Value(_Kind.PERCENT, path, or_null=or_null)


def integer(path: str, *, or_null: bool = False) -> Value:
    """Return an integer of 0 and more."""
    return Value(_Kind.INTEGER, path, _NUMBER, or_null)


def chosen(path: str, words: Mapping[str, str | None] | Mapping[bool, str], *, or_absent: bool = False) -> Value:
    """Return what stands for one of these words, or of true and false; as a check, hold a field to them."""
    flags = all(isinstance(word, bool) for word in words)
    pairs = tuple((str(word).lower().encode() if flags else str(word).encode(), None if text is None else text.encode())
                  for word, text in words.items())  # fmt: skip
    return Value(_Kind.CHOICE, path, _FLAG if flags else _TEXT, or_absent, words=pairs)


def span(path: str) -> Value:
    """Return the number of a range of one (`7-7`)."""
    return Value(_Kind.SPAN, path)


def time(path: str, unit: int, *, text: bool = False, or_null: bool = False) -> Value:
    """Return a time in a `unit` of so many ns."""
    return Value(_Kind.SCALED, path, _form(text=text), or_null, scale=unit)


def either_time(path: str, *, or_null: bool = False) -> Value:
    """Return a time in ms, or in microseconds where it is too long for that."""
    return Value(_Kind.EITHER, path, _NUMBER, or_null)


def date(path: str, *, or_null: bool = False) -> Value:
    """Return a time like `2026-11-21T20:00:00.122581Z`."""
    return Value(_Kind.DATE, path, or_null=or_null)


def ident(*parts: str | tuple[_Part, str], figures: Sequence[str] = (), or_zero: bool = False) -> Value:
    """Return an id: the instrument's prefix and these parts, joined by dashes.

    A part is a field (`or_zero`: 0 where it is absent or null), `TIME`, the event's in ns or 0, or `FRAME`, a checksum
    of the frame; `figures` are fields of which one checksum is the last part.
    """
    given = [(_Part.FIELD, part) if isinstance(part, str) else part for part in parts]
    given += [(_Part.FIGURES, path) for path in figures]
    return Value(_Kind.ID, or_null=or_zero, parts=tuple(given))


def _form(*, text: bool) -> int:
    return _TEXT if text else _NUMBER


@dataclass(frozen=True)
class Table:
    """What the plain frames of a channel become: for each event its values by their names.

    `checks` hold fields to what they must be. Paths with `[]` are of rows, each of which makes its events; those with
    `[0]` of a list's only row: a frame with more is not plain. `owner` is the field that names the instrument, where a
    channel's frames are of several. `only_with`: for each event the fields of which one must be there, or none.

    `merged`: the object whose texts are remembered from frame to frame until the frame's `type` is `snapshot`; then
    `only_with` asks for what a frame itself says. The first frame that is not plain ends that: `reader`'s `restore`
    gets what was said so far, by path, and the venue's function decodes whatever follows.
    """

    events: tuple[Mapping[str, Value], ...]
    checks: tuple[Value, ...] = ()
    owner: str = ""
    only_with: tuple[tuple[str, ...], ...] = ()
    merged: str = ""

    def reader(
        self,
        decode: Decode,
        makers: MakersOfEvents,
        instrument: Instrument | None = None,
        restore: Callable[[dict[str, str]], None] | None = None,
    ) -> Decode:
        """Return what decodes a channel of one instrument: this table's plain frames, and by `decode` all others.

        `coins` are those of the `instrument`.
        """
        if not is_compiled() or (plan := self._plan(makers, instrument)) is None:
            return decode
        return self._reader(decode, lambda _name: plan, restore)

    def reader_of_many(self, decode: Decode, find: Callable[[str], MakersOfEvents | None]) -> Decode:
        """Return what decodes a channel of several instruments.

        `find` returns the makers of the one that a frame names, None as long as `decode` has not met it.
        """
        if not is_compiled():
            return decode
        return self._reader(decode, lambda name: None if (makers := find(name)) is None else self._plan(makers))

    def _reader(
        self,
        decode: Decode,
        find: Callable[[str], Plan | None],
        restore: Callable[[dict[str, str]], None] | None = None,
    ) -> Decode:
        fields = self._fields
        outer = sum("[]" not in path for path in fields)
        owner = fields[self.owner] if self.owner else -1
        merged = [path for path in fields if self.merged and path.startswith(f"{self.merged}.")]
        merging = partial(_hand_over, restore, tuple(fields)), fields.get("type", 0), self._bits(merged)
        return Reader(decode, find, crc32, self._nodes, outer, len(fields), owner, merging).read

    def _bits(self, paths: Iterable[str]) -> int:
        return sum(1 << self._fields[path] for path in paths)

    @cached_property
    def _fields(self) -> dict[str, int]:
        """The fields' numbers by their paths: those of the frame first, then those of its rows."""
        values = [*self.checks, *(value for event in self.events for value in event.values())]
        needed = (path for paths in self.only_with for path in paths)
        paths = dict.fromkeys([self.owner, *(path for value in values for path in value.paths()), *needed])
        paths.pop("", None)
        return {path: at for at, path in enumerate(sorted(paths, key=lambda path: "[]" in path))}

    @cached_property
    def _nodes(self) -> tuple[tuple[tuple[bytes, int, int], ...], ...]:
        """The wanted keys of each object, the frame's first: (name, what it is, the number of its field or object)."""
        nodes: list[dict[str, tuple[int, int]]] = [{}]
        for path, at in self._fields.items():
            *steps, last = path.split(".")
            node = nodes[0]
            for step in steps:
                key, bracket, inside = step.partition("[")
                target = _LISTS[inside] if bracket else _Target.OBJECT
                if key not in node:
                    node[key] = target, len(nodes)
                    nodes.append({})
                node = nodes[node[key][1]]
            node[last] = _Target.FIELD, at
        return tuple(tuple((key.encode(), *target) for key, target in node.items()) for node in nodes)

    def _plan(self, makers: MakersOfEvents, instrument: Instrument | None = None) -> Plan | None:
        """Return what the compiled reader makes of an instrument's frames; None where its makers are not compiled."""
        writers = [getattr(make, "__self__", None) for make, _ in makers]
        found = [writer for writer in writers if isinstance(writer, Writer)]
        if len(found) < len(writers):
            return None
        given = zip(found, makers, self.events, self.only_with or ((),) * len(self.events), strict=True)
        return Plan(
            tuple(
                (
                    writer,
                    prefix.encode(),
                    self._bits(needed),
                    self._steps(writer, _sized(values, instrument), () if at else self.checks),
                )
                for at, (writer, (_, prefix), values, needed) in enumerate(given)
            )
        )

    def _steps(self, writer: Any, values: Mapping[str, Value], checks: Sequence[Value]) -> tuple[Any, ...]:
        """Return an event's steps: the id is made last, since its time may be in it."""
        given = sorted(values.items(), key=lambda item: item[1].kind == _Kind.ID)
        steps = [self._step(-1, check) for check in checks]
        return (*steps, *(self._step(writer.names.index(name), value) for name, value in given))

    def _step(self, place: int, value: Value) -> tuple[Any, ...]:
        number = self._fields
        parts = tuple((part, number.get(path, -1)) for part, path in value.parts)
        return (
            value.kind,
            place,
            number.get(value.path, 0),
            value.or_null,
            value.form,
            number.get(value.beside, -1),
            value.scale,
            value.words or parts,
        )


def _hand_over(
    restore: Callable[[dict[str, str]], None] | None, paths: Sequence[str], texts: Sequence[bytes | None]
) -> None:
    """Give what was remembered by its paths."""
    if restore is not None:
        restore({path: text.decode() for path, text in zip(paths, texts, strict=True) if text is not None})


def _sized(values: Mapping[str, Value], instrument: Instrument | None) -> Mapping[str, Value]:
    """Return values whose coins are those of an instrument: with what a contract is worth, or sizes as they are."""
    if instrument is None:
        return values
    if not instrument.sized_in_contracts:
        return {name: replace(value, kind=_Kind.AMOUNT) if value.kind == _Kind.COINS else value
                for name, value in values.items()}  # fmt: skip
    worth: tuple[tuple[bytes, None], ...] = (((instrument.contract_size or "").encode(), None),)
    way = 2 if instrument.is_inverse else 1
    return {name: replace(value, scale=way, words=worth) if value.kind == _Kind.COINS else value
            for name, value in values.items()}  # fmt: skip
