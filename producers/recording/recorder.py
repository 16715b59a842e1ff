"""Writes what venues sent, and when, to compressed rotated files with an index; a replay makes the same events of it.

One folder a venue. Each line of a file is a JSON object. Frames carry `raw` (or `raw_b64`) and `recv_ts_ns`, as
`python -m producers decode` reads them; everything else that shapes the events has a `record` saying what it is.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from contracts.instrument import Instrument
from producers.connection.interfaces import DepthAnswer, TradesAnswer
from producers.venue import ConnectionPlan

INDEX: Final = "index.jsonl"
SUFFIX: Final = ".jsonl.gz"
_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class RotateRule:
    """A file is closed after so many bytes (before compression) or seconds."""

    max_bytes: int = 256 * 1024 * 1024
    max_seconds: int = 3600


class Recording:
    """One venue's recording, a `Recorder` of its sessions. Lines are kept in memory until `save` writes them.

    At most `max_pending` bytes wait; beyond that lines are lost, counted, and the loss is written into the recording.
    """

    def __init__(self, venue: str, folder: Path, rule: RotateRule, *, max_pending: int = 64 * 1024 * 1024) -> None:
        self.venue = venue
        self.frames = 0
        self.lost = 0
        self._folder = folder
        self._rule = rule
        self._max_pending = max_pending
        self._pending: list[bytes] = []
        self._size = 0
        self._lost_unwritten = 0
        self._header: dict[str, Any] = _header(venue, (), ())  # until the exchange's listing is known
        self._file: _File | None = None

    def begin(self, plans: Sequence[ConnectionPlan], instruments: Sequence[Instrument]) -> None:
        """Note what is followed: the head of every file, so that each can be read alone."""
        self.adopt(_header(self.venue, plans, instruments))

    def adopt(self, header: dict[str, Any]) -> None:
        """Take this head; a file that began with another one goes on below this one."""
        if header == self._header:
            return
        self._header = dict(header)
        if self._file is not None:
            self._add(self._header)

    # ---- session.Recorder
    def on_open(self, connection: str, ts: int, *, sim: bool) -> None:
        """A connection begins."""
        self._add({"record": "open", "connection": connection, "ts": ts, "sim": sim})

    def on_frame(self, connection: str, ts: int, frame: bytes) -> None:
        """A frame arrived."""
        self.frames += 1
        self._add({"connection": connection, "recv_ts_ns": ts, **_raw(frame)})

    def on_snapshot(self, connection: str, ts: int, answer: DepthAnswer) -> None:
        """A REST snapshot arrived, or could not be had."""
        self._on_answer(connection, ts, answer, ("rest_audit" if answer.audit else "rest_depth", "no_snapshot"))

    def on_trades(self, connection: str, ts: int, answer: TradesAnswer) -> None:
        """Past trades arrived by REST, or could not be had."""
        self._on_answer(connection, ts, answer, ("rest_trades", "no_trades"))

    def _on_answer(self, connection: str, ts: int, answer: DepthAnswer | TradesAnswer, names: tuple[str, str]) -> None:
        """Write a REST answer; `names` are its channel, and the record that stands for one that could not be had."""
        place = {
            "connection": connection,
            "recv_ts_ns": ts,
            "channel": names[0],
            "symbol": answer.instrument.venue_symbol,
            "unified": answer.instrument.symbol,
            "sim": answer.simulated,
        }
        if answer.body is None:
            self._add({"record": names[1], **place})
        else:
            self._add({**place, **_raw(answer.body)})

    def on_mark(self, connection: str, ts: int, mark: str, detail: Mapping[str, str | int | None]) -> None:
        """Something else that shapes the events."""
        self._add({"record": mark, "connection": connection, "ts": ts, **detail})

    def on_status(self, body: bytes) -> None:
        """A FeedStatus was published that no input of a session explains."""
        self._add({"record": "status", "body": body.decode()})

    # ---- files
    def save(self) -> int:
        """Write what waits; returns the bytes written. Called from one thread at a time."""
        pending, self._pending, self._size = self._pending, [], 0
        written = 0
        for line in pending:
            if self._file is None or self._file.is_full(self._rule):
                self._rotate()
            if self._file is not None:
                self._file.write(line)
                written += len(line)
        return written

    def close(self) -> None:
        """Write what waits and end the file."""
        self.save()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _rotate(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = _File(self._folder, self.venue)
        self._file.write(_encode(self._header) + b"\n")

    def _add(self, line: dict[str, Any]) -> None:
        if self._size > self._max_pending:
            self.lost += 1
            self._lost_unwritten += 1
            return
        if self._lost_unwritten:
            lost, self._lost_unwritten = self._lost_unwritten, 0
            self._add({"record": "lost", "lines": lost})
        data = _encode(line) + b"\n"
        self._pending.append(data)
        self._size += len(data)


class _File:
    """One compressed file and its line of the index."""

    def __init__(self, folder: Path, venue: str) -> None:
        self._began = datetime.now(UTC)  # noqa: TID251 - a file's name is no event time
        place = folder / venue
        place.mkdir(parents=True, exist_ok=True)
        self._index = folder / INDEX
        self._path = place / f"{self._began:%Y%m%dT%H%M%S%fZ}{SUFFIX}"
        self._venue = venue
        self._stream = gzip.GzipFile(self._path, "wb", compresslevel=3, mtime=0)
        self._digest = hashlib.sha256()
        self._lines = self._bytes = 0

    def is_full(self, rule: RotateRule) -> bool:
        age = datetime.now(UTC) - self._began  # noqa: TID251 - the age of a file
        return self._bytes >= rule.max_bytes or age.total_seconds() >= rule.max_seconds

    def write(self, line: bytes) -> None:
        self._stream.write(line)
        self._digest.update(line)
        self._lines += 1
        self._bytes += len(line)

    def close(self) -> None:
        self._stream.close()
        entry = {
            "file": f"{self._venue}/{self._path.name}",
            "venue": self._venue,
            "began": self._began.isoformat(),
            "lines": self._lines,
            "bytes": self._bytes,
            "compressed_bytes": self._path.stat().st_size,
            "sha256": self._digest.hexdigest(),
        }
        with self._index.open("ab") as index:
            index.write(_encode(entry) + b"\n")


def _raw(data: bytes) -> dict[str, str]:
    try:
        return {"raw": data.decode()}
    except UnicodeDecodeError:
        return {"raw_b64": base64.b64encode(data).decode()}


def _header(venue: str, plans: Sequence[ConnectionPlan], instruments: Sequence[Instrument]) -> dict[str, Any]:
    return {
        "record": "header",
        "version": 1,
        "venue": venue,
        "instruments": [msgspec.to_builtins(item) for item in instruments],
        "connections": [_connection(plan) for plan in plans],
    }


def _connection(plan: ConnectionPlan) -> dict[str, Any]:
    return {
        "name": plan.name,
        "market": plan.market,
        "subscriptions": [
            {
                "key": item.key,
                "channel": item.channel,
                "symbol": item.instrument.symbol if item.instrument else None,
                "silence": item.silence,
            }
            for item in plan.subscriptions
        ],
    }
