"""Bitfinex's checksum of a book: CRC-32, signed, of its best 25 levels a side (https://docs.bitfinex.com/docs/ws-websocket-checksum).

Bid and ask of each rank follow each other, amounts of asks are negative: `91000:0.5:91001:-0.2:90999:…`. Numbers are
written as the venue writes them in its frames, which is with an exponent below a millionth.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

from producers.normalize.numbers import Row
from producers.venue import BookChecksum

DEPTH: Final = 25
_TINY: Final = "0.000000"
_HALF: Final = 1 << 31


def compute(bids: Sequence[Row], asks: Sequence[Row]) -> int:
    """Sum the best levels, best first."""
    crc = zlib.crc32(":".join(_parts(bids[:DEPTH], asks[:DEPTH])).encode())
    return crc - (1 << 32) if crc >= _HALF else crc


def _parts(bids: Sequence[Row], asks: Sequence[Row]) -> Iterator[str]:
    for bid, ask in zip_longest(bids, asks):
        if bid is not None:
            yield from (written(bid[0]), written(bid[1]))
        if ask is not None:
            yield from (written(ask[0]), f"-{written(ask[1])}")


def written(text: str) -> str:
    """Write a number as the venue does: `0.0000005` is `5e-7`."""
    if not text.startswith(_TINY):
        return text
    digits = text[2:].lstrip("0")
    exponent = len(text) - 2 - len(digits) + 1
    digits = digits.rstrip("0")
    return f"{digits[0]}{'.' if len(digits) > 1 else ''}{digits[1:]}e-{exponent}" if digits else "0"


CHECKSUM: Final = BookChecksum(DEPTH, compute)
