"""Samples of books: of each instrument one in so many seconds, cut, onto a stream that keeps them for hours.

Walls are decided from the samples as the stream has them, so that what was decided can be decided again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from contracts import codec, subjects
from contracts.recent import Recent
from runtime import clock
from runtime.app.explaining.trace import Recorded
from runtime.nats.lanes.publisher import LanePublisher
from runtime.nats.lanes.reader import UNDECODABLE, read_event
from runtime.nats.streams.reader import Row

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
LEVELS: Final = 25  # of each side
_SUBJECTS: Final = 20_000
_QUALITIES: Final = frozenset({"live", "sim"})


class BookSampler:
    """Publishes the first live book of each instrument in every `every` ns of our clock."""

    def __init__(self, every: int, lane: LanePublisher) -> None:
        self._every, self._lane = every, lane
        self._taken: Recent[str, int] = Recent(_SUBJECTS)
        self.published = 0

    def decode(self, subject: str, body: bytes) -> FastEvent | None:
        """Return a book that is due; None for every other one, and for what is no book: others keep that."""
        if subject.startswith(subjects.CONSOLIDATED_BOOK):
            return None
        now = clock.now_ns()
        if self._taken.get(subject) == now // self._every:
            return None
        try:
            book = codec.decode(subject, body, now)
        except UNDECODABLE:
            return None
        if book.quality not in _QUALITIES:
            return None
        self._taken.put(subject, now // self._every)
        return book

    def on_batch(self, batch: Sequence[tuple[str, FastEvent | None]]) -> None:
        """Publish the samples of a batch."""
        for subject, book in batch:
            if book is not None:
                self._lane.publish(sample_subject(subject), codec.encode(cut(book)), schema=None, msg_id=book.id)
                self.published += 1


def cut(book: FastEvent) -> FastEvent:
    """Return a book's best levels; the checksums were of more."""
    return msgspec.structs.replace(
        book, bids=book.bids[:LEVELS], asks=book.asks[:LEVELS], checksum=None, venue_checksum=None
    )


def sample_subject(subject: str) -> str:
    """Return the subject of a book's samples."""
    return subjects.SAMPLE_BOOK + subject.removeprefix(subjects.BOOK)


def read_sample(subject: str, body: bytes) -> FastEvent:
    """Decode a sampled book; raises one of UNDECODABLE."""
    return read_event(subjects.BOOK + subject.removeprefix(subjects.SAMPLE_BOOK), body)


def decode_samples(rows: Sequence[Row]) -> list[Recorded]:
    """Return the samples of rows; those that cannot be read were left out when they came."""
    found: list[Recorded] = []
    for row in rows:
        subject, position = row.subject.decode(errors="backslashreplace"), row.position
        try:
            found.append(Recorded(position.time_ns, subject, read_sample(subject, row.payload), position.stream_seq))
        except UNDECODABLE:
            continue
    return found
