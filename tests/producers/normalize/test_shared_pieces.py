"""What venues share to make events: topics, ids of equal rows, books and pauses of REST answers."""

from __future__ import annotations

import pytest

from contracts import codec
from contracts.instrument import make_instrument
from producers.normalize.ids import distinct
from producers.normalize.topics import Topics
from producers.rest.answers import make_book, named_pause

BTC = make_instrument("gate", "BTC/USDT", "BTC_USDT")


def test_topics_are_made_once_and_not_where_the_name_is_refused() -> None:
    made: list[str] = []

    def make(name: str) -> str:
        if name == "odd":
            raise ValueError(name)
        made.append(name)
        return name.upper()

    topics = Topics(make)
    assert [topics["btc"], topics["btc"]] == ["BTC", "BTC"]
    assert made == ["btc"]
    with pytest.raises(ValueError, match="odd"):
        topics["odd"]
    assert list(topics) == ["btc"]


def test_equal_rows_of_a_frame_have_ids_of_their_own() -> None:
    seen: dict[str, int] = {}
    assert [distinct(seen, name) for name in ("a", "b", "a", "a")] == ["a", "b", "a-1", "a-2"]


def test_book_of_an_answer_is_fit_for_the_bus() -> None:
    book = make_book(BTC, "rest-7", sim=False, ts_recv=9, bids=[("1", "2")], asks=[("3", "4")], seq=7)
    assert (book.id, book.quality, book.seq, book.ts_event) == (f"{BTC.tail}.book.rest-7", "live", 7, None)
    body = codec.encode(book)
    assert codec.encode(codec.decoder(codec.EVENTS["book"]).decode(body)) == body


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("0", 0.0), ("", 3.0), ("Wed, 21 Oct", 3.0), ("\u0663", 3.0), ("²", 3.0)]
)
def test_pause_is_what_the_venue_names_or_else_ours(header: str, seconds: float) -> None:
    assert named_pause({"retry-after": header}, 3.0) == seconds
    assert named_pause({}) is None
