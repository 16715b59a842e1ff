"""One subscribed Bitfinex channel: what it is about, and what its frames have said so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from contracts.instrument import Instrument
from producers.normalize.events import InstrumentMakers, Makers
from producers.venue import Decoded

Decode = Callable[["Channel", bytes, int], Sequence[Decoded]]


@dataclass(slots=True)
class Channel:
    """A channel of one connection. `detail` is a candle's time frame.

    `one` decodes a frame with one row, `many` one with several. `seq` numbers the book's last change, None where the
    frames have no numbers; `broken`: a frame of the connection was lost since. `before` is the newest trade that was
    received before this connection; with `gives_history` all the prints with which the channel begins become events.
    `blanks` are there where the channel is about one instrument.
    """

    kind: str
    instrument: Instrument | None
    one: Decode
    many: Decode
    makers: Makers
    stamp: Callable[[Any], tuple[int | None, int | None]]
    detail: str = ""
    tail: str = ""
    seq: int | None = None
    broken: bool = False
    newest: int | None = None
    before: int | None = None
    gives_history: bool = True
    make: InstrumentMakers = field(init=False)

    def __post_init__(self) -> None:
        if self.instrument is not None:
            self.tail = self.instrument.tail
            self.make = self.makers.of(self.instrument)

    def native(self, frame: bytes, seq: int | None, ts: int | None) -> str:
        """Name a frame that has no id of the venue's: numbers begin again with each connection, but times go on."""
        return f"{ts or 0}-{crc32(frame):08x}" if seq is None or ts is None else f"{ts}-{seq}"
