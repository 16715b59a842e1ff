"""Event ids: a place in each stream, read back as it was written, and nothing else."""

from __future__ import annotations

import pytest

from api.stream.events.cursor import UnknownCursorError, format_cursor, parse_cursor
from contracts.streams import LIQUIDATIONS, SIGNALS
from runtime.app.resume import Mark


def test_an_id_is_read_as_it_was_written() -> None:
    places = {SIGNALS: Mark(41, 1_764_139_999_123_456_789, exact=True), LIQUIDATIONS: Mark(0, 5, exact=True)}
    assert parse_cursor(format_cursor(places).decode()) == places


@pytest.mark.parametrize(
    "text", ["41", "SIGNALS:1", "MARKET:1:2", "SIGNALS:1:2,", "SIGNALS:-1:2", "a" * 5000, "SIGNALS:1:2;"]
)
def test_no_other_text_is_an_id(text: str) -> None:
    with pytest.raises(UnknownCursorError):
        parse_cursor(text)
