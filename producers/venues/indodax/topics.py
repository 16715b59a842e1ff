"""What the decoder of one Indodax connection keeps of a pair, and its position in each channel's stream."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.instrument import Instrument
from producers.normalize.events import Makers
from producers.venues.indodax import wire


class Topic:
    """A pair of one connection: the blanks of its events, and the decoders of its books."""

    __slots__ = ("books", "instrument", "make", "tail")

    def __init__(self, instrument: Instrument, pair: str, *, makers: Makers) -> None:
        self.instrument = instrument
        self.tail = instrument.tail
        self.make = makers.of(instrument)
        self.books = wire.book_decoders(pair.removesuffix(instrument.quote.lower()))


@dataclass(slots=True)
class Stream:
    """One channel's stream. Within an `epoch` offsets count up by one; `pair` is known from its first push on.

    `fresh`: whether the last push was no repetition; `had`: where the stream stood when it was subscribed again.
    """

    epoch: str | None = None
    offset: int | None = None
    pair: str | None = None
    fresh: bool = True
    had: int = -1

    def on_push(self, offset: int | None) -> tuple[bool, str | None]:
        """Step to a pushed publication; return whether it is new, and what was lost before it.

        The same offset again is a repetition. A smaller one means that the stream began again.
        """
        before, self.offset = self.offset, self.offset if offset is None else offset
        self.fresh = offset is None or offset != before
        if offset is None or before is None or offset == before + 1:
            return True, None
        if not self.fresh:
            return False, None
        if offset < before:
            return True, f"the stream began again at {offset} after {before}"
        return True, f"publications {before + 1} to {offset - 1} were not received"

    def known_up_to(self, result: wire.Result) -> int:
        """Return the offset up to which what was missed is known already; parts of an answer go by the whole one."""
        if result.part:
            return self.had
        return self.offset if self.offset is not None and result.epoch == self.epoch else -1

    def on_answer(self, result: wire.Result) -> str | None:
        """Take the position of a fresh subscription; return what was lost since the last one."""
        before, epoch = self.offset, self.epoch
        self.had = self.known_up_to(result)
        self.offset, self.epoch = result.offset, result.epoch
        if before is None or result.offset is None:
            return None
        if epoch is not None and result.epoch != epoch:
            return f"the stream began again: what came after {before} is not known"
        if result.recovered or result.offset == before:
            return None
        return f"publications {before + 1} to {result.offset} were not recovered"
