"""Subjects and streams: each event has one subject and one stream, and every name stands in contracts/subjects.py."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts import subjects
from contracts.alerts import ALERT_KINDS
from contracts.codec import EVENTS, KIND_SUBJECTS, SUBJECT_KINDS, kind_of
from contracts.schema.routes import CONSOLIDATED
from contracts.streams import BUCKETS, CANDLE_STREAMS, DURABLES, STREAMS, StreamSpec
from contracts.timeframes import TIMEFRAMES

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("contracts", "runtime", "producers", "consumers", "api", "bot", "deploy")
NAMED = {name: value for name, value in vars(subjects).items() if name.isupper() and isinstance(value, str)}
PREFIXES = {name: value for name, value in NAMED.items() if re.fullmatch(r"[a-z]+\.v1\.([a-z]+\.)?", value)}


def covers(pattern: str, subject: str) -> bool:
    """Tell whether a NATS wildcard covers a subject."""
    left, right = pattern.split("."), subject.split(".")
    if left[-1] == ">":
        return len(right) >= len(left) and all(a in {"*", b} for a, b in zip(left[:-1], right, strict=False))
    return len(left) == len(right) and all(a in {"*", b} for a, b in zip(left, right, strict=True))


FIRST_TOKENS = {"candle": [f"{name}." for name in TIMEFRAMES], "alert": [f"{name}." for name in ALERT_KINDS]}


def streams_of(subject: str) -> list[StreamSpec]:
    return [stream for stream in STREAMS if any(covers(pattern, subject) for pattern in stream.subjects)]


def test_every_event_has_a_subject_and_every_subject_an_event() -> None:
    assert set(SUBJECT_KINDS.values()) == set(EVENTS)
    assert all(subject.endswith(".") for subject in SUBJECT_KINDS)


@pytest.mark.parametrize("kind", sorted(EVENTS))
def test_event_subject_is_on_exactly_one_stream(kind: str) -> None:
    for first in FIRST_TOKENS.get(kind, [""]):
        assert len(streams_of(f"{KIND_SUBJECTS[kind]}{first}okx.BTC.USDT.spot")) == 1


@pytest.mark.parametrize("timeframe", sorted(TIMEFRAMES))
def test_candles_are_on_the_stream_of_their_time_frame(timeframe: str) -> None:
    found = streams_of(f"{subjects.CANDLE}{timeframe}.okx.BTC.USDT.spot")
    assert [stream.name for stream in found] == [CANDLE_STREAMS[timeframe]]


def test_what_is_rare_shares_no_stream_with_the_firehose() -> None:
    (market,) = streams_of(f"{subjects.TRADE}okx.BTC.USDT.spot")
    assert set(market.subjects) == {subjects.ALL_TRADES, subjects.ALL_TICKERS}


@pytest.mark.parametrize("name", sorted(PREFIXES))
def test_named_subject_is_on_one_stream_unless_it_is_a_request_or_a_notice(name: str) -> None:
    firsts = {subjects.CANDLE: "1m", subjects.ALERT: "storm", subjects.JOB: "telegram", subjects.PAST: "COVERAGE"}
    first = firsts.get(PREFIXES[name], "a")
    found = streams_of(f"{PREFIXES[name]}{first}.b.c.d")
    kept = not PREFIXES[name].startswith((subjects.COMMAND, subjects.WEBHOOK_CHANGED))
    assert len(found) == kept


def test_subjects_of_different_kinds_never_overlap() -> None:
    within = {subjects.CONSOLIDATED_TICKER, subjects.CONSOLIDATED_BOOK}  # venue `all`, of a kind of its own
    kinds = sorted(SUBJECT_KINDS.keys() - within)
    assert {kind_of(f"{prefix}BTC.USDT.spot") for prefix in within} == CONSOLIDATED
    assert not [(one, two) for one in kinds for two in kinds if one != two and two.startswith(one)]


def test_replayed_subjects_reach_no_stream() -> None:
    assert not [
        kind for kind in EVENTS if streams_of(f"{subjects.REPLAY}run.{KIND_SUBJECTS[kind]}1m.okx.BTC.USDT.spot")
    ]


def test_streams_and_buckets_have_names_of_their_own() -> None:
    names = [item.name for item in (*STREAMS, *BUCKETS)]
    assert len(set(names)) == len(names)


def test_streams_that_may_lose_are_bounded_and_the_others_refuse() -> None:
    assert all(item.max_bytes > 0 for item in (*STREAMS, *BUCKETS))
    assert all(item.max_age > 0 for item in STREAMS if not item.effects)


@pytest.mark.parametrize("durable", DURABLES, ids=lambda item: item.name)
def test_durable_reads_what_its_stream_holds(durable: object) -> None:
    if durable.filter_subject == subjects.ALL_ALERTS:  # type: ignore[attr-defined]
        example = f"{subjects.ALERT}storm.x.y"  # one of the kinds that the stream names one by one
    else:
        example = durable.filter_subject.replace("*", "x").replace(">", "x.y")  # type: ignore[attr-defined]
    assert [item.name for item in streams_of(example)] == [durable.stream]  # type: ignore[attr-defined]


def test_signal_across_venues_fits_the_subject() -> None:
    assert subjects.cross_venue_tail("BTC") == "all.BTC.USD.any"


# ---- names stand in one place
def texts(path: Path) -> Iterator[tuple[int, str]]:
    """List the string literals of a file, parts of f-strings too, but no docstrings."""
    tree = ast.parse(path.read_text())
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.lineno, node.value


def test_subjects_are_named_in_one_file_only() -> None:
    stems = tuple({".".join(value.split(".")[:2]) + "." for value in PREFIXES.values()})
    stray = [
        f"{path.relative_to(ROOT)}:{line}: {text!r}"
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if path != ROOT / "contracts" / "subjects.py"
        for line, text in texts(path)
        if any(re.search(rf"(?<![\w.]){re.escape(stem)}", text) for stem in stems)
    ]
    assert stray == []


def test_headers_are_named_in_one_file_only() -> None:
    headers = {value for name, value in NAMED.items() if name.startswith("HEADER_")}
    stray = [
        f"{path.relative_to(ROOT)}:{line}: {text!r}"
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if path != ROOT / "contracts" / "subjects.py"
        for line, text in texts(path)
        if text in headers
    ]
    assert stray == []
