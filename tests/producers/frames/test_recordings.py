"""Every recorded frame decodes, and what it became is what independent readers made of the same frame.

The recordings lie beside the project (`../shared/frames`); without them these tests skip.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from contracts import codec
from producers.registry import VENUES
from tests.producers.frames.cases import CASES
from tests.producers.frames.cases.case import Case, Record
from tests.producers.frames.expected import (
    differences,
    kind_of,
    merged_differences,
    read_expected,
    read_summary,
    translated,
)
from tests.producers.frames.replay import ROOT, Book, Line, Replay

pytestmark = pytest.mark.skipif(not ROOT.is_dir(), reason=f"no recorded frames at {ROOT}")

_JUDGED = ("trade", "ticker", "candle", "liquidation")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_recording_decodes_as_expected(case: Case, record_property: Callable[[str, Any], None]) -> None:
    folder = ROOT / case.folder
    expected = read_expected(folder / f"{case.name}.expected.jsonl")
    summary = read_summary(folder / f"{case.name}.summary.json")
    names = {name.upper(): theirs for name, theirs in summary.get("symbol_map_exchange_to_cryptofeed", {}).items()}
    replay = Replay(VENUES[case.venue], case.market, depth=case.depth)
    if case.seed is not None:
        replay.seed(folder / f"{case.seed}.jsonl")
    faults: list[str] = []
    checked: Counter[str] = Counter()
    frames = 0
    for line in replay.lines(folder / f"{case.name}.jsonl"):
        frames += 1
        records = translated(case, expected.get(line.number, []), line.raw)
        found = _check_line(case, line, records) + _check_bus(line)
        found += _check_symbols(line, records, names) + _check_books(replay, line, records)
        faults += [f"line {line.number}: {fault}" for fault in found]
        checked.update(record["type"] for record in records)
        checked += Counter(checksum=line.agreed)
    if checked["checksum"] < case.proofs:
        faults.append(f"{case.proofs} checksums expected to agree, {checked['checksum']} do")
    faults += _check_final(replay, summary, checked)
    record_property("recording", (case.id, frames, dict(checked)))
    assert not faults, f"{len(faults)} differences, the first:\n" + "\n".join(faults[:20])


@pytest.mark.parametrize("folder", sorted({case.folder for case in CASES}))
def test_every_recording_of_a_followed_venue_has_a_row(folder: str) -> None:
    listed = {case.name for case in CASES if case.folder == folder} | {
        case.seed for case in CASES if case.folder == folder
    }
    there = {path.stem for path in (ROOT / folder).glob("*.jsonl") if not path.stem.endswith(".expected")}
    assert there == listed - {None}


def _check_line(case: Case, line: Line, records: list[Record]) -> list[str]:
    """Compare trades, tickers, candles and liquidations one by one, in order, and their numbers."""
    if line.number in case.undecodable or line.error is not None:
        wanted = case.undecodable.get(line.number)
        refused = line.error is not None and wanted is not None and wanted in line.error
        return [] if refused else [f"refused with {line.error!r}, expected {wanted!r}"]
    faults: list[str] = []
    for kind in _JUDGED:
        ours = [event for event in line.events if event.kind == kind]
        theirs = [record for record in records if kind_of(record) == kind]
        merged = [record for record in records if record["type"] == "derivative_ticker"]
        tops = [record for record in records if record["type"] == "l2_top"]
        if not theirs and (kind in case.unlisted or (kind == "ticker" and (merged or tops))):
            continue
        if len(ours) != len(theirs):
            faults.append(f"{len(theirs)} {kind} expected, {len(ours)} decoded")
        for event, record in zip(ours, theirs, strict=False):
            faults += [f"{kind} {difference}" for difference in differences(record, event)]
    for record in records:
        if record["type"] == "derivative_ticker":
            faults += merged_differences(record, line.events)
    return faults


def _check_bus(line: Line) -> list[str]:
    """Each event must be readable from the bus by the strict codec, and come out as it went in."""
    faults: list[str] = []
    for event in line.events:
        try:
            again = codec.decoder(codec.EVENTS[event.kind]).decode(codec.encode(event))
        except ValueError as error:
            faults.append(f"{event.kind} is not fit for the bus: {error}")
            continue
        if codec.encode(again) != codec.encode(event):
            faults.append(f"{event.kind} does not survive the bus")
    return faults


def _check_symbols(line: Line, records: list[Record], names: dict[str, str]) -> list[str]:
    theirs = {record["symbol"] for record in records if record.get("symbol") is not None}
    ours = {event.venue_symbol for event in line.events}
    ours |= {names.get(name.upper()) for name in ours}
    return [f"symbols {sorted(theirs - ours)} not among {sorted(map(str, ours))}"] if theirs - ours else []


def _check_books(replay: Replay, line: Line, records: list[Record]) -> list[str]:
    """Compare best bid, best ask, numbers of levels and sequence of the rebuilt book, and tardis' whole changes."""
    faults: list[str] = []
    events = [event for event in line.events if event.kind in {"book", "delta"}]
    tickers = [event for event in line.events if event.kind == "ticker"]
    for record in records:
        if record["type"] == "l2_top" and events:
            faults += _top_differences(replay.books[events[-1].venue_symbol], record)
        elif record["type"] == "l2_top" and tickers:  # a depth of one level is our ticker
            quote = tickers[-1]
            if [[quote.bid, quote.bid_amount], [quote.ask, quote.ask_amount]] != [record["bid"], record["ask"]]:
                faults.append(f"best levels: expected {record['bid']} {record['ask']}, decoded {quote}")
        elif record["type"] in {"l2_top", "book_change"}:
            faults += _change_differences(replay, record, events)
    return faults


def _top_differences(book: Book, record: Record) -> list[str]:
    if book.broken:
        return [f"book lost: {book.broken}"]
    top = book.at_seed if record.get("event") == "snapshot" else book.top()
    wanted = (tuple(record["bid"]), tuple(record["ask"]), record["n_bids"], record["n_asks"])
    faults = [] if top == wanted else [f"top: expected {wanted}, rebuilt {top}"]
    seq = record.get("u", record.get("seq"))
    if seq is not None and record.get("event") != "snapshot" and book.seq != seq:
        faults.append(f"seq: expected {seq}, rebuilt {book.seq}")
    return faults


def _change_differences(replay: Replay, record: Record, events: list[Any]) -> list[str]:
    if not events:
        return [f"{record['type']} expected, no book event decoded"]
    event = events[-1]
    # tardis' snapshot of a book seeded over REST already has the buffered deltas in it
    ours = replay.books[event.venue_symbol].levels() if event.kind == "book" else (event.bids, event.asks)
    theirs = [[(level["price"], level["amount"]) for level in record[side]] for side in ("bids", "asks")]
    faults = [
        f"levels: expected {wanted}, decoded {levels}"
        for levels, wanted in zip(ours, theirs, strict=True)
        if _numbers(levels) != sorted(wanted)
    ]
    if record["isSnapshot"] != (event.kind == "book" or event.is_snapshot):
        faults.append(f"isSnapshot: expected {record['isSnapshot']}")
    return faults


def _numbers(levels: list[tuple[str, str]]) -> list[Any]:
    return sorted((Decimal(price), Decimal(amount)) for price, amount in levels)


def _check_final(replay: Replay, summary: Record, checked: Counter[str]) -> list[str]:
    """Compare the best levels of each book as they stood after the last frame."""
    final = summary.get("final_book") or {}
    ours_by_name = {name: ours for ours, name in summary.get("symbol_map_exchange_to_cryptofeed", {}).items()}
    only = next(iter(replay.books), "")
    faults: list[str] = []
    for name, wanted in ({only: final} if "bids" in final else final).items():
        venue_symbol = ours_by_name.get(name, name)
        book = replay.books.get(venue_symbol) or replay.books[venue_symbol.upper()]
        for side, levels in zip(("bids", "asks"), book.levels(), strict=True):
            if [list(level) for level in levels[: len(wanted[side])]] != wanted[side]:
                faults.append(f"final {side} of {name}: expected {wanted[side][:3]}, rebuilt {levels[:3]}")
        checked["final_book"] += 1
    return faults
