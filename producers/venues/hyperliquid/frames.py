"""Hyperliquid's decoder: routes the frames of one socket and makes their events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, cast
from zlib import crc32

import msgspec

from contracts import market
from contracts.codec import fast
from contracts.errors import FrameError
from producers.normalize import numbers
from producers.normalize.numbers import NULL
from producers.venue import Ack, Decoded, Decoder, FindInstrument, Pong, Refused
from producers.venues.hyperliquid import wire
from producers.venues.hyperliquid.wire import MS, Product

FastTrade = fast(market.Trade)
FastTicker = fast(market.Ticker)
FastDelta = fast(market.BookDelta)
FastFunding = fast(market.Funding)
FastInterest = fast(market.OpenInterest)
FastCandle = fast(market.Candle)

KEPT_TIDS: Final = 2000  # of one coin: more than a backlog of recent trades holds
_NAME_AT: Final = len(b'{"channel":"')
_SIDES: Final = {"B": "buy", "A": "sell"}
_ALREADY: Final = "Already subscribed"
# Mid prices of everything, and what belongs to a user: known, and not carried.
_NOT_CARRIED: Final = frozenset(
    {
        *("allMids", "notification", "webData2", "webData3", "orderUpdates", "userEvents", "user", "userFills"),
        *("userFundings", "userNonFundingLedgerUpdates", "activeAssetData", "userTwapSliceFills", "userTwapHistory"),
        *("twapStates", "clearinghouseState", "openOrders", "userHistoricalOrders", "spotState", "post"),
        *("allDexsClearinghouseState", "allDexsAssetCtxs", "explorerBlock", "explorerTxs"),
    }
)
_Handler = Callable[[bytes, int], Sequence[Decoded]]


class HyperliquidDecoder:
    """Decodes one connection's frames. Trades that it had already are left out."""

    def __init__(self, find: FindInstrument, *, sim: bool) -> None:
        self._find = find
        self._sim = sim
        self._products: dict[str, Product] = {}
        self._handlers: dict[bytes, _Handler] = {
            b"trades": self._on_trades,
            b"l2Book": self._on_book,
            b"bbo": self._on_best,
            b"activeAssetCtx": self._on_context,
            b"activeSpotAssetCtx": self._on_context,
            b"candle": self._on_candles,
            b"subscriptionResponse": _on_answer,
            b"error": _on_error,
            b"pong": lambda _frame, _ts_recv: (Pong(),),
        }

    def decode(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Decode one frame; where `channel` comes first it is routed without parsing."""
        handler = self._handlers.get(frame[_NAME_AT : frame.find(b'"', _NAME_AT)])
        return self._slow_route(frame, ts_recv) if handler is None else handler(frame, ts_recv)

    def inherit(self, last: HyperliquidDecoder) -> None:
        """Take over which trades were received: a new subscription begins with a backlog of recent ones."""
        for coin, product in last._products.items():
            self._product(coin).tids = product.tids

    def _slow_route(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        if frame[:1].isalpha() and b" " in frame:
            return (Pong(),)  # a sentence: `Websocket connection established.` greets each connection
        head = wire.decode_head(frame)
        if head.channel is None:
            raise FrameError("a frame without channel", field="channel")
        handler = self._handlers.get(head.channel.encode())
        if handler is not None:
            return handler(frame, ts_recv)
        if head.channel in _NOT_CARRIED or head.data == NULL:
            return ()  # without data it is a notice
        raise FrameError(f"unknown channel {head.channel!r}", channel=head.channel)

    def _product(self, coin: str) -> Product:
        product = self._products.get(coin)
        if product is None:
            product = self._products[coin] = Product(self._find(coin))
        return product

    def _on_trades(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Read trades. A `tid` is a hash of the two orders' ids, and unique only together with time and coin.

        Which ones were received is noted once all rows are read: a frame that cannot be read is read again, row by row.
        """
        found: dict[str, Decoded] = {}
        noted: list[tuple[dict[str, None], str]] = []
        for row in wire.decode_trades(frame).data:
            product, native = self._product(row.coin), f"{row.time}-{row.tid}"
            event_id = product.trade_id + native
            if native in product.tids or event_id in found:
                continue
            noted.append((product.tids, native))
            found[event_id] = FastTrade(
                id=event_id,
                venue="hyperliquid",
                symbol=product.symbol,
                venue_symbol=product.venue_symbol,
                ts_event=row.time * MS,
                ts_recv=ts_recv,
                sim=self._sim,
                trade_id=str(row.tid),
                price=numbers.price_text(row.px, "data.px"),
                amount=numbers.unsigned(row.sz, "data.sz"),
                side=_SIDES[row.side],
            )
        for tids, native in noted:
            tids[native] = None
            if len(tids) > KEPT_TIDS:
                del tids[next(iter(tids))]
        return list(found.values())

    def _on_book(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Read a whole book. Each block has one, so that its time names it."""
        row = wire.decode_book(frame).data
        product = self._product(row.coin)
        return (
            FastDelta(
                id=f"{product.delta_id}{row.time}",
                venue="hyperliquid",
                symbol=product.symbol,
                venue_symbol=product.venue_symbol,
                ts_event=row.time * MS,
                ts_recv=ts_recv,
                sim=self._sim,
                bids=wire.read_levels(row.levels[0], "data.levels[0]"),
                asks=wire.read_levels(row.levels[1], "data.levels[1]"),
                seq=None,
                is_snapshot=True,
            ),
        )

    def _on_best(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Read the best bid and ask: a ticker with nothing else."""
        row = wire.decode_best(frame).data
        product = self._product(row.coin)
        bid, ask, *_ = *(_best(level) for level in row.bbo), _NO_LEVEL, _NO_LEVEL
        return (
            FastTicker(
                id=f"{product.instrument.tail}.ticker.bbo-{row.time}-{crc32(frame):08x}",
                **self._common(product, row.time * MS, ts_recv),
                bid=bid[0],
                bid_amount=bid[1],
                ask=ask[0],
                ask_amount=ask[1],
            ),
        )

    def _on_context(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Read the 24 hour figures, and a perpetual's funding (a rate for one hour) and open interest.

        The frame carries no time. Figures that come again without others between them have the same id; those that come
        back after others have an id of their own: it says when they began to hold.
        """
        row = wire.decode_context(frame).data
        product, ctx, crc = self._product(row.coin), row.ctx, crc32(frame)
        native = product.figures[1] if product.figures[0] == crc else f"{ts_recv}-{crc:08x}"
        common, tail = self._common(product, None, ts_recv), product.instrument.tail
        found: list[Decoded] = [
            FastTicker(
                id=f"{tail}.ticker.{native}",
                **common,
                open_24h=wire.price(ctx.prevDayPx, "ctx.prevDayPx"),
                volume_24h=wire.amount(ctx.dayBaseVlm, "ctx.dayBaseVlm"),
                quote_volume_24h=wire.amount(ctx.dayNtlVlm, "ctx.dayNtlVlm"),
            )
        ]
        rate, interest = wire.signed(ctx.funding, "ctx.funding"), wire.amount(ctx.openInterest, "ctx.openInterest")
        if product.has_funding and rate is not None:
            found.append(
                FastFunding(
                    id=f"{tail}.funding.{native}",
                    **common,
                    rate=rate,
                    next_ts=None,
                    mark_price=wire.price(ctx.markPx, "ctx.markPx"),
                    index_price=wire.price(ctx.oraclePx, "ctx.oraclePx"),
                )
            )
        if product.has_funding and interest is not None:
            found.append(FastInterest(id=f"{tail}.interest.{native}", **common, amount=interest, value=None))
        product.figures = crc, native
        return found

    def _on_candles(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Read candles; the venue does not say that one is closed, and sends no more of it once the next began."""
        data = wire.decode_candles(frame).data
        return [self._candle(row, frame, ts_recv) for row in (data if isinstance(data, list) else (data,))]

    def _candle(self, row: wire.Candle, frame: bytes, ts_recv: int) -> Decoded:
        product = self._product(row.s)
        if row.i not in wire.TIMEFRAMES:
            raise FrameError(f"unknown interval {row.i[:40]!r} of candles", field="data.i")
        return FastCandle(
            id=f"{product.instrument.tail}.candle.{row.i}-{row.t}-{crc32(frame):08x}",
            **self._common(product, None, ts_recv),
            timeframe=row.i,
            **wire.bars(row),
            quote_volume=None,
            trades=row.n,
            closed=False,
            start_ts=row.t * MS,
        )

    def _common(self, product: Product, ts_event: int | None, ts_recv: int) -> dict[str, Any]:
        return {
            "venue": "hyperliquid",
            "symbol": product.symbol,
            "venue_symbol": product.venue_symbol,
            "ts_event": ts_event,
            "ts_recv": ts_recv,
            "sim": self._sim,
        }


_NO_LEVEL: Final[tuple[str | None, str | None]] = (None, None)


def _best(level: wire.Level | None) -> tuple[str | None, str | None]:
    """Return price and amount of one side; where there is no price, there is no amount."""
    if level is None:
        return _NO_LEVEL
    price, amount = numbers.optional_price_text(level.px, "data.bbo.px"), numbers.unsigned(level.sz, "data.bbo.sz")
    return _NO_LEVEL if price is None else (price, amount)


def _on_answer(frame: bytes, ts_recv: int) -> Sequence[Decoded]:
    """Read the confirmation of a subscription; that of an unsubscription says nothing new."""
    del ts_recv
    answer = wire.decode_answer(frame).data
    if answer.method != "subscribe" or answer.subscription is None:
        return ()
    return (Ack(key(answer.subscription)),)


def _on_error(frame: bytes, ts_recv: int) -> Sequence[Decoded]:
    """Read a refusal; where its text ends in the request or the subscription that is meant, that one is refused.

    "Already subscribed" means that there is nothing to do.
    """
    del ts_recv
    reason = wire.decode_error(frame).data
    wanted = _named(reason)
    if wanted is not None and reason.startswith(_ALREADY):
        return (Ack(key(wanted)),)
    return (Refused(None if wanted is None else key(wanted), reason),)


def _named(reason: str) -> wire.Wanted | None:
    start, end = reason.find("{"), reason.rfind("}")
    if start < 0 or end < start:
        return None
    text = reason[start : end + 1].encode()
    try:
        wanted = wire.decode_named(text).subscription or wire.decode_wanted(text)
    except msgspec.DecodeError:  # the text quotes something else: it names nothing
        return None
    return wanted if wanted.type and wanted.coin else None


def key(wanted: wire.Wanted) -> str:
    """Name a subscription: `trades:BTC`."""
    return f"{wanted.type}:{wanted.coin}"


def inherit(decoder: Decoder, last: Decoder | None) -> None:
    """Hand the ids of received trades to the decoder of a new connection."""
    if last is not None:
        cast("HyperliquidDecoder", decoder).inherit(cast("HyperliquidDecoder", last))


def make_decoder(market: str, find: FindInstrument, *, sim: bool) -> Decoder:  # noqa: ARG001 - there is one market
    """Make the decoder of a new connection."""
    return HyperliquidDecoder(find, sim=sim)
