"""The compiled splitting of chunks: random and damaged lines of the bus, in any pieces, split as Python does."""

from __future__ import annotations

import random
from collections.abc import Iterable
from types import ModuleType
from typing import Any, Final

NAME: Final = "runtime.nats.lanes.compiled.framing"
SUBJECTS: Final = (b"md.v1.trade.a.B.C.spot", b"s", b"\xff", b"_INBOX.a.7", b"", b"md.v1.book.kraken.BTC.USD.spot")
NUMBERS: Final = (b"1", b"1", b"2", b"7", b"", b"01")
REPLIES: Final = (b"", b"", b"$JS.ACK.x.1.2", b"_INBOX.a")
HEADS: Final = (b"", b"", b"NATS/1.0\r\nA: b\r\n\r\n", b"NATS/1.0\r\n\r\n")
PAYLOADS: Final = (b"", b"hello", b"a\r\nMSG s 1 5\r\nb", b"x" * 5000, b"\x00\n", b"MSG", b"\r\n")
SIZES: Final = (b"0", b"1", b"5", b"05", b"-5", b"+5", b"1_0", b"x", b"", b"4096", b"999999999", b"12345678901")
KINDS: Final = (b"MSG", b"HMSG", b"MSGS", b"H", b"M", b"PING", b"+OK", b"")
ENDS: Final = (b"\r\n", b"\r\n", b"\n", b"", b"\r")
NO_CHUNKS: Final = (("text", 0), (b"MSG", -1), (None, 0), (bytearray(b"MSG s 1 1\r\na\r\n"), 0))


class Chunks:
    """Random chunks: messages, lines that are nearly such, and both with bytes changed."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def message(self) -> bytes:
        """Return a message as the server writes it."""
        choice = self._rng.choice
        head, payload, reply = choice(HEADS), choice(PAYLOADS), choice(REPLIES)
        words = [choice(SUBJECTS[:4]), choice(NUMBERS[:4]), *([reply] if reply else [])]
        sizes = [b"%d" % len(head), b"%d" % (len(head) + len(payload))] if head else [b"%d" % len(payload)]
        return b" ".join([b"HMSG" if head else b"MSG", *words, *sizes]) + b"\r\n" + head + payload + b"\r\n"

    def odd(self) -> bytes:
        """Return a line of words that are there in any number and order, and something behind it."""
        rng = self._rng
        words = rng.choices((*SUBJECTS, *NUMBERS, *REPLIES), k=rng.randint(0, 4))
        sizes = rng.choices(SIZES, k=rng.randint(0, 3))
        return b" ".join([rng.choice(KINDS), *words, *sizes]) + rng.choice(ENDS) + rng.choice((*PAYLOADS, *HEADS))

    def chunk(self) -> bytes:
        """Return several of them, sometimes damaged or cut."""
        rng = self._rng
        parts = [self.odd() if rng.random() < 0.15 else self.message() for _ in range(rng.randint(0, 6))]
        chunk = bytearray(b"".join(parts))
        if chunk and rng.random() < 0.3:
            for _ in range(rng.randint(1, 3)):
                chunk[rng.randrange(len(chunk))] = rng.choice((*b"MH \r\n0129-", rng.randrange(256)))
        if rng.random() < 0.3:
            del chunk[rng.randrange(len(chunk) + 1) :]
        return bytes(chunk)


def _said(split: Any, data: Any, at: int, lines: Any) -> Any:
    try:
        return split(data, at, lines)
    except (ValueError, IndexError) as error:  # of a line that no server writes
        return type(error)


def play(module: ModuleType, rounds: Iterable[int], seed: int) -> None:
    """Do an operation each round; raises AssertionError where both forms differ."""
    from runtime.nats.lanes import framing  # noqa: PLC0415 - it is what is played with that is loaded before

    compiled: Any = module
    rng = random.Random(seed)
    chunks = Chunks(rng)
    mine = framing.Lines({b"1": "a lane", b"2": "another", b"7": "a lane"}, {}, 5)
    theirs = mine._replace(places={})
    for done in rounds:
        data = chunks.chunk()
        at = 0 if rng.random() < 0.8 else rng.randrange(len(data) + 1)
        found = _said(compiled.split, data, at, mine), _said(framing.split, data, at, theirs)
        assert found[0] == found[1], (seed, done, data, at, found)
        assert len(mine.places) <= mine.most
        if rng.random() < 0.01:
            _refused(compiled, rng, mine)


def _refused(compiled: Any, rng: random.Random, lines: Any) -> None:
    """Give it what is no chunk: an error, whatever it is."""
    data, at = rng.choice(NO_CHUNKS)
    spoilt = rng.choice((lines, (), (1, 2, 3), ({b"1": "a"}, {b"s 1": 5}, 3), (*lines, 1)))
    try:
        compiled.split(data, at, spoilt)
    except (TypeError, ValueError):
        return
    raise AssertionError((data, at, spoilt))
