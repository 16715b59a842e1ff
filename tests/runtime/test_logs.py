"""Logs: one chain for everybody, nothing secret in any line, files where wanted."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.logs import LogConfig, configure, get
from runtime.redact import partial, redact_text


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    """The root logger as pytest set it up."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    yield
    for name in ("application", "access", "audit"):
        for handler in logging.getLogger(name).handlers[:]:
            logging.getLogger(name).removeHandler(handler)
            handler.close()
    for handler in root.handlers:
        handler.close()
    root.handlers, root.level = handlers, level


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_line_is_json_where_nobody_reads_along() -> None:
    out = io.StringIO()
    configure(LogConfig(part="producers"), out)
    get().info("feed.reconnected", venue="okx", attempts=2)
    (line,) = lines(out)
    assert (line["event"], line["venue"], line["attempts"]) == ("feed.reconnected", "okx", 2)
    assert (line["part"], line["level"], line["logger"]) == ("producers", "info", "application")
    assert str(line["timestamp"]).endswith("Z")


def test_line_is_readable_on_a_terminal() -> None:
    out = Terminal()
    configure(LogConfig(part="api"), out)
    get().info("feed.reconnected", venue="okx")
    assert "feed.reconnected" in out.getvalue()
    assert not out.getvalue().startswith("{")


def test_level_holds_and_httpx_is_quiet_below_warning() -> None:
    out = io.StringIO()
    configure(LogConfig(part="api", level="INFO"), out)
    get().debug("unseen")
    logging.getLogger("httpx").info("GET https://example.org/?token=abc")
    logging.getLogger("httpx").warning("slow")
    logging.getLogger("some.library").info("seen")
    assert [line["event"] for line in lines(out)] == ["slow", "seen"]


SECRET = "s3cr3t-of-the-house"


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("through_library", [False, True])
def test_secret_in_an_exception_is_redacted_after_it_became_text(terminal: bool, through_library: bool) -> None:
    out = Terminal() if terminal else io.StringIO()
    configure(LogConfig(part="api", secrets=(SECRET,)), out)
    try:
        raise RuntimeError(f"the bus refused {SECRET} at nats://me:{SECRET}@host")
    except RuntimeError:
        if through_library:
            logging.getLogger("library").exception("failed")
        else:
            get().exception("failed")
    assert "RuntimeError" in out.getvalue()
    assert SECRET not in out.getvalue()


def test_secret_in_any_field_is_redacted() -> None:
    out = io.StringIO()
    configure(LogConfig(part="api", secrets=(SECRET,)), out)
    get("audit").info(
        f"key.created {SECRET}",
        api_key="abcdefghijklmnop",
        headers={"Authorization": "Bearer abcdefghijklmnop", "Accept": "text/html"},
        list_of=[f"x{SECRET}y"],
        thing=RuntimeError(SECRET),
        url="https://example.org/?symbol=BTC&signature=0123456789abcdef",
        monkey="banana",
    )
    text = out.getvalue()
    assert SECRET not in text
    assert "efghijklmnop" not in text
    assert "456789abcdef" not in text
    (line,) = lines(out)
    assert line["api_key"] == "abcd…"
    assert line["monkey"] == "banana"
    assert line["headers"] == {"Authorization": "Bear…", "Accept": "text/html"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("nats://token123@127.0.0.1:4222", "nats://***@127.0.0.1:4222"),
        ("mongodb://u:p@host/?x=1", "mongodb://***@host/?x=1"),
        ("Authorization: Bearer abcdefghijkl.mnop", "Authorization: Bearer abcd…"),
        ("api_key=abcdefghijklmnop&symbol=BTC", "api_key=abcd…&symbol=BTC"),
        ('{"password": "short"}', '{"password": "…"}'),
        ("bot 123456789:AAAAAAAAAABBBBBBBBBBCCCCCCCCCC12345", "bot 1234…"),
        ("md.v1.trade.binance.BTC.USDT.spot at 12:30:00", "md.v1.trade.binance.BTC.USDT.spot at 12:30:00"),
    ],
)
def test_text_loses_credentials_and_nothing_else(text: str, shown: str) -> None:
    assert redact_text(text) == shown


def test_short_key_is_not_shown_at_all() -> None:
    assert partial("abc") == "…"
    assert partial("abcdefghijkl") == "abcd…"


def test_channels_have_files_of_their_own(tmp_path: Path) -> None:
    out = io.StringIO()
    configure(LogConfig(part="api", directory=tmp_path / "logs"), out)
    get().info("application.line")
    get("access").info("access.line")
    get("audit").info("audit.line")
    found = {
        file.name: [json.loads(line)["event"] for line in file.read_text().splitlines()]
        for file in (tmp_path / "logs").iterdir()
    }
    assert found == {
        "gpt-api.log": ["application.line"],
        "access.log": ["access.line"],
        "audit.log": ["audit.line"],
    }
    assert len(lines(out)) == 3


def test_configuring_twice_writes_once() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure(LogConfig(part="api"), first)
    configure(LogConfig(part="api"), second)
    get().info("once")
    assert (first.getvalue(), len(lines(second))) == ("", 1)
