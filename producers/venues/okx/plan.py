"""Which OKX sockets to hold and what to ask of them; and an instrument's unified name where no listing is at hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
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
_COIN: Final = r"[^\W_a-z]+"  # letters (not small ones) and digits
_ID: Final = re.compile(rf"({_COIN})-({_COIN})(?:-(SWAP|[0-9]{{6}}))?")

# Our channel -> the venue's ones and the seconds of silence that are still normal.
_CHANNELS: Final[dict[str, tuple[tuple[str, ...], float | None]]] = {
    TRADE: (("trades",), 180.0),
    TICKER: (("tickers",), 30.0),
    BOOK: (("books",), 30.0),
    FUNDING: (("funding-rate", "mark-price"), None),
    INTEREST: (("open-interest",), None),
}


def kind_of(instrument: Instrument) -> str:
    """Return the venue's `instType`."""
    if instrument.contract == SPOT:
        return "SPOT"
    return _SWAP if instrument.contract in {PERP, INVERSE} else _FUTURES


def plan(ws_base: str, instruments: Iterable[Instrument], channels: Iterable[str]) -> tuple[ConnectionPlan, ...]:
    """Plan the sockets: 300 topics each, in requests of at most 100 and 64 KB.

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

    Anything else is refused by its name, SymbolSyntaxError: options (`BTC-USD-261225-90000-C`), ids with a further part
    (`BTC-USDT-SWAP-X`), pairs that are no two coins, days that there are not.
    """
    found = _ID.fullmatch(venue_symbol)
    if found is None:
        raise SymbolSyntaxError(f"{venue_symbol!r} is no pair, swap or future of OKX", symbol=venue_symbol)
    base, quote, tail = found.groups()
    if tail is None:
        return make_instrument(VENUE_ID, f"{base}/{quote}", venue_symbol)
    symbol = f"{base}/{quote}:{base if quote == 'USD' else quote}"
    expiry = "" if tail == _SWAP else f"-{_day(tail, venue_symbol)}"
    return make_instrument(VENUE_ID, symbol + expiry, venue_symbol, sized_in_contracts=True)


def _day(text: str, venue_symbol: str) -> str:
    try:
        return f"{date(2000 + int(text[:2]), int(text[2:4]), int(text[4:])):%y%m%d}"
    except ValueError as error:
        raise SymbolSyntaxError(f"{venue_symbol!r} names no day: {error}", symbol=venue_symbol) from error
