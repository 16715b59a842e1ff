"""Binance USD-M's book frames: changes chained by `pu`, and partial books that hold the whole top."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec.structs import replace

from contracts import market
from contracts.codec import fast
from contracts.instrument import Instrument
from producers.venue import Decoded
from producers.venues.binanceusdm import frames

FastDelta = fast(market.BookDelta)

Handler = Callable[[bytes, int], tuple[Decoded, ...]]


def plain_zeros(levels: frames.Levels) -> frames.Levels:
    """Write every amount of zero as "0"."""
    return [level if level[1].strip("0.") else (level[0], "0") for level in levels]


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
    decimals, zero = 3, b'"0.000"]'

    def handle(frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
        nonlocal decimals, zero
        depth = read(frame.replace(zero, b'"0"]')).data
        bids, asks = depth.b, depth.a
        bid, ask = bids[0][1] if bids else "0", asks[0][1] if asks else "0"
        if b" " in frame:  # written by another hand than the venue's: nothing is known of how zeros stand in it
            bids, asks = plain_zeros(bids), plain_zeros(asks)
        elif (bid != "0" and len(bid.partition(".")[2]) != decimals) or (
            ask != "0" and len(ask.partition(".")[2]) != decimals
        ):
            # A symbol's amounts all have the same number of decimals: learn how this one spells zero.
            decimals = len((bid if bid != "0" else ask).partition(".")[2])
            zero = b'"0.' + b"0" * decimals + b'"]' if decimals else b'"0"]'
            bids, asks = plain_zeros(bids), plain_zeros(asks)
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
