"""Where a connection stands in the venue's streams: what is a repetition, and what was lost."""

from __future__ import annotations

from dataclasses import dataclass

from producers.venues.indodax.wire import Result


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
            return True, f"the stream began anew at {offset} after {before}"
        return True, f"publications {before + 1} to {offset - 1} were not received"

    def known_up_to(self, result: Result) -> int:
        """Return the offset up to which what was missed is known already; parts of an answer go by the whole one."""
        if result.part:
            return self.had
        return self.offset if self.offset is not None and result.epoch == self.epoch else -1

    def on_answer(self, result: Result) -> str | None:
        """Take the position of a fresh subscription; return what was lost since the last one."""
        before, epoch = self.offset, self.epoch
        self.had = self.known_up_to(result)
        self.offset, self.epoch = result.offset, result.epoch
        if before is None or result.offset is None:
            return None
        if epoch is not None and result.epoch != epoch:
            return f"the stream began anew: what came after {before} is not known"
        if result.recovered or result.offset == before:
            return None
        return f"publications {before + 1} to {result.offset} were not recovered"
