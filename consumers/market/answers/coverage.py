"""`market.coverage`: how much of a span was received of a symbol; and what other figures rest on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from consumers.market.answering import Composed
from consumers.market.quality import LIVE, STALE
from consumers.market.state import Found, Reader
from contracts.arithmetic.moments import read_moment
from contracts.errors import InvalidParameterError, NotReadyError, UnknownVenueError
from contracts.instrument import Instrument
from contracts.schema.literals import Age, iso
from contracts.services.coverage import DEFAULT_SECONDS, MOST_ROWS, MOST_ROWS_TOGETHER, STEPS, CoverageQuery
from runtime.coverage.spans import SECOND, Span
from runtime.coverage.view import GRACE, Followed, LedgerView, Sums, add_up, count

RESTS_NS: Final = 5 * SECOND  # for which what figures rest on is not looked up again
WINDOWS: Final = {"1h": 3600, "4h": 4 * 3600, "24h": 24 * 3600}  # seconds


def compose_coverage(reader: Reader, query: CoverageQuery) -> Composed:
    """What the seconds of each row were, by instrument; refusals name the parameter at fault."""
    ledger = reader.state.ledger
    if ledger is None:
        raise NotReadyError("The ledger of coverage was not read yet", waiting_for=["bucket COVERAGE"])
    found = _find(reader, query)
    span = read_span(query, reader.now_ns)
    edges = list_edges(span, STEPS[query.step] * SECOND)
    if (len(edges) - 1) * len(found.instruments) > MOST_ROWS_TOGETHER:
        raise InvalidParameterError(
            f"{len(found.instruments)} instruments with {len(edges) - 1} rows each are more than {MOST_ROWS_TOGETHER} "
            "rows: name a venue, a longer step or a shorter span",
            parameter="step",
            maximum_rows=MOST_ROWS_TOGETHER,
        )
    venues: list[dict[str, Any]] = []
    together: list[Sums] = []
    for item in sorted(found.instruments, key=lambda item: (item.venue, item.symbol)):
        covered = ledger.find(Followed(item.venue, item.symbol, query.channel), span, reader.now_ns)
        rows = count(covered, edges)
        total = add_up(rows)
        if covered.since is not None:
            together.append(total)
        venues.append(
            {
                "venue": item.venue,
                "symbol": item.symbol,
                "channel": query.channel,
                "since": None if covered.since is None else iso(covered.since),
                "rows": [{"timestamp": iso(start), **_seconds(row)} for start, row in zip(edges, rows, strict=False)],
                "totals": _seconds(total),
                "percent": _text(total.percent),
            }
        )
    as_of = ledger.find_newest()
    document = {
        "symbol": found.name,
        "channel": query.channel,
        "step": query.step,
        "from": iso(span[0]),
        "to": iso(span[1]),
        "venues": venues,
        "percent": _text(add_up(together).percent if together else Decimal(0)),
        "age": Age(reader.now_ns if as_of is None else as_of),
        "quality": LIVE if as_of is not None and reader.now_ns - as_of <= GRACE else STALE,
    }
    return Composed(document, found.name)


def read_span(query: CoverageQuery, now_ns: int) -> Span:
    """Return the span of a request in whole seconds, ns UTC; raises InvalidParameterError where it is none."""
    until = now_ns if query.to is None else min(read_moment(query.to), now_ns)
    end = until - until % SECOND
    since = end - DEFAULT_SECONDS * SECOND if query.from_ is None else read_moment(query.from_)
    start = since - since % SECOND
    if start >= end:
        raise InvalidParameterError("Parameter from must be earlier than to, and than now", parameter="from")
    return start, end


def list_edges(span: Span, step: int) -> list[int]:
    """Return where rows of `step` ns begin, cut to a span, and its end; InvalidParameterError for too many."""
    start, end = span
    if (end - start) // step >= MOST_ROWS:
        raise InvalidParameterError(
            f"The span has more than {MOST_ROWS} rows: begin it later, or take a longer step",
            parameter="from",
            maximum_rows=MOST_ROWS,
        )
    return [start, *range(start - start % step + step, end, step), end]


def find_rests(ledger: LedgerView, about: Iterable[Followed], span: Span, now_ns: int) -> dict[str, Any] | None:
    """Return what figures of some instruments rest on, as `Rests`; None where there is no ledger of any of them."""
    sums: list[Sums] = []
    sampled = False
    for item in about:
        covered = ledger.find(item, span, now_ns)
        if covered.since is not None:
            sampled = sampled or covered.sampled
            sums.append(count(covered, span)[0])
    return {"percent": _text(add_up(sums).percent), "sampled": sampled} if sums else None


def rests_of_trades(reader: Reader, instruments: Sequence[Instrument]) -> dict[str, Any] | None:
    """Return what a snapshot of these instruments rests on: their trades of the last hour."""
    about = [Followed(item.venue, item.symbol, "trade") for item in instruments]
    return _rests(reader, about, WINDOWS["1h"])


def rests_of_liquidations(reader: Reader, base: str) -> dict[str, Any] | None:
    """Return what the totals of a base's liquidations rest on, by window."""
    about = [Followed(item.venue, item.symbol, "liquidation") for item in reader.state.list_of_base(base)]
    found = {name: _rests(reader, about, seconds) for name, seconds in WINDOWS.items()}
    return None if found["1h"] is None else found


def _rests(reader: Reader, about: list[Followed], seconds: int) -> dict[str, Any] | None:
    """Return what figures rest on; the answer holds no longer than a few seconds."""
    ledger = reader.state.ledger
    if ledger is None:
        return None
    end = reader.now_ns - reader.now_ns % RESTS_NS
    found = find_rests(ledger, about, (end - seconds * SECOND, end), reader.now_ns)
    if found is not None:
        reader.holds_until = min(reader.holds_until, end + RESTS_NS)
    return found


def _find(reader: Reader, query: CoverageQuery) -> Found:
    try:
        return reader.state.find_listed(query.symbol, query.venue)
    except UnknownVenueError as error:
        raise UnknownVenueError(error.message, **{**error.details, "parameter": "venue"}) from error


def _seconds(sums: Sums) -> dict[str, int]:
    return {"live": sums.live, "sampled": sums.sampled, "filled": sums.filled, "unknown": sums.unknown}


def _text(percent: Decimal) -> str:
    return f"{percent.normalize():f}"
