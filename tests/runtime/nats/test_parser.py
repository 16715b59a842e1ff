"""The lanes' parser: every form of message, however the socket cuts it, is taken once, whole and in order."""

from __future__ import annotations

from typing import Any, cast

import pytest
from nats.protocol.parser import Parser

from runtime.nats.lanes.parser import LaneParser, Message

HEADERS = b"NATS/1.0\r\nHydrophone-Schema: trade/1\r\nNats-Msg-Id: a.1\r\n\r\n"
ACK = b"$JS.ACK.MARKET.c.1.7.7.1795291200000000000.0"


class Inner:
    """Stands where nats-py's parser does and keeps what it is passed."""

    def __init__(self) -> None:
        self.passed: list[bytes] = []

    async def parse(self, data: bytes) -> None:
        self.passed.append(data)

    def reset(self) -> None:
        self.passed.clear()


class Taken:
    """A lane that keeps all it takes."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def take(self, messages: list[Message], /) -> None:
        assert messages
        self.messages += messages


def write(message: Message, sid: bytes = b"1") -> bytes:
    """Write a message as the server sends it."""
    subject, payload, reply, headers = message
    words = [subject, sid, *([reply] if reply else [])]
    if headers:
        line = [b"HMSG", *words, b"%d" % len(headers), b"%d" % (len(headers) + len(payload))]
    else:
        line = [b"MSG", *words, b"%d" % len(payload)]
    return b" ".join(line) + b"\r\n" + headers + payload + b"\r\n"


def made() -> tuple[LaneParser, Inner, Taken]:
    inner, lane = Inner(), Taken()
    parser = LaneParser(cast("Parser", cast("Any", inner)), {"in_msgs": 0})
    parser.lanes[b"1"] = lane
    return parser, inner, lane


FORMS: dict[str, Message] = {
    "plain": (b"md.v1.ticker.a.B.C.spot", b'{"id":1}', b"", b""),
    "with headers": (b"md.v1.trade.a.B.C.spot", b'{"id":2}', b"", HEADERS),
    "of a stream": (b"md.v1.ticker.a.B.C.spot", b'{"id":3}', ACK, b""),
    "of a stream with headers": (b"md.v1.trade.a.B.C.spot", b'{"id":4}', ACK, HEADERS),
    "empty": (b"md.v1.trade.a.B.C.spot", b"", b"", b""),
    "control": (b"_INBOX.x", b"", b"$JS.FC.x", b"NATS/1.0 100 FlowControl Request\r\n\r\n"),
    "lines within": (b"md.v1.trade.a.B.C.spot", b"a\r\nMSG x 1 5\r\nb\r\n", b"", b""),
    "no text": (b"md.v1.trade.\xff.B.C.spot", b"\x00\xff", b"", HEADERS),
    "long": (b"md.v1.book.a.B.C.spot", b"x" * 5000, b"", b""),
}


@pytest.mark.parametrize("name", FORMS)
async def test_a_message_cut_anywhere_is_taken_once_and_whole(name: str) -> None:
    message = FORMS[name]
    row = [FORMS["plain"], message, FORMS["with headers"], message]
    data = b"".join(map(write, row))
    for cut in range(len(data) if len(data) < 1000 else 300):
        parser, inner, lane = made()
        await parser.parse(data[:cut])
        await parser.parse(data[cut:])
        assert lane.messages == row, cut
        assert not inner.passed


async def test_all_forms_byte_by_byte_with_commands_between() -> None:
    parser, inner, lane = made()
    commands = [
        b"PING\r\n",
        b"+OK\r\n",
        b"-ERR 'x'\r\n",
        write(FORMS["plain"], b"7"),
        write(FORMS["with headers"], b"7"),
    ]
    row = list(FORMS.values())
    data = b"".join(write(message) + command for message, command in zip(row, commands * 2, strict=False))
    for at in range(len(data)):
        await parser.parse(data[at : at + 1])
    assert lane.messages == row
    assert inner.passed == (commands * 2)[: len(row)]


async def test_lanes_take_their_own_messages_in_order_and_none_after_they_are_gone() -> None:
    parser, inner, lane = made()
    other = parser.lanes[b"2"] = Taken()
    row = [(FORMS["plain"], b"1"), (FORMS["plain"], b"2"), (FORMS["with headers"], b"1"), (FORMS["empty"], b"2")]
    data = b"".join(write(message, sid) for message, sid in row)
    await parser.parse(data)
    assert lane.messages == [FORMS["plain"], FORMS["with headers"]]
    assert other.messages == [FORMS["plain"], FORMS["empty"]]
    del parser.lanes[b"2"]
    await parser.parse(data)
    assert len(lane.messages) == 4
    assert len(other.messages) == 2
    assert inner.passed == [write(FORMS["plain"], b"2"), write(FORMS["empty"], b"2")]


async def test_what_is_remembered_of_lines_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.nats.lanes.parser._MOST_PLACES", 10)
    parser, _, lane = made()
    row: list[Message] = [(b"s.%d" % number, b"x", b"", b"") for number in range(100)]
    await parser.parse(b"".join(map(write, row)) * 2)
    assert lane.messages == row * 2
    assert len(parser._lines.places) <= 10
