"""Checksums of venues by the text that each sums, as its documentation has it."""

from __future__ import annotations

import zlib

import pytest

from runtime.book.checksums import CHECKSUMS, sum_bitfinex, sum_kraken, write_bitfinex

Rows = list[tuple[str, str]]


def test_checksums_are_found_by_name_with_the_levels_that_they_cover() -> None:
    found = {name: (method.name, method.depth, method.compute) for name, method in CHECKSUMS.items()}
    assert found == {"kraken": ("kraken", 10, sum_kraken), "bitfinex": ("bitfinex", 25, sum_bitfinex)}


def test_kraken_sums_asks_and_then_bids_without_points_and_leading_zeros() -> None:
    asks: Rows = [("45285.2", "0.00100000"), ("45286.4", "1.54571953")]
    bids: Rows = [("0.0500", "10.0")]
    assert sum_kraken(bids, asks) == zlib.crc32(b"452852100000452864154571953500100")
    assert sum_kraken([], []) == 0


def test_kraken_sums_the_best_ten_levels_of_each_side() -> None:
    bids, asks = [(str(90 - at), "1") for at in range(12)], [(str(100 + at), "2") for at in range(12)]
    text = "".join(f"{100 + at}2" for at in range(10)) + "".join(f"{90 - at}1" for at in range(10))
    assert sum_kraken(bids, asks) == zlib.crc32(text.encode())


def test_bitfinex_sums_both_sides_rank_by_rank_with_negative_asks() -> None:
    bids: Rows = [("91000", "0.5"), ("90999", "0.0000005")]
    asks: Rows = [("91001", "0.2"), ("91002", "1"), ("91003", "3")]
    text = b"91000:0.5:91001:-0.2:90999:5e-7:91002:-1:91003:-3"
    assert sum_bitfinex(bids, asks) % (1 << 32) == zlib.crc32(text)
    assert sum_bitfinex(asks, bids) % (1 << 32) == zlib.crc32(b"91001:0.2:91000:-0.5:91002:1:90999:-5e-7:91003:3")


def test_bitfinex_sums_the_best_25_levels_of_each_side() -> None:
    bids, asks = [(str(900 - at), "1") for at in range(27)], [(str(901 + at), "2") for at in range(27)]
    text = ":".join(f"{900 - at}:1:{901 + at}:-2" for at in range(25))
    assert sum_bitfinex(bids, asks) % (1 << 32) == zlib.crc32(text.encode())


@pytest.mark.parametrize("crc", [0, 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 1])
def test_bitfinex_says_its_sum_with_a_sign(crc: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zlib, "crc32", lambda _text: crc)
    assert sum_bitfinex([], []) == int.from_bytes(crc.to_bytes(4), signed=True)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("0.000001", "0.000001"),
        ("0.0000005", "5e-7"),
        ("0.00000052", "5.2e-7"),
        ("0.0000005000", "5e-7"),
        ("0.00000001", "1e-8"),
        ("0.000000123450", "1.2345e-7"),
        ("0.0000000", "0"),
        ("0", "0"),
        ("10.0000005", "10.0000005"),
    ],
)
def test_bitfinex_writes_what_is_below_a_millionth_with_an_exponent(text: str, written: str) -> None:
    assert write_bitfinex(text) == written
