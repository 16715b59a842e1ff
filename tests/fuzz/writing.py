"""The compiled writer: random events of every kind, and random layouts, written as the generated writer does.

Its reader, which is of the same file, is played with in between (tests/fuzz/reading.py).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from msgspec import Raw

from contracts.errors import FrameError
from contracts.instrument import make_instrument
from contracts.numbers import DAY_NS, INT64_MAX, INT64_MIN
from tests.fuzz import reading

NAME: Final = "producers.normalize.compiled.writing"
NOW: Final = 1_800_000_000_000_000_000
INSTRUMENTS: Final = (
    make_instrument("kraken", "BTC/USD", "BTC/USD"),
    make_instrument("gate", '我踏马"/USDT', '我踏马"_USDT'),
)
TEXTS: Final = (
    "",
    "1",
    "91000.10",
    "buy",
    "é我",
    'a"b',
    "a\\",
    "\n",
    "\x7f",
    "\ud800",
    "x" * 255,
    "y" * 300,
    "-",
    "\x00",
)
IDS: Final = ("kraken.1", "a", "a" * 256, "a" * 257)
INTEGERS: Final = (0, 1, -1, 42, INT64_MAX, INT64_MIN, INT64_MAX + 1, INT64_MIN - 1, 2**70, True, None)
TIMES: Final = (None, NOW, NOW - 1, NOW + DAY_NS, NOW + DAY_NS + 1, 1, 0, -5, 2**63, 2**70)
RAW: Final = (Raw(b"[]"), Raw(b'[["1","2"]]'), Raw('[["1","2"],["3","0"]]'))
TEXT_FIELDS: Final = {  # besides the id and its times
    "trade": ("trade_id", "price", "amount", "contracts", "side"),
    "ticker": ("last", "bid", "bid_amount", "ask", "ask_amount", "open_24h", "high_24h", "low_24h", "volume_24h"),
    "book": ("quality",),
    "delta": ("unit",),
    "liquidation": ("price", "price_kind", "amount", "position_side", "order_side"),
    "funding": ("rate", "mark_price", "index_price"),
    "interest": ("amount", "value", "contracts"),
}
INTEGER_FIELDS: Final = {
    "trade": ("seq",),
    "ticker": ("seq",),
    "book": ("seq", "checksum", "venue_checksum"),
    "delta": ("seq", "prev_seq"),
    "funding": ("next_ts",),
}
REQUIRED: Final = {
    "trade": ("trade_id", "price"),
    "book": ("quality",),
    "liquidation": ("price", "price_kind"),
}
DRAWN: Final = 2000  # values of a sort
READS: Final = 1000  # frames that are read in one go, once in so many events
LEVELS: Final = {"book", "delta"}
FLAGS: Final = {"delta": "is_snapshot", "liquidation": "sampled"}
NUMBERED: Final = {"trade", "ticker", "delta"}


@dataclass(frozen=True, slots=True)
class Forms:
    """Both forms of a writer of the same kind and instrument."""

    kind: str
    numbered: bool
    compiled: Callable[..., Any]
    generated: Callable[..., Any]


def _made() -> Iterator[Forms]:
    from producers.normalize import writer  # noqa: PLC0415 - it takes what is played with, which is loaded before
    from producers.normalize.events import Makers  # noqa: PLC0415

    is_compiled = writer.is_compiled
    assert is_compiled()
    for instrument in INSTRUMENTS:
        for kind in TEXT_FIELDS:
            for numbered in (None, "kraken.7.") if kind in NUMBERED else (None,):
                made: list[Callable[..., Any]] = []
                for chosen in (is_compiled, lambda: False):
                    writer.is_compiled = chosen
                    made.append(Makers(sim=False, written=True).maker(kind, instrument, numbered=numbered))
                writer.is_compiled = is_compiled
                yield Forms(kind, numbered is not None, *made)


class Values:
    """Random values of events, most of them plain: drawn once, and then chosen from, which costs a tenth."""

    def __init__(self, rng: random.Random) -> None:
        self._random = rng.random
        self._shuffle = rng.shuffle
        self.texts = [_text(rng) for _ in range(DRAWN)]
        self.integers = [_integer(rng) for _ in range(DRAWN)]
        self.times = [rng.choice(TIMES) if rng.random() < 0.2 else NOW - rng.randrange(10**9) for _ in range(DRAWN)]
        self.levels = [_levels(rng) for _ in range(DRAWN)]
        self.ids = [rng.choice((*IDS, *TEXTS)) if rng.random() < 0.1 else f"kraken.{number}" for number in range(DRAWN)]
        self.numbers = [rng.choice(INTEGERS[:9]) if rng.random() < 0.1 else rng.randrange(2**63) for _ in range(DRAWN)]
        self.flags = [True, False]

    def one(self, pool: list[Any]) -> Any:
        """Return one of a pool."""
        return pool[int(self._random() * len(pool))]

    def event(self, kind: str, *, numbered: bool) -> dict[str, Any]:
        """Return an event's values by name, in any order, some left out."""
        one, rare, required = self.one, self._random() < 0.3, REQUIRED.get(kind, ())
        drawn: dict[str, Any] = {"number": one(self.numbers)} if numbered else {"id": one(self.ids)}
        drawn |= {"ts_recv": NOW, "ts_event": one(self.times)}
        drawn |= {name: one(self.texts) for name in TEXT_FIELDS[kind]}
        drawn |= {name: one(self.integers) for name in INTEGER_FIELDS.get(kind, ())}
        drawn |= {name: one(self.levels) for name in (("bids", "asks") if kind in LEVELS else ())}
        drawn |= {FLAGS[kind]: one(self.flags)} if kind in FLAGS else {}
        for name in required:
            drawn[name] = drawn[name] or "1"
        if numbered:
            drawn.pop("trade_id", None)
        if not rare:
            return drawn
        kept = {"id", "number", "ts_recv", "bids", "asks", *required}
        names = [name for name in drawn if name in kept or self._random() < 0.7]
        self._shuffle(names)
        return {name: drawn[name] for name in names}


def _text(rng: random.Random) -> str | None:
    """Return a number's text, None, or an odd one."""
    drawn = rng.random()
    if drawn < 0.9:
        return f"{rng.randrange(10 ** rng.randint(1, 12))}.{rng.randrange(100)}"
    if drawn < 0.98:
        return None
    return rng.choice(TEXTS) * rng.randint(0, 2) + rng.choice(TEXTS)


def _integer(rng: random.Random) -> int | None:
    return rng.choice(INTEGERS) if rng.random() < 0.1 else rng.randrange(-(2 ** rng.randint(1, 63)), 2**63)


def _levels(rng: random.Random) -> list[tuple[str, str]] | Raw:
    """Return levels as pairs or as JSON; a few have an odd text in them."""
    if rng.random() < 0.3:
        return rng.choice(RAW)
    levels = [(f"{rng.randrange(10**6)}.10", str(rng.randrange(99))) for _ in range(rng.choice((0, 1, 2, 5, 40)))]
    if levels and rng.random() < 0.05:
        levels[rng.randrange(len(levels))] = (rng.choice(TEXTS), rng.choice(TEXTS))
    return levels


def _said(write: Callable[..., Any], values: dict[str, Any]) -> Any:
    """Return what a message says, or what was refused in which words."""
    try:
        made = write(**values)
    except (FrameError, TypeError, ValueError) as error:
        return type(error), str(error)
    if made.kind == "unreadable":
        return "unreadable", str(made.error)
    return b"".join(made.parts), made.detail, made.route.kind, made.route.symbol


def play(module: ModuleType, rounds: Iterable[int], seed: int) -> None:
    """Do an operation each round; raises AssertionError where both forms differ."""
    rng = random.Random(seed)
    values, made = Values(rng), list(_made())
    for done in rounds:
        forms = rng.choice(made)
        given = values.event(forms.kind, numbered=forms.numbered)
        found = _said(forms.compiled, given), _said(forms.generated, given)
        assert found[0] == found[1], (seed, done, forms.kind, given, found)
        if done % 50 == 0:
            _try_layout(module, rng, values)
        if done % READS == 0:
            reading.play(module, range(READS), seed + done)


def _try_layout(module: Any, rng: random.Random, values: Values) -> None:
    """Make a writer of a random layout, most of which are none, and write with it what may be nothing it knows."""
    count, any_of = rng.randint(0, 26), [0, 1, 2, 3, 23, 24, 25, -1]
    slots = tuple(rng.choice(any_of) if rng.random() < 0.1 else rng.randrange(max(count, 1)) for _ in range(count))
    pieces = tuple(rng.choice((b"", b'{"id":', b"," * 300, b"}")) for _ in range(len(slots) + rng.choice((0, 1, 1, 1))))
    shown = rng.choice((None, (), (0,), (0, 1, 2), tuple(range(9)), (99,), 5))
    names = tuple(f"n{place}" for place in range(count))
    defaults = tuple(rng.choice((..., None, "a", 5)) for _ in range(count + rng.choice((0, 0, 0, 1))))
    try:
        made = module.Writer(
            lambda *_given, **_named: "left",
            lambda *parts: parts,
            "route",
            (b"HPUB s ", rng.choice((b"", b"NATS/1.0\r\nNats-Msg-Id: ")), pieces, b"\r\n"),
            (names, defaults, (0, *slots[1:]), rng.choice((None, b"a.", "text"))),
            (rng.choice((None, list, tuple)), shown),
            rng.choice((0, 100, 2**63 - 1)),
            rng.choice((-1, 0, 1, 25, -9)),
        )
    except (TypeError, ValueError):
        return
    pools = (values.texts, values.integers, values.levels, values.times)
    given = {name: values.one(rng.choice(pools)) for name in names}
    for kept in (given, {**given, "n0": "a", "n1": None, "n2": NOW}, {"other": 1}, {}):
        try:
            made.write(**kept)
        except (TypeError, ValueError):
            continue
