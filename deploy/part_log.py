"""A part's output on its way to a file: a full disk costs lines, never the part nor its supervisor."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

LOG_BYTES: Final = 20 * 1024 * 1024
TAIL_LINES: Final = 12
_CHUNK: Final = 64 * 1024


@dataclass
class PartLog:
    """The log file of one part; one older file is kept beside it.

    `on_trouble(line)` is called, on the thread that writes, when the file cannot be written and when it can again.
    """

    path: Path
    on_trouble: Callable[[str], None]
    limit: int = LOG_BYTES
    _lost: int = 0
    _writers: list[threading.Thread] = field(default_factory=list[threading.Thread])

    def open(self) -> int:
        """Return a file descriptor for a process to write to; the caller closes it once the process has it."""
        source, sink = os.pipe()
        self._save(b"")
        self._writers = [thread for thread in self._writers if thread.is_alive()]
        thread = threading.Thread(target=self._copy, args=(source,), name=f"log {self.path.name}", daemon=True)
        self._writers.append(thread)
        thread.start()
        return sink

    def wait(self, seconds: float) -> None:
        """Return when everything that ended processes wrote is in the file, or after `seconds`."""
        for thread in self._writers:
            thread.join(seconds)

    def tail(self) -> str:
        """Return the last lines, indented, also of the older file where this one has few; empty where there is none."""
        text = _read_end(self.path)
        if text.count(b"\n") < TAIL_LINES:
            text = _read_end(self._older) + text
        lines = text.decode(errors="replace").splitlines()[-TAIL_LINES:]
        return "\n".join(f"    {line}" for line in lines)

    @property
    def _older(self) -> Path:
        return self.path.with_suffix(".log.1")

    def _copy(self, source: int) -> None:
        with os.fdopen(source, "rb", buffering=0) as pipe:
            while chunk := pipe.read(_CHUNK):
                self._save(chunk)

    def _save(self, chunk: bytes) -> None:
        try:
            self._append(chunk)
        except OSError as error:
            if not self._lost:
                self.on_trouble(f"{self.path} cannot be written ({error.strerror}): lines are dropped until it can")
            self._lost += len(chunk)
            return
        if self._lost:
            self.on_trouble(f"{self.path} is written again; {self._lost} bytes of it were dropped")
            self._lost = 0

    def _append(self, chunk: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists() and self.path.stat().st_size + len(chunk) > self.limit:
            self.path.replace(self._older)
        with self.path.open("ab", buffering=0) as file:
            rest = memoryview(chunk)
            while rest:
                rest = rest[file.write(rest) or 0 :]


def _read_end(path: Path) -> bytes:
    """Return the last bytes of a file; none where there is no file."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _CHUNK))
            return file.read(_CHUNK)
    except OSError:
        return b""
