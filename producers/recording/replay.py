"""Feeds a recording through the same sessions as live frames: the same bytes come out, at any speed."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from contracts.errors import FrameError, InvalidParameterError
from contracts.instrument import Instrument
from producers.connection.interfaces import DepthAnswer, Recorder, TradesAnswer
from producers.connection.publisher import Lane, Publisher
from producers.connection.session import Session, SessionParts
from producers.recording.recorder import INDEX
from producers.registry import VENUES
from producers.selection import by_venue_symbol, finder
from producers.venue import ConnectionPlan, Subscription
from runtime.book.books import BookPace

_decode: Final = msgspec.json.Decoder().decode
_ANSWERS: Final = frozenset({"rest_depth", "rest_audit", "rest_trades"})
_NO_ANSWER: Final = frozenset({"no_snapshot", "no_trades"})


def list_files(folder: Path) -> list[Path]:
    """List a recording's files in the order of the index; raises InvalidParameterError where there is none."""
    index = folder / INDEX
    if not index.is_file():
        raise InvalidParameterError(f"{folder} holds no recording: {INDEX} is missing", parameter="folder")
    entries = [_decode(line) for line in index.read_bytes().splitlines() if line]
    entries.sort(key=lambda entry: (entry["venue"], entry["file"]))
    return [folder / entry["file"] for entry in entries]


def read_lines(path: Path) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Read one file's lines, each with its own bytes; FrameError where the file cannot be read to its end."""
    try:
        with gzip.open(path, "rb") as stream:
            for line in stream:
                yield _decode(line), line
    except (OSError, EOFError, zlib.error, msgspec.MsgspecError) as error:
        raise FrameError(f"{path} cannot be read: {error}", field=str(path)) from error


def time_of(line: dict[str, Any]) -> int | None:
    """Give the time of a line, ns UTC; None where it has none of its own."""
    return line.get("recv_ts_ns") or line.get("ts")


class _NoConnection:
    """The connection of a replay: there is no socket behind it."""

    def on_control(self, control: Any) -> None:
        """Nobody waits for it."""

    def on_event(self, kind: str, symbol: str | None) -> None:
        """Nobody watches for silence."""

    def on_resync(self, symbol: str) -> None:
        """What the live feed did about it is in the recording."""


@dataclass(slots=True)
class Replay:
    """Replays one venue's lines. `depth` is the levels a side of book snapshots, as when it was recorded."""

    lane: Lane
    depth: int = 100
    recorder: Recorder | None = None
    on_status: Callable[[bytes], None] | None = None
    lines: Counter[str] = field(default_factory=Counter[str])
    undecodable: int = 0
    _sessions: dict[str, Session] = field(default_factory=dict[str, Session])
    _instruments: dict[str, Instrument] = field(default_factory=dict[str, Instrument])
    _followed: dict[str, Any] = field(default_factory=dict[str, Any])
    _publisher: Publisher | None = None

    def on_line(self, line: dict[str, Any]) -> None:
        """Do what one line says; raises FrameError for a line that no recording has."""
        try:
            self._on_line(line)
        except KeyError as error:
            raise FrameError(f"a line of the recording lacks or does not know {error}", field=str(error)) from error

    def _on_line(self, line: dict[str, Any]) -> None:
        if not line:
            return  # the head of a file that was begun before its venue answered, as earlier versions wrote it
        record: str | None = line.get("record")
        self.lines[record or "frame"] += 1
        if record == "header":
            self._on_header(line)
        elif record == "status":
            self._on_status(line["body"])
        elif record != "lost":
            self._on_session_line(record, line)

    def _on_session_line(self, record: str | None, line: dict[str, Any]) -> None:
        session = self._sessions.get(line["connection"])
        if session is None:
            raise FrameError(f"the recording has no connection {line['connection']!r}", field="connection")
        ts = time_of(line) or 0
        if record == "open":
            session.open(ts=ts, now=0.0, sim=line["sim"])
        elif record == "close":
            session.close(ts=ts, reason=line["reason"], since=line.get("since"))
        elif record == "silent":
            since = line.get("since")  # recordings of earlier versions have none
            session.silent(line["channel"], line["symbol"], ts=ts, reason=line["reason"], since=since)
        elif record == "confirmed":
            session.confirmed(ts=ts)
        elif record in {"tick", "again"}:
            session.tick(ts=ts, now=0.0, again=record == "again")
        elif record == "audit":
            session.start_audit(line["symbol"], ts=ts)
        elif line.get("channel") in _ANSWERS:
            self._on_answer(session, record, line)
        elif record is None:
            session.on_frame(_raw(line), ts)
        else:
            raise FrameError(f"the recording has an unknown record {record!r}", field="record")

    def _on_answer(self, session: Session, record: str | None, line: dict[str, Any]) -> None:
        """Hand over a REST answer, or that it could not be had."""
        instrument, ts = self._instruments[line["unified"]], time_of(line) or 0
        body = None if record in _NO_ANSWER else _raw(line)
        if line["channel"] == "rest_trades":
            session.on_trades(TradesAnswer(instrument, body, ts, line["sim"]))
            return
        audit = line["channel"] == "rest_audit"
        answer = DepthAnswer(instrument, body, ts, line["sim"], audit=audit)
        (session.on_audit if audit else session.on_snapshot)(answer, now=0.0)

    def _on_header(self, line: dict[str, Any]) -> None:
        followed = {"instruments": line["instruments"], "connections": line["connections"]}
        if followed == self._followed:
            return  # a file that goes on where the last one was closed
        self._followed = followed
        venue = VENUES[line["venue"]]
        listed = msgspec.convert(line["instruments"], list[Instrument])
        known = by_venue_symbol(listed)
        self._instruments = {item.symbol: item for item in listed}
        if self._publisher is None:
            self._publisher = Publisher(venue.id, self.lane, lambda: 0)
        for item in line["connections"]:
            plan = self._plan(item)
            parts = SessionParts(
                venue=venue,
                find=finder(venue, plan.market, known),
                publisher=self._publisher,
                on_undecodable=self._on_undecodable,
                pace=BookPace(interval=0.0, depth=self.depth),
                recorder=self.recorder,
            )
            self._sessions[plan.name] = Session(plan, parts, _NoConnection())

    def _plan(self, item: dict[str, Any]) -> ConnectionPlan:
        subscriptions = tuple(
            Subscription(
                key=one["key"],
                channel=one["channel"],
                instrument=None if one["symbol"] is None else self._instruments[one["symbol"]],
                silence=one["silence"],
            )
            for one in item["subscriptions"]
        )
        return ConnectionPlan(item["name"], item["market"], "", subscriptions, ())

    def _on_status(self, body: str) -> None:
        if self.on_status is not None:
            self.on_status(body.encode())
        if self._publisher is not None:
            self._publisher.publish_status(body.encode())

    def _on_undecodable(self, _frame: bytes, _error: Exception) -> None:
        self.undecodable += 1


def _raw(line: dict[str, Any]) -> bytes:
    if "raw" in line:
        return line["raw"].encode()
    return base64.b64decode(line["raw_b64"])
