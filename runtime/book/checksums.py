"""The checksums by which venues let a book be verified, by name, for every process that keeps books. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

from runtime.book.rule import BookChecksum

Row = tuple[str, str]
KRAKEN_LEVELS: Final = 10  # whatever the subscribed depth
BITFINEX_LEVELS: Final = 25
_TINY: Final = "0.000000"
_HALF: Final = 1 << 31


def sum_kraken(bids: Sequence[Row], asks: Sequence[Row]) -> int:
    """Sum the ten best levels a side, asks first: price and amount without point and leading zeros, joined, CRC-32.

    https://docs.kraken.com/exchange/guides/websockets/book-checksum-v2
    """
    text = "".join(
        price.replace(".", "").lstrip("0") + amount.replace(".", "").lstrip("0")
        for price, amount in (*asks[:KRAKEN_LEVELS], *bids[:KRAKEN_LEVELS])
    )
    return zlib.crc32(text.encode())


def sum_bitfinex(bids: Sequence[Row], asks: Sequence[Row]) -> int:
    """Sum the best 25 levels a side, best first: CRC-32, signed.

    Bid and ask of each rank follow each other, amounts of asks are negative: `91000:0.5:91001:-0.2:90999:…`. Numbers
    are written as the venue writes them in its frames, which is with an exponent below a millionth.
    https://docs.bitfinex.com/docs/ws-websocket-checksum
    """
    crc = zlib.crc32(":".join(_parts(bids[:BITFINEX_LEVELS], asks[:BITFINEX_LEVELS])).encode())
    return crc - (1 << 32) if crc >= _HALF else crc


def _parts(bids: Sequence[Row], asks: Sequence[Row]) -> Iterator[str]:
    for bid, ask in zip_longest(bids, asks):
        if bid is not None:
            yield from (write_bitfinex(bid[0]), write_bitfinex(bid[1]))
        if ask is not None:
            yield from (write_bitfinex(ask[0]), f"-{write_bitfinex(ask[1])}")


def write_bitfinex(text: str) -> str:
    """Write a number as the venue does: `0.0000005` is `5e-7`."""
    if not text.startswith(_TINY):
        return text
    digits = text[2:].lstrip("0")
    exponent = len(text) - 2 - len(digits) + 1
    digits = digits.rstrip("0")
    return f"{digits[0]}{'.' if len(digits) > 1 else ''}{digits[1:]}e-{exponent}" if digits else "0"


KRAKEN: Final = BookChecksum("kraken", KRAKEN_LEVELS, sum_kraken)
BITFINEX: Final = BookChecksum("bitfinex", BITFINEX_LEVELS, sum_bitfinex)
CHECKSUMS: Final = {method.name: method for method in (KRAKEN, BITFINEX)}
