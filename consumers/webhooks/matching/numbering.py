"""Gives each event of an endpoint the next sequence, and makes the pages that are kept. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from consumers.webhooks.matching.coalescing import Matched
from consumers.webhooks.payloads.body import digest_fact, event_id, make_body
from consumers.webhooks.store.rows import MOST_ROWS, Page, Row


class Numbering:
    """The last sequence of each endpoint. What it gives must be kept, or everything begins again from what was kept."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def begin(self, endpoint: str, last: int) -> None:
        """Go on after a sequence."""
        self._last[endpoint] = last

    def last(self, endpoint: str) -> int | None:
        """Return the last sequence that was given; None for an endpoint that was not begun."""
        return self._last.get(endpoint)

    def forget(self, endpoint: str) -> None:
        """Let go of an endpoint that is no more."""
        self._last.pop(endpoint, None)

    def pages(self, groups: Iterable[Sequence[Matched]], owners: dict[str, str], now_ns: int) -> list[Page]:
        """Return pages of what goes together: a single event, or those of one digest with the digest after them."""
        rows: dict[str, list[Row]] = {}
        for group in groups:
            rows.setdefault(group[0].endpoint, []).extend(self._rows(group, now_ns))
        return [
            Page(endpoint, owners[endpoint], part) for endpoint, all_rows in rows.items() for part in _parts(all_rows)
        ]

    def _rows(self, group: Sequence[Matched], now_ns: int) -> Iterable[Row]:
        if len(group) == 1:
            return [self._row(group[0], now_ns, None)]
        endpoint = group[0].endpoint
        fact = digest_fact([one.fact for one in group])
        trace = next((one.trace for one in group if one.trace is not None), None)
        digest = Matched(endpoint, event_id(endpoint, fact.source_id), fact, trace=trace)
        return [*(self._row(one, now_ns, digest.event_id) for one in group), self._row(digest, now_ns, None)]

    def _row(self, matched: Matched, now_ns: int, digest: str | None) -> Row:
        sequence = self._last[matched.endpoint] + 1
        self._last[matched.endpoint] = sequence
        fact = matched.fact
        return Row(
            sequence=sequence,
            event_id=matched.event_id,
            event_type=fact.event_type,
            lane=fact.base or "",
            body=make_body(matched.event_id, fact, sequence),
            created_ns=now_ns,
            digest=digest,
            trace=matched.trace,
        )


def _parts(rows: Sequence[Row]) -> Iterable[Sequence[Row]]:
    return [rows[start : start + MOST_ROWS] for start in range(0, len(rows), MOST_ROWS)]
