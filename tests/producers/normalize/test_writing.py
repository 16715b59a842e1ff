"""The compiled form of writers: what it writes itself, what it leaves to the generated form, and what is an error."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from msgspec import Raw

from deploy import extension

try:
    compiled: Any = importlib.import_module("producers.normalize.compiled.writing")
except ImportError:
    compiled = None
pytestmark = pytest.mark.skipif(compiled is None, reason="not built here")
END = b"\r\n"
TEXT = (b"PUB s ", b"", (b'{"id":', b',"v":', b"}"), END)
VALUES = (("id", "ts_event", "ts_recv", "v"), (..., None, ..., None), (0, 3), None)


class LeftError(Exception):
    """What is raised where the generated form would write."""


def left(*given: Any, **values: Any) -> Any:
    raise LeftError(given, values)


def writer(text: Any = TEXT, values: Any = VALUES, detail: Any = (None, None), named: int = -1) -> Any:
    return compiled.Writer(left, lambda *message: message, "route", text, values, detail, 100, named).write


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, b"null"),
        (True, b"true"),
        (False, b"false"),
        (0, b"0"),
        (-1, b"-1"),
        (2**63 - 1, b"9223372036854775807"),
        (-(2**63), b"-9223372036854775808"),
        ("", b'""'),
        ("é我", '"é我"'.encode()),
        (Raw(b"[1, 2]"), b"[1, 2]"),
        (Raw('{"a":"b"}'), b'{"a":"b"}'),
        ([], b"[]"),
        ([("1", "0")], b'[["1","0"]]'),
        ([("1", "0"), ("2.5", "é")], '[["1","0"],["2.5","é"]]'.encode()),
    ],
)
def test_values_are_written_as_json(value: Any, expected: bytes) -> None:
    body = b'{"id":"a","v":' + expected + b"}"
    parts = (b"PUB s %d\r\n" % len(body), body, END)
    assert writer()(id="a", ts_recv=5, v=value) == ("route", parts, None)
    assert writer()(v=value, ts_recv=5, id="a") == ("route", parts, None)


ODD_LEVELS = [[["1", "0"]], [("1",)], [("1", 2)], [("1", '"')]]


@pytest.mark.parametrize(
    "given",
    [
        *({"v": value} for value in (2**63, -(2**63) - 1, 'a"', "a\\", "\n", "\x7f", "\ud800", 1.5, {}, *ODD_LEVELS)),
        *({"id": value} for value in ("", "é", "x" * 257, None, 5, 'a"', b"a")),
        *({"ts_event": value} for value in (0, -1, 106, "1", True, 2**63)),
        *({"ts_recv": value} for value in (-1, None, "5", 2**64)),
        {"other": 1},
    ],
)
def test_what_is_unusual_is_left_to_the_generated_form(given: dict[str, Any]) -> None:
    values = {"id": "a", "ts_recv": 5} | given
    if given.get("ts_event") is True:  # no number of nanoseconds is 1
        values["ts_event"] = 0
    with pytest.raises(LeftError) as raised:
        writer()(**values)
    assert raised.value.args == ((), values)


def test_missing_values_and_values_by_place_are_left_to_the_generated_form() -> None:
    for given, values in (((), {"id": "a"}), ((), {}), (("a",), {"ts_recv": 5})):
        with pytest.raises(LeftError) as raised:
            writer()(*given, **values)
        assert raised.value.args == (given, values)


def test_a_value_that_must_be_a_name_is_held_to_it() -> None:
    write = writer(named=3)
    assert write(id="a", ts_recv=5, v="x-1")
    for name in ("", "é", "y" * 257, None, 5):
        with pytest.raises(LeftError):
            write(id="a", ts_recv=5, v=name)


def test_ids_of_numbers_headers_and_details() -> None:
    text = (b"HPUB s ", b"NATS/1.0\r\nNats-Msg-Id: ", (b'{"id":', b',"n":', b',"t":', b"}"), END)
    values = (("number", "ts_event", "ts_recv", "(known)"), (..., None, ..., "k"), (0, 0, 1), b"a.")
    write = writer(text, values, (None, (0, 3)))
    _, (command, body, end), detail = write(number=7, ts_event=105, ts_recv=5)
    headers = b"NATS/1.0\r\nNats-Msg-Id: a.7\r\n\r\n"
    assert command == b"HPUB s %d %d\r\n" % (len(headers), len(headers) + len(body)) + headers
    assert (body, end, detail) == (b'{"id":"a.7","n":"7","t":105}', END, ("7", "k"))
    for number in (-1, True, "7", 2**63):
        with pytest.raises(LeftError):
            write(number=number, ts_recv=5)
    assert writer(text, values, (list, (0, 3))) is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": (b"", b"", (), END)},
        {"text": (b"", b"", (b"", b""), END)},
        {"text": (b"", b"", (b"", "a", b""), END)},
        {"values": (("id",), (...,), (0,), None)},
        {"values": (("id", "b", "c"), (..., 1), (0, 1), None)},
        {"values": (("id", "b", "c"), (..., 1, 1), (1, 0), None)},
        {"values": (("id", "b", "c"), (..., 1, 1), (0, 3), None)},
        {"values": (("id", "b", "c"), (..., 1, 1), (0, 1), "text")},
        {"detail": (None, (9,))},
        {"detail": (None, 5)},
        {"named": 4},
    ],
)
def test_what_is_no_writer_is_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        writer(**wrong)


def test_the_built_file_is_of_the_source_as_it_is_now() -> None:
    source = next(path for path in extension.SOURCES if path.stem == "writing")
    assert extension.digest_of(source) == compiled.SOURCE, "stale: make venv-dev builds it again"
