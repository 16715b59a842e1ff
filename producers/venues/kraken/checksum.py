"""Kraken's checksum of a book (https://docs.kraken.com/exchange/guides/websockets/book-checksum-v2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from zlib import crc32

from producers.venue import BookChecksum

LEVELS: Final = 10  # whatever the subscribed depth


def compute(bids: Sequence[tuple[str, str]], asks: Sequence[tuple[str, str]]) -> int:
    """Sum the ten best levels a side, asks first: price and amount without point and leading zeros, joined, CRC-32."""
    text = "".join(
        price.replace(".", "").lstrip("0") + amount.replace(".", "").lstrip("0")
        for price, amount in (*asks[:LEVELS], *bids[:LEVELS])
    )
    return crc32(text.encode())


CHECKSUM: Final = BookChecksum(LEVELS, compute)
