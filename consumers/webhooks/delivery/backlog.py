"""The rows of one endpoint while it is drained: pages read ahead, and those of single events kept for a while."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final

from consumers.webhooks.delivery.progress import Progress
from consumers.webhooks.store.events import EventStore
from consumers.webhooks.store.rows import Page, Row

_PAGES_AT_ONCE: Final = 20
_PAGES_KEPT: Final = 64


class Backlog:
    """Gives an endpoint's events in order; `find` gives any of them."""

    def __init__(self, events: EventStore, endpoint: str) -> None:
        self._events, self._endpoint = events, endpoint
        self._ahead: deque[tuple[Row, int]] = deque()  # read and not given yet, with where reading goes on after it
        self._given: dict[int, Row] = {}  # and not settled yet
        self._pages: OrderedDict[int, dict[int, Row]] = OrderedDict()
        self._more = True  # whether there may be pages that were not read

    async def take(self, progress: Progress) -> Row | None:
        """Return the next event that was not looked at; None where there is none now."""
        if not self._ahead and self._more:
            pages = await self._events.read_pages(self._endpoint, progress.page, _PAGES_AT_ONCE)
            self._more = bool(pages)
            for page in pages:
                self._read(page, progress.next)
        if not self._ahead:
            return None
        row, progress.page = self._ahead.popleft()
        progress.next = row.sequence + 1
        if row.digest is None:
            self._given[row.sequence] = row
        return row

    def _read(self, page: Page, first: int) -> None:
        begin, last = page.rows[0].sequence, page.rows[-1].sequence
        for row in page.rows:
            if row.sequence >= first:
                self._ahead.append((row, row.sequence + 1 if row.sequence == last else begin))

    async def rewind(self, progress: Progress, sequence: int) -> None:
        """Look at every event from a sequence on as if none was posted."""
        sequence = min(sequence, progress.next)
        for later in [one for one in progress.open if one >= sequence]:
            progress.settle(later)
        progress.next = progress.page = sequence
        page = await self._events.find_page(self._endpoint, sequence)
        for row in () if page is None else page.rows:
            if row.sequence >= sequence:
                progress.next = progress.page = row.sequence + 1
                if row.digest is None:
                    progress.look_at(row.sequence, row.lane)

    async def look_again(self, progress: Progress, sequences: list[int]) -> None:
        """Look at single events again."""
        for sequence in sequences:
            row = await self.find(sequence)
            if row is not None and sequence < progress.next:
                progress.look_at(sequence, row.lane)
        progress.open = dict(sorted(progress.open.items()))

    async def find(self, sequence: int) -> Row | None:
        """Return an event; None where it is not kept any more."""
        if (row := self._given.get(sequence)) is not None:
            return row
        for rows in self._pages.values():
            if (row := rows.get(sequence)) is not None:
                return row
        page = await self._events.find_page(self._endpoint, sequence)
        if page is None:
            return None
        rows = {row.sequence: row for row in page.rows}
        self._pages[page.rows[0].sequence] = rows
        if len(self._pages) > _PAGES_KEPT:
            self._pages.popitem(last=False)
        return rows.get(sequence)

    def forget(self, sequence: int) -> None:
        """Let go of an event that is settled."""
        self._given.pop(sequence, None)
