"""Which OKX sockets to hold and what to ask of them; and an instrument's unified name where no listing is at hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from contracts.errors import SymbolSyntaxError
from contracts.instrument import INVERSE, PERP, SPOT, Instrument, make_instrument
from producers.venue import (
    BOOK,
    FUNDING,
    INTEREST,
    LIQUIDATION,
    TICKER,
    TRADE,
    ConnectionPlan,
    SubscribeRequest,
    Subscription,
)

VENUE_ID: Final = "okx"
# Instrument ids name their kind (`BTC-USDT`, `BTC-USDT-SWAP`, `BTC-USDT-261225`), so that one market holds them all.
MARKET: Final = "public"

MAX_REQUEST_BYTES: Final = 60_000  # the venue allows 64 KB
MAX_REQUEST_ARGS: Final = 100
MAX_TOPICS: Final = 300  # of one connection; ours, to spread the load
_SWAP: Final = "SWAP"
_FUTURES: Final = "FUTURES"
_PARTS_OF_PAIR: Final = 2
_PARTS_OF_CONTRACT: Final = 3
_EXPIRY_DIGITS: Final = 6

# Our channel -> the venue's ones and the seconds of silence that are still normal.
_CHANNELS: Final[dict[str, tuple[tuple[str, ...], float | None]]] = {
    TRADE: (("trades",), 180.0),
    TICKER: (("tickers",), 30.0),
    BOOK: (("books",), 30.0),
    FUNDING: (("funding-rate", "mark-price"), None),
    INTEREST: (("open-interest",), None),
}


def kind_of(instrument: Instrument) -> str:
    """Tell the venue's `instType`."""
    if instrument.contract == SPOT:
        return "SPOT"
    return _SWAP if instrument.contract in {PERP, INVERSE} else _FUTURES


def plan(ws_base: str, instruments: Iterable[Instrument], channels: Iterable[str]) -> tuple[ConnectionPlan, ...]:
    """Lay the sockets: 300 topics each, in requests of at most 100 and 64 KB.

    Liquidations come for all instruments of a kind in one subscription. Subscribing is limited to 480 times an hour and
    connection (https://www.okx.com/docs-v5/en/#overview-websocket-subscribe).
    """
    wanted = frozenset(channels)
    listed = sorted(instruments, key=lambda item: item.venue_symbol)
    found = [subscription for item in listed for subscription in _subscriptions(item, wanted)]
    if LIQUIDATION in wanted:
        kinds = sorted({kind_of(item) for item in listed} & {_SWAP, _FUTURES})
        found = [Subscription(f"liquidation-orders:{kind}", LIQUIDATION, None) for kind in kinds] + found
    batches = [found[start : start + MAX_TOPICS] for start in range(0, len(found), MAX_TOPICS)]
    url = f"{ws_base}/ws/v5/public"
    return tuple(_connection(f"{MARKET}.{number}", url, batch) for number, batch in enumerate(batches))


def _subscriptions(instrument: Instrument, wanted: frozenset[str]) -> Iterator[Subscription]:
    kind = kind_of(instrument)
    for channel, (names, silence) in _CHANNELS.items():
        has_it = channel in {TRADE, TICKER, BOOK} or kind == _SWAP or (channel == INTEREST and kind == _FUTURES)
        if channel in wanted and has_it:
            for name in names:
                yield Subscription(f"{name}:{instrument.venue_symbol}", channel, instrument, silence)


def _connection(name: str, url: str, subscriptions: list[Subscription]) -> ConnectionPlan:
    requests = (_request(number, batch) for number, batch in enumerate(_split(subscriptions)))
    return ConnectionPlan(name, MARKET, url, tuple(subscriptions), tuple(requests))


def _split(subscriptions: Iterable[Subscription]) -> Iterator[list[Subscription]]:
    batch: list[Subscription] = []
    size = 0
    for subscription in subscriptions:
        length = len(json.dumps(_arg(subscription)).encode()) + 1
        if batch and (len(batch) == MAX_REQUEST_ARGS or size + length > MAX_REQUEST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(subscription)
        size += length
    if batch:
        yield batch


def _request(number: int, batch: list[Subscription]) -> SubscribeRequest:
    """Write one request; its id may hold letters and digits only."""
    ref = f"sub{number}"
    frame = json.dumps(
        {"id": ref, "op": "subscribe", "args": [_arg(item) for item in batch]},
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return SubscribeRequest(ref, frame, frozenset(item.key for item in batch))


def _arg(subscription: Subscription) -> Mapping[str, str]:
    channel, name = subscription.key.split(":", 1)
    return {"channel": channel, "instType" if subscription.instrument is None else "instId": name}


def guess(market: str, venue_symbol: str) -> Instrument:  # noqa: ARG001 - the id says which market it is of
    """Name an instrument by its id: `BTC-USDT`, `BTC-USDT-SWAP`, `BTC-USD-261225`; quoted in USD it is inverse.

    Options (`BTC-USD-261225-90000-C`) are not followed: SymbolSyntaxError.
    """
    parts = venue_symbol.split("-")
    if len(parts) == _PARTS_OF_PAIR and all(parts):
        return make_instrument(VENUE_ID, "/".join(parts), venue_symbol)
    if len(parts) == _PARTS_OF_CONTRACT and all(parts):
        base, quote, tail = parts
        symbol = f"{base}/{quote}:{base if quote == 'USD' else quote}"
        if tail == _SWAP:
            return make_instrument(VENUE_ID, symbol, venue_symbol, sized_in_contracts=True)
        if tail.isdigit() and len(tail) == _EXPIRY_DIGITS:
            return make_instrument(VENUE_ID, f"{symbol}-{tail}", venue_symbol, sized_in_contracts=True)
    raise SymbolSyntaxError(f"{venue_symbol!r} is no pair, swap or future of OKX", symbol=venue_symbol)
