"""The access channel's short way: one line a request, redacted and rendered once, written to the screen and its file.

The other channels go through `logging`; a line a request is too many for that. The fields, the redaction, the levels
and the rotation are the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from logging.handlers import RotatingFileHandler
from typing import Any, Final, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger

from contracts.schema.literals import iso
from runtime import clock
from runtime.logging.redact import Redactor, TextRedactor

CHANNEL: Final = "access"
_REMEMBERED: Final = 4096  # redacted texts: paths, callers and addresses come again and again
_NEVER_AGAIN: Final = "request_id"


class RotatingLines:
    """Whole lines to a file that is turned over as `RotatingFileHandler` does it, the size being counted here."""

    def __init__(self, handler: RotatingFileHandler) -> None:
        self._handler = handler
        self._size = 0 if handler.stream is None else handler.stream.tell()

    def write(self, line: str) -> None:
        """Write one line with its end; nothing once the file was closed."""
        handler, length = self._handler, len(line.encode())
        handler.acquire()
        try:
            if self._size + length > handler.maxBytes:
                handler.doRollover()
                self._size = 0
            if handler.stream is not None:
                handler.stream.write(line)
                handler.stream.flush()
                self._size += length
        finally:
            handler.release()


@dataclass(frozen=True, slots=True)
class LineRules:
    """What a line may not carry, what it says of its process, and the least level (as of `logging`) that is written."""

    redact: Redactor
    redact_text: TextRedactor
    part: str
    level: int


class Lines(logging.Handler):
    """Where access lines go, and the `logger` that makes them; `info` is its shortest way, without structlog.

    As a handler it belongs to the channel's logger of `logging`, and takes what comes that way too.
    """

    def __init__(self, screen: TextIO, file: RotatingFileHandler | None, rules: LineRules) -> None:
        super().__init__()
        self._screen = screen
        self._render = _renderer(rules)
        self._written = rules.level <= logging.INFO
        self.logger = _bind(self, rules, self._render)
        self._file = None if file is None else RotatingLines(file)
        self._handler = file

    def write_info(self, event: str, fields: Mapping[str, object]) -> None:
        """Write one line of the level INFO, where that is written; nothing is added of the context's variables."""
        if self._written:
            self.msg(self._render("info", {"event": event, **fields}))

    def msg(self, line: str) -> None:
        """Write a rendered line."""
        line += "\n"
        self._screen.write(line)
        self._screen.flush()
        if self._file is not None:
            self._file.write(line)

    debug = info = warning = error = critical = msg

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record of `logging`."""
        self.msg(self.format(record))

    def close(self) -> None:
        """Close the file; the screen is not ours."""
        if self._handler is not None:
            self._handler.close()
        super().close()


Render = Callable[[str, Mapping[str, object]], str]


def _bind(lines: Lines, rules: LineRules, render: Render) -> FilteringBoundLogger:
    """Make the channel's logger: structlog's own, with these lines at its end."""

    def rendered(_lines: object, method: str, event: EventDict) -> str:
        return render(method, event)

    wrapped: Any = structlog.wrap_logger(
        lines,
        processors=[structlog.contextvars.merge_contextvars, structlog.processors.format_exc_info, rendered],
        wrapper_class=structlog.make_filtering_bound_logger(rules.level),
    )
    return wrapped.bind()


def _renderer(rules: LineRules) -> Render:
    """Return what makes a line of a level from fields: the members of its JSON, those that come again remembered."""
    encode = msgspec.json.Encoder().encode

    def member(name: str, text: str) -> str:
        return f',"{name}":{encode(rules.redact_text(name, text)).decode()}'

    remembered = lru_cache(maxsize=_REMEMBERED)(member)
    own = f',"logger":"{CHANNEL}","part":{encode(rules.part).decode()},"timestamp":"'

    def render(level: str, fields: Mapping[str, object]) -> str:
        parts = [f'{{"level":"{level}"']
        for name, value in fields.items():
            if isinstance(value, str):
                parts.append(member(name, value) if name == _NEVER_AGAIN else remembered(name, value))
            elif value is None:
                parts.append(f',"{name}":null')
            else:
                shown = value if isinstance(value, int | float) else _clean(rules.redact, name, value)
                parts.append(f',"{name}":{encode(shown).decode()}')
        return f'{"".join(parts)}{own}{iso(clock.now_ns())}"}}'

    return render


def _clean(redact: Redactor, name: str, value: object) -> Any:
    found: Any = redact({name: value})
    return found[name]
