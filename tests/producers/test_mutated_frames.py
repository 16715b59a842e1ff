"""Frames that were changed at random: nothing escapes the reader, and what comes out is accepted by the contract."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import pytest

from contracts import codec
from producers.connection.session import Session, SessionParts
from producers.normalize.messages import Message
from producers.registry import VENUES
from runtime.book.books import BookPace
from runtime.nats.lanes.message import Parts, split_message
from tests.producers.test_conformance import Play, played

FRAMES: Final = (3000, pytest.param(10_000, marks=pytest.mark.long))
ODD: Final = (
    *("1e400", "1e-400", "-1", "0", "0.0", "00012", "1_000", ".5", "5.", "9" * 80, "0." + "1" * 80, "-0", "1e5"),
    *(str(2**63), str(-(2**63) - 1), str(2**64), str(10**30), "null", "true", "[]", "{}", "[[]]", '""', '" 1"'),
    *('"1_000"', '"1e400"', '"00012"', '".5"', '"-1"', '"0"', '"0.000"', '"NaN"', '"Infinity"', '"' + "9" * 80 + '"'),
    *(
        '"\\u0661"',
        '"\\u00b2"',
        '"1\\n"',
        '"\\ud800"',
        '"\\u0000"',
        '"x"',
        '"' + "x" * 300 + '"',
        '"ABC-XYZ-Q"',
        '"1,5"',
    ),
)
TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"(?!\s*:)|-?[0-9][0-9.eE+-]*|null|true|false')


def mutated(text: str, rng: random.Random) -> bytes:
    """Change one to three places of a frame: a value for an odd one, a field left out, a row twice, the end cut off."""
    for _ in range(rng.randint(1, 3)):
        kind = rng.random()
        if kind < 0.75:
            tokens = list(TOKEN.finditer(text))
            if tokens:
                chosen = rng.choice(tokens)
                text = text[: chosen.start()] + rng.choice(ODD) + text[chosen.end() :]
        elif kind < 0.85:
            text = re.sub(r'"[^"]*":(?:"[^"]*"|[0-9.eE+-]+|null|true|false),', "", text, count=1)
        elif kind < 0.9:
            text = text[: rng.randrange(len(text) + 1)]
        elif kind < 0.95:
            at = rng.randrange(len(text) + 1)
            text = text[:at] + rng.choice(["[", "]", "{", "}", ",", "\\", '"', "[" * 20_000]) + text[at:]
        else:
            text = text.replace("[[", "[[],[", 1)
    return text.encode("utf-8", "surrogatepass")


class Collecting:
    """The publisher and the socket of a session: keeps what it publishes."""

    def __init__(self) -> None:
        self.events: list[Parts] = []
        self.published: Counter[str] = Counter()

    def publish(self, message: Message) -> None:
        self.events.append(message.parts)

    def write(self, parts: Parts) -> None:
        self.events.append(parts)

    def is_ours(self, symbol: str) -> bool:
        return True

    def publish_state(self, *_args: Any, **_more: Any) -> None: ...

    def on_control(self, control: Any) -> None: ...

    def on_event(self, kind: str, symbol: str | None) -> None: ...

    def on_resync(self, symbol: str) -> None: ...


def sessions(play: Play, out: Collecting, unread: list[Exception]) -> Iterator[tuple[Session, list[tuple[str, int]]]]:
    """Give a session for each connection of the venue, with what it received from its exchange."""
    for connection in play.connections:
        plan = connection.plan
        parts = SessionParts(
            venue=play.venue,
            find=lambda symbol, market=plan.market: play.exchange.find(market, symbol),
            publisher=out,  # pyright: ignore[reportArgumentType]
            on_undecodable=lambda _frame, error: unread.append(error),
            pace=BookPace(interval=0.0),
        )
        session = Session(plan, parts, out)
        yield session, received(connection)


def received(connection: Any) -> list[tuple[str, int]]:
    """Return what a connection received from its exchange, unpacked, each with its time."""
    frames = (
        (gzip.decompress(item.frame) if item.frame[:2] == b"\x1f\x8b" else item.frame, item.ts_recv)
        for item in connection.received
    )
    return [(frame.decode(), ts) for frame, ts in frames]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("frames_fed", FRAMES)
@pytest.mark.parametrize("venue_id", sorted(VENUES))
def test_whatever_comes_out_of_mutated_frames_is_accepted_by_the_contract(venue_id: str, frames_fed: int) -> None:
    play, rng = played(venue_id), random.Random(venue_id)
    out, unread, fed = Collecting(), list[Exception](), 0
    tracks = [(session, frames) for session, frames in sessions(play, out, unread) if frames]
    while fed < frames_fed:
        for session, frames in tracks:
            session.open(ts=frames[0][1], now=0.0, sim=True)
            for text, ts_recv in rng.sample(frames, min(len(frames), 200)):
                session.on_frame(mutated(text, rng), ts_recv)
                fed += 1
            session.tick(ts=frames[0][1], now=1.0)
            check(out.events)
            out.events.clear()
    assert unread, "not one of them was refused"


def check(messages: list[Parts]) -> None:
    for parts in messages:
        subject, _, body = split_message(parts)
        model = codec.EVENTS[codec.kind_of(subject)]
        event = codec.decoder(model).decode(body)
        assert codec.encode(event) == body
        json.loads(body)
        model.model_validate_json(body)
        assert event.id.isascii()
        if event.ts_event is not None and event.ts_recv:
            assert 0 < event.ts_event <= event.ts_recv + 86_400 * 10**9, event
