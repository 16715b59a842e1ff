"""Figures that are checked at one go are checked as strictly as one by one."""

from __future__ import annotations

import pytest

from producers.venues.coinbase import wire as coinbase

WIRES = pytest.mark.parametrize("wire", [coinbase])


@WIRES
def test_plain_numbers_and_empty_texts_pass_together(wire):
    assert wire.are_plain(("0", "1.50", "", "12345.678"))
    assert wire.are_plain(("",))


@WIRES
@pytest.mark.parametrize("bad", ["1,5", ",", "-1", "1.2.3", "1e5", "5.", ".5", "\u0663", " 1", "1\n", "NaN"])
def test_one_text_that_is_no_plain_number_fails_all(wire, bad):
    assert not wire.are_plain(("1", bad, "2"))
