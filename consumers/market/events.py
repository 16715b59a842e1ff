"""The consolidated ticker and book of one base, quote and contract as events of the bus. Pure.

A figure that the contract of the bus cannot express is null, and a level whose sum cannot be is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2s
from typing import Any, Final

from consumers.market.consolidated import MergedLevel, Offered, merge_books
from consumers.market.price import Best, Consolidated, Quoted, decide_price
from contracts import codec
from contracts.arithmetic.exact import MOST, as_text
from contracts.consolidated import ConsolidatedBook, ConsolidatedTicker
from contracts.instrument import tail_symbol
from contracts.subjects import ALL_VENUES

DEPTH: Final = 20  # levels of each side
_TICKER: Final = codec.fast(ConsolidatedTicker)
_BOOK: Final = codec.fast(ConsolidatedBook)
Fields = dict[str, Any]


def ticker_fields(market: str, quoted: Sequence[Quoted]) -> Fields | None:
    """The ticker of a market (`<BASE>.<QUOTE>.<contract>`) but for its id; None where no venue has a price."""
    price = decide_price(quoted)
    if price is None:
        return None
    return {
        **_origin(market, price.ts_recv, sim=price.sim),
        "last": _price(price.price),
        "bid": _best(price.best_bid),
        "ask": _best(price.best_ask),
        "high_24h": _price(price.high),
        "low_24h": _price(price.low),
        "volume_24h": _amount(price.volume_24h),
        "change_24h": _signed(price.change_24h),
        "quality": price.quality,
        "used": _unique(item.ticker.venue for item in price.used),
        "left_out": _left_out(price),
    }


def book_fields(market: str, offered: Sequence[Offered]) -> Fields | None:
    """The book of a market but for its id; None where no book can be shown."""
    book = merge_books(offered, DEPTH, None)
    if book is None:
        return None
    left_out = [[venue, "stale"] for venue in book.stale] if book.quality != "stale" else []
    return {
        **_origin(market, book.ts_recv, sim=book.sim),
        "bids": _levels(book.bids),
        "asks": _levels(book.asks),
        "seq": None,
        "quality": book.quality,
        "crossed": book.crossed,
        "used": _unique(offer.item.venue for offer in book.used),
        "left_out": left_out + [[venue, "contracts"] for venue in book.in_contracts],
    }


def encode_ticker(fields: Fields) -> tuple[str, bytes]:
    """Give the id and the body of a ticker."""
    return _encode(_TICKER, "ticker", fields)


def encode_book(fields: Fields) -> tuple[str, bytes]:
    """Give the id and the body of a book."""
    return _encode(_BOOK, "book", fields)


def content_of(fields: Fields) -> Fields:
    """What a change of is worth an event: all but the time of the newest part."""
    return {name: value for name, value in fields.items() if name != "ts_recv"}


def _encode(model: type[Any], word: str, fields: Fields) -> tuple[str, bytes]:
    """The id says what it is made of, so that whoever makes the same event names it alike."""
    digest = blake2s(codec.encode(content_of(fields)), digest_size=6).hexdigest()
    name = f"{fields['tail']}.{word}.{fields['ts_recv']}.{digest}"
    own = {key: value for key, value in fields.items() if key != "tail"}
    return name, codec.encode(model(id=name, **own))


def _origin(market: str, ts_recv: int, *, sim: bool) -> Fields:
    tail = f"{ALL_VENUES}.{market}"
    return {
        "tail": tail,
        "venue": ALL_VENUES,
        "symbol": _symbol_of(tail),
        "venue_symbol": None,
        "ts_event": None,
        "ts_recv": ts_recv,
        "sim": sim,
    }


@lru_cache(maxsize=16_384)
def _symbol_of(tail: str) -> str:
    return tail_symbol(tail)[1]


def _left_out(price: Consolidated) -> list[list[str]]:
    used = {item.ticker.venue for item in price.used}
    stale = [[venue, "stale"] for venue in price.stale if venue not in used]
    return stale + [[venue, "outlier"] for venue in price.outliers if venue not in used]


def _levels(levels: Iterable[MergedLevel]) -> list[tuple[str, str]]:
    return [(format(level.price, "f"), format(level.amount, "f")) for level in levels if level.amount <= MOST]


def _best(best: Best | None) -> str | None:
    return None if best is None else _price(best.price)


def _price(value: Decimal | None) -> str | None:
    text = _amount(value)
    return text if text is not None and text.strip("0.") else None


def _amount(value: Decimal | None) -> str | None:
    return None if value is None or value > MOST or value < 0 else as_text(value)


def _signed(value: Decimal | None) -> str | None:
    return None if value is None or abs(value) > MOST else as_text(value)


def _unique(venues: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(venues))
