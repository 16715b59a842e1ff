"""Binance USD-M's book frames: changes chained by `pu`, and partial books that hold the whole top."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec.structs import replace

from contracts import market
from contracts.codec import fast
from contracts.instrument import Instrument
from producers.normalize.numbers import text_levels
from producers.venue import Decoded
from producers.venues.binanceusdm import frames
from producers.venues.binanceusdm.handlers import check_owner

FastDelta = fast(market.BookDelta)

Handler = Callable[[bytes, int], tuple[Decoded, ...]]


def _on_depth(mark: str, instrument: Instrument, *, sim: bool) -> Handler:
    prefix, is_snapshot = f"{instrument.tail}.delta.{mark}", bool(mark)
    read = frames.read_depth
    template = FastDelta(
        id="",
        venue=instrument.venue,
        symbol=instrument.symbol,
        venue_symbol=instrument.venue_symbol,
        ts_event=None,
        ts_recv=0,
        sim=sim,
        bids=[],
        asks=[],
        seq=None,
        prev_seq=None,
        is_snapshot=is_snapshot,
    )
    decimals, zero, symbol = 3, b'"0.000"]', instrument.venue_symbol

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        nonlocal decimals, zero
        depth = read(frame.replace(zero, b'"0"]')).data
        if depth.s != symbol:
            check_owner(depth.s, symbol)
        bids, asks = text_levels(depth.b, "b"), text_levels(depth.a, "a")
        amount = next((level[1] for side in (bids, asks) for level in side[:1] if level[1] != "0"), None)
        if amount is not None and len(amount.partition(".")[2]) != decimals:
            # A symbol's amounts all have the same number of decimals: zeros that are spelled so are replaced early.
            decimals = len(amount.partition(".")[2])
            zero = b'"0.' + b"0" * decimals + b'"]' if decimals else b'"0"]'
        return (
            replace(
                template,
                id=f"{prefix}{depth.u}",
                ts_event=depth.T * 1_000_000,
                ts_recv=ts_recv,
                bids=bids,
                asks=asks,
                seq=depth.u,
                prev_seq=None if is_snapshot else depth.pu,
            ),
        )

    return handle


# The partial books of `@depth5`, `@depth10` and `@depth20` have the event type of the changes; the stream tells them.
PARTIAL: Final = "partialDepth"
HANDLERS: Final[dict[str, Callable[..., Handler]]] = {
    "depthUpdate": partial(_on_depth, ""),
    PARTIAL: partial(_on_depth, "top-"),
}
