"""Plain frames by tables and by the venues' own decoders: the same bytes, the same errors, whatever was sent."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from producers.normalize import tables, writing
from producers.normalize.events import Makers
from producers.registry import VENUES
from tests.producers.test_conformance import Play, played
from tests.producers.test_mutated_frames import mutated, received

DAMAGED = (120, pytest.param(10_000, marks=pytest.mark.long))
pytestmark = pytest.mark.skipif(not writing.is_compiled(), reason="not built here")
Decode = Callable[[bytes, int], Any]


def said(decode: Decode, frame: bytes, ts_recv: int) -> list[Any]:
    """Return what becomes of a frame: the bytes of its events, or its error."""
    try:
        events = decode(frame, ts_recv)
    except Exception as error:  # noqa: BLE001 - both are to raise the same
        return [type(error), str(error)]
    return [
        (b"".join(event.parts), event.detail if event.kind == "trade" else None) if hasattr(event, "parts")
        else (type(event), str(event.__reduce__()[1:]) if event.kind == "unreadable" else repr(event))
        for event in events
    ]  # fmt: skip


def both(play: Play, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Decode, Decode, list[tuple[str, int]]]]:
    """Give both ways to decode for each connection, with what it received."""
    for connection in play.connections:
        market = connection.plan.market

        def make(market: str = market) -> Decode:
            find = lambda symbol: play.exchange.find(market, symbol)  # noqa: E731 - of this market
            return play.venue.decoder(market, find, makers=Makers(sim=True, written=True)).decode

        with without_tables(monkeypatch):
            own = make()

        def decode(frame: bytes, ts_recv: int, own: Decode = own) -> Any:
            with without_tables(monkeypatch):  # routes are made with the first frame of a channel
                return own(frame, ts_recv)

        yield make(), decode, received(connection)


@contextmanager
def without_tables(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Do as if nothing were compiled."""
    with monkeypatch.context() as patched:
        patched.setattr(tables, "is_compiled", lambda: False)
        yield


@pytest.mark.parametrize("damaged", DAMAGED)
@pytest.mark.parametrize("venue_id", sorted(VENUES))
def test_frames_give_the_same_by_tables_and_without(
    venue_id: str, damaged: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(venue_id)
    for by_tables, own, frames in both(played(venue_id), monkeypatch):
        for text, ts_recv in frames[:200]:
            assert said(by_tables, text.encode(), ts_recv) == said(own, text.encode(), ts_recv), text
        for text, ts_recv in rng.choices(frames, k=damaged if frames else 0):
            frame = mutated(text, rng)
            assert said(by_tables, frame, ts_recv) == said(own, frame, ts_recv), frame
