"""Logs: structured lines to standard output (JSON, or readable on a terminal) and, where wanted, to rotated files.

Four channels: `application`, `access` (one line a request), `audit` (who did what) and `webhooks` (deliveries).
`configure` is called once by a composition root; everybody else takes `get()`.
"""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final, Literal, TextIO, cast

import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import EventDict, Processor

from runtime.app.entry import abandon
from runtime.logging.access_log import CHANNEL as ACCESS
from runtime.logging.access_log import LineRules, Lines
from runtime.logging.redact import redactor, text_redactor

Channel = Literal["application", "access", "audit", "webhooks"]
CHANNELS: Final[tuple[Channel, ...]] = ("application", "access", "audit", "webhooks")
_DELIVERS: Final = "consumers"  # the only part that has a file of the channel `webhooks`
FILE_BYTES: Final = 10 * 1024 * 1024
FILES_KEPT: Final = 5
# httpx writes full URLs at INFO, with whatever secret they carry; CCXT does at DEBUG, with keys and signatures; picows
# a line for each socket that was lost.
_QUIET: Final = dict.fromkeys(("httpx", "httpcore", "ccxt", "picows"), logging.WARNING)


@dataclass(frozen=True)
class LogConfig:
    """How a process logs: `secrets` are values to take out of every line wherever they stand."""

    part: str
    level: str = "INFO"
    directory: Path | None = None
    secrets: tuple[str, ...] = ()


def get(channel: Channel = "application") -> BoundLogger:
    """The logger of a channel: `get().info("feed.reconnected", venue="okx")`.

    That of `access` is made by `configure` and is the same for everybody: take it after that.
    """
    short = _find_lines(channel)
    return structlog.stdlib.get_logger(channel) if short is None else cast("BoundLogger", short.logger)


def get_request_log() -> Callable[[str, Mapping[str, object]], None]:
    """Return what writes a line of INFO into the access channel, from an event and its fields; take it as `get`."""
    short, log = _find_lines(ACCESS), get(ACCESS)
    return (lambda event, fields: log.info(event, **fields)) if short is None else short.write_info


def _find_lines(channel: Channel) -> Lines | None:
    return next((one for one in logging.getLogger(channel).handlers if isinstance(one, Lines)), None)


def configure(config: LogConfig, stream: TextIO | None = None) -> None:
    """Send everything, the libraries' own lines too, through one chain to the stream and the files; may be repeated."""
    out = sys.stdout if stream is None else stream
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_chain(), ProcessorFormatter.wrap_for_formatter],
        wrapper_class=BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    readable = out.isatty()
    screen = _Screen(out)
    screen.setFormatter(_formatter(config, readable=readable))
    _replace_handlers(logging.getLogger(), [screen])
    logging.getLogger().setLevel(config.level)
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)
    for channel in CHANNELS:
        _replace_handlers(logging.getLogger(channel), _files(config, channel))
    if not readable:
        _shorten_access(config, out)
    if config.directory is not None:
        logging.getLogger().addHandler(_file(config, f"{_file_stem(config)}.log", skip=("access", "audit", "webhooks")))


class _Screen(logging.StreamHandler[TextIO]):
    """A stream whose reader may go, as `head` does: then it says no more and ends the process with SIGTERM."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the base's name
        """End on a closed pipe; say any other error as the base does."""
        if isinstance(sys.exc_info()[1], BrokenPipeError):
            abandon(self.stream)
            signal.raise_signal(signal.SIGTERM)
        else:
            super().handleError(record)


def _shorten_access(config: LogConfig, out: TextIO) -> None:
    """Let the lines of the access channel go to the stream and their file without the chain."""
    logger = logging.getLogger(ACCESS)
    (file,) = logger.handlers or (None,)
    level = logging.getLevelNamesMapping()[config.level]
    rules = LineRules(redactor(config.secrets), text_redactor(config.secrets), config.part, level)
    short = Lines(out, cast("RotatingFileHandler | None", file), rules)
    short.setFormatter(_formatter(config, readable=False))
    if file is not None:
        logger.removeHandler(file)
    logger.addHandler(short)
    logger.propagate = False


def _chain() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]


def _formatter(config: LogConfig, *, readable: bool) -> ProcessorFormatter:
    redact = redactor(config.secrets)

    def without_secrets(_logger: object, _method: str, event: EventDict) -> EventDict:
        return cast("EventDict", redact({**event, "part": config.part}))

    renderer: Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if readable
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    # The exception is text by now (format_exc_info stands in the chain), so redaction sees it.
    return ProcessorFormatter(
        foreign_pre_chain=_chain(),
        processors=[ProcessorFormatter.remove_processors_meta, without_secrets, renderer],
    )


def _files(config: LogConfig, channel: Channel) -> list[logging.Handler]:
    if config.directory is None or channel == "application":
        return []
    if channel == "webhooks":
        return [_file(config, "webhooks.log")] if config.part == _DELIVERS else []
    return [_file(config, f"{channel}.log" if config.part == "api" else f"{channel}-{config.part}.log")]


def _file_stem(config: LogConfig) -> str:
    return "gpt-api" if config.part == "api" else config.part


def _file(config: LogConfig, name: str, skip: Iterable[str] = ()) -> logging.Handler:
    if config.directory is None:
        raise ValueError("a log file needs a directory")
    config.directory.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(
        config.directory / name, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8"
    )
    handler.setFormatter(_formatter(config, readable=False))
    skipped = frozenset(skip)
    handler.addFilter(lambda record: record.name not in skipped)
    return handler


def _replace_handlers(logger: logging.Logger, handlers: Iterable[logging.Handler]) -> None:
    for old in logger.handlers[:]:
        logger.removeHandler(old)
        old.close()
    for new in handlers:
        logger.addHandler(new)
    logger.propagate = True
