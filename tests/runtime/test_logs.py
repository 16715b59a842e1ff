"""Logs: one chain for everybody, nothing secret in any line, files where wanted."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.logging.logs import LogConfig, configure, get
from runtime.logging.redact import partial, redact_text


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


def test_requests_of_ccxt_with_their_keys_are_in_no_log_at_any_level() -> None:
    out = io.StringIO()
    configure(LogConfig(part="consumers", level="DEBUG"), out)
    logging.getLogger("ccxt.base.exchange").debug("POST https://example.org/?signature=abc, Request: {key}")
    assert lines(out) == []


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


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece", ["x", "1", "a-", "a.", "://", "a://", "bearer ", "token ", "token\t", "api_key", "1:", "://a", "x=", "_"]
)
def test_a_stranger_s_long_text_is_redacted_in_time_in_proportion_to_it(piece: str) -> None:
    text = piece * (500_000 // len(piece))  # a pattern that starts over at each place would take hours
    assert len(redact_text(text)) <= len(text) + 1


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


def test_deliveries_of_webhooks_have_a_file_of_their_own(tmp_path: Path) -> None:
    configure(LogConfig(part="consumers", directory=tmp_path), io.StringIO())
    get().info("application.line")
    get("webhooks").info("webhook.line")
    assert "webhook.line" in (tmp_path / "webhooks.log").read_text()
    assert "webhook.line" not in (tmp_path / "consumers.log").read_text()


def test_configuring_twice_writes_once() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure(LogConfig(part="api"), first)
    configure(LogConfig(part="api"), second)
    get().info("once")
    assert (first.getvalue(), len(lines(second))) == ("", 1)


@pytest.mark.parametrize("terminal", [False, True])
def test_access_line_is_redacted_and_levelled_like_the_others(terminal: bool, tmp_path: Path) -> None:
    out = Terminal() if terminal else io.StringIO()
    configure(LogConfig(part="api", secrets=(SECRET,), directory=tmp_path), out)
    access = get("access")
    access.debug("unseen")
    for _ in range(2):  # the second one is remembered
        access.info(
            "request",
            path=f"/gpt/raw/{SECRET}?token=abcdefghijklmnop",
            api_key="abcdefghijklmnop",
            headers={"Authorization": "Bearer abcdefghijklmnop"},
            status=200,
            ms=0.25,
            code=None,
            thing=RuntimeError(SECRET),
        )
    text = out.getvalue() + (tmp_path / "access.log").read_text()
    assert SECRET not in text
    assert "efghijklmnop" not in text
    assert "unseen" not in text
    first, second = (json.loads(line) for line in (tmp_path / "access.log").read_text().splitlines())
    assert {**first, "timestamp": ""} == {**second, "timestamp": ""}
    assert (first["event"], first["status"], first["ms"], first["code"]) == ("request", 200, 0.25, None)
    assert (first["level"], first["logger"], first["part"]) == ("info", "access", "api")
    assert str(first["timestamp"]).endswith("Z")
    assert first["api_key"] == "abcd…"


def test_access_line_of_a_library_and_of_an_exception_go_the_same_way(tmp_path: Path) -> None:
    out = io.StringIO()
    configure(LogConfig(part="api", secrets=(SECRET,), directory=tmp_path), out)
    logging.getLogger("access").info("from elsewhere")
    try:
        raise RuntimeError(SECRET)
    except RuntimeError:
        get("access").exception("failed")
    assert out.getvalue() == (tmp_path / "access.log").read_text()
    assert [line["event"] for line in lines(out)] == ["from elsewhere", "failed"]
    assert "RuntimeError" in str(lines(out)[1]["exception"])
    assert SECRET not in out.getvalue()


def test_access_file_is_turned_over_and_no_line_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.logging.logs.FILE_BYTES", 2000)
    configure(LogConfig(part="api", directory=tmp_path), io.StringIO())
    for number in range(40):
        get("access").info("request", number=number, path="é" * 20)
    files = [
        tmp_path / name for name in ("access.log.5", "access.log.4", "access.log.3", "access.log.2", "access.log.1")
    ]
    held = [file for file in (*files, tmp_path / "access.log") if file.exists()]
    numbers = [json.loads(line)["number"] for file in held for line in file.read_text().splitlines()]
    assert numbers == list(range(40))
    assert len(held) > 2
    assert all(file.stat().st_size <= 2000 for file in held)
