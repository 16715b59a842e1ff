"""The compiled form of splitting chunks: the same messages, places and errors as the Python form, whatever comes."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deploy import extension
from runtime.nats.lanes import framing, parser
from runtime.nats.lanes.framing import Lines

try:
    compiled: Any = importlib.import_module("runtime.nats.lanes.compiled.framing")
except ImportError:
    compiled = None
pytestmark = pytest.mark.skipif(compiled is None, reason="not built here")

WORDS = st.sampled_from([b"md.v1.trade.a.B.C.spot", b"s", b"", b"\xff", b"1", b"2", b"$JS.ACK.x.1.2"])
SIZES = st.sampled_from([b"0", b"1", b"5", b"05", b"-5", b"+5", b"1_0", b"x", b"", b"4096", b"12345678901"])
BODIES = st.sampled_from([b"", b"hello", b"hello\r\n", b"x\r\n", b"NATS/1.0\r\n\r\nhello\r\n", b"12345678"])
ODD_LINES = st.builds(
    lambda kind, words, sizes, end, body: b" ".join([kind, *words, *sizes]) + end + body,
    st.sampled_from([b"MSG", b"HMSG", b"MSGS", b"H", b"PING", b""]),
    st.lists(WORDS, max_size=4),
    st.lists(SIZES, max_size=3),
    st.sampled_from([b"\r\n", b"\n", b"", b"\r"]),
    BODIES,
)


def message(subject: bytes, number: bytes, reply: bytes, headers: bytes, payload: bytes) -> bytes:
    words = [subject, number, *([reply] if reply else [])]
    sizes = [b"%d" % len(headers), b"%d" % (len(headers) + len(payload))] if headers else [b"%d" % len(payload)]
    line = b" ".join([b"HMSG" if headers else b"MSG", *words, *sizes])
    return line + b"\r\n" + headers + payload + b"\r\n"


MESSAGES = st.builds(
    message,
    st.sampled_from([b"md.v1.trade.a.B.C.spot", b"s", b"\xff", b"_INBOX_bot.x.1", b"_INBO"]),
    st.sampled_from([b"1", b"1", b"2", b"7"]),
    st.sampled_from([b"", b"", b"$JS.ACK.x.1.2"]),
    st.sampled_from([b"", b"NATS/1.0\r\nA: b\r\n\r\n"]),
    st.sampled_from([b"", b"hello", b"a\r\nMSG s 1 5\r\nb", b"x" * 5000, b"\x00\n"]),
)
CHUNKS = st.lists(st.one_of(MESSAGES, MESSAGES, MESSAGES, ODD_LINES), max_size=8).map(b"".join)


def said(split: Any, data: bytes, at: int, lines: Lines) -> Any:
    try:
        return split(data, at, lines)
    except (ValueError, IndexError) as error:  # of a line that no server writes
        return type(error)


@given(CHUNKS, st.integers(0, 40), st.integers(0, 60))
@example(message(b"s", b"1", b"", b"", b"hello") * 3, 0, 0)
@example(b"MSG  1 5\r\nhello\r\n", 0, 0)
@example(b"HMSG s 1 9 5\r\nhello\r\n", 0, 0)
def test_chunks_are_split_as_by_python(chunk: bytes, begin: int, less: int) -> None:
    data = chunk[: len(chunk) - less] if less < len(chunk) else chunk
    at = min(begin, len(data))
    mine = Lines({b"1": "a lane", b"2": "another"}, {}, 3)
    theirs = mine._replace(places={})
    for _ in range(2):  # the second time lines are known
        assert said(compiled.split, data, at, mine) == said(framing.split, data, at, theirs)
        assert len(mine.places) <= 3


@pytest.mark.parametrize("split", [framing.split, compiled and compiled.split])
def test_answers_each_of_which_has_a_subject_of_its_own_leave_nothing_behind(split: Any) -> None:
    lines = Lines({b"1": "a lane"}, {}, 1000)
    for inbox in (b"_INBOX", b"_INBOX_consumers"):
        for number in range(100):
            answer = message(inbox + b".x.%d" % number, b"%d" % (1 + number % 2), b"", b"", b"{}")
            split(answer, 0, lines)
    split(message(b"_INBO", b"1", b"", b"", b"") + message(b"md.v1.trade.a.B.C.spot", b"1", b"", b"", b""), 0, lines)
    assert len(lines.places) == 2


def test_what_is_no_chunk_is_an_error() -> None:
    lines = Lines({}, {}, 3)
    for wrong in (("text", 0, lines), (b"", -1, lines), (b"", 0, ()), (b"", 0, ([], {}, 3))):
        with pytest.raises((TypeError, ValueError)):
            compiled.split(*wrong)


def test_the_compiled_form_is_used_and_of_the_source_as_it_is_now() -> None:
    assert parser.split is compiled.split
    source = next(path for path in extension.SOURCES if path.stem == "framing")
    assert extension.digest_of(source) == compiled.SOURCE, "stale: make venv-dev builds it again"
