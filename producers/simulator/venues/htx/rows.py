"""HTX's rows that sockets and REST share: JSON numbers; sizes of swaps are contracts.

https://www.htx.com/en-us/opend/newApiPages/?id=7ec4a4da-7773-11ed-9966-0242ac110003
"""

from __future__ import annotations

from decimal import Decimal

from producers.simulator.market.candles import Candle
from producers.simulator.market.instruments import number_text
from producers.simulator.market.listing import Liquidation, Listing, Trade

FUNDING_US = 8 * 3600 * 10**6
SECOND_US = 10**6
MINUTE = 60
# Whether days are of UTC or of Singapore is not confirmed: here of UTC.
PERIODS = {
    "1min": 60, "5min": 300, "15min": 900, "30min": 1800, "60min": 3600, "4hour": 14_400, "1day": 86_400,
    "1week": 604_800, "1mon": 2_592_000, "1year": 31_536_000,
}  # fmt: skip
Levels = list[tuple[int, int]]
_THOUSANDTHS = 3  # decimals of the smallest contract


def is_spot(listing: Listing) -> bool:
    """Whether amounts are coins."""
    return listing.instrument.market == "spot"


def levels_text(listing: Listing, levels: Levels) -> str:
    """JSON rows of [price, size]."""
    t = listing.instrument
    return "[" + ",".join(f"[{t.price_text(price)},{t.amount_text(amount)}]" for price, amount in levels) + "]"


def _multiplied(listing: Listing) -> int:
    return int(Decimal(listing.instrument.contract) * 10**_THOUSANDTHS)


def base_text(listing: Listing, units: int) -> str:
    """An amount in base coin."""
    return number_text(units * _multiplied(listing), listing.instrument.amount_scale + _THOUSANDTHS, -1)


def quote_text(listing: Listing, units: int) -> str:
    """A sum of price x amount in quote coin."""
    t = listing.instrument
    return number_text(units * _multiplied(listing), t.price_scale + t.amount_scale + _THOUSANDTHS, -1)


def trade_text(listing: Listing, trade: Trade, number: str = "tradeId") -> str:
    """One fill: spot has a `tradeId` beside an `id` of 24 digits, swaps an `id` beyond 2**53 and three amounts.

    `number` is the name of the first; REST spells it otherwise.
    """
    t, ts = listing.instrument, trade.ts_us // 1000
    said = f'"price":{t.price_text(trade.price)},"direction":"{"buy" if trade.taker_buys else "sell"}"'
    amount = f'"amount":{t.amount_text(trade.amount)}'
    if is_spot(listing):
        return f'{{"id":{trade.order * 10**14 + trade.id},"ts":{ts},"{number}":{trade.id},{amount},{said}}}'
    quantity, turnover = base_text(listing, trade.amount), quote_text(listing, trade.amount * trade.price)
    more = f'"quantity":{quantity},"trade_turnover":{turnover}'
    return f'{{{amount},{more},"ts":{ts},"id":{trade.id * 10**8},{said}}}'


def trades_tick(listing: Listing, trades: list[Trade], number: str = "tradeId") -> str:
    """The `tick` of one aggressor's fills."""
    rows = ",".join(trade_text(listing, trade, number) for trade in trades)
    return f'{{"id":{trades[0].order},"ts":{trades[0].ts_us // 1000},"data":[{rows}]}}'


def day_tick(listing: Listing, now_us: int) -> str:
    """The `tick` of 24 hours: `amount` coins, `vol` quote on spot and contracts on swaps."""
    t, last = listing.instrument, listing.last
    turnover = quote_text(listing, listing.quote_units)
    price = t.price_text
    figures = (
        f'"open":{price(listing.open_24h)},"close":{price(last.price)},"high":{price(listing.high_24h)},'
        f'"low":{price(listing.low_24h)},"count":{listing.trade_count},'
        f'"amount":{base_text(listing, listing.volume_units)}'
    )
    if is_spot(listing):
        return f'{{"id":{last.id},{figures},"vol":{turnover},"version":{last.id}}}'
    contracts = t.amount_text(listing.volume_units)
    return f'{{"id":{now_us // SECOND_US},"mrid":{last.order},{figures},"vol":{contracts},"trade_turnover":{turnover}}}'


def merged_tick(listing: Listing, now_us: int) -> str:
    """The figures of 24 hours with the best level of each side, as [price, size]."""
    t, book = listing.instrument, listing.book
    sides = (("bid", book.best_bid, book.bids), ("ask", book.best_ask, book.asks))
    best = ",".join(f'"{name}":[{t.price_text(p)},{t.amount_text(levels[p])}]' for name, p, levels in sides)
    return f'{day_tick(listing, now_us)[:-1]},{best},"ts":{now_us // 1000}}}'


def overview_row(listing: Listing) -> str:
    """A row of spot's `tickers`: the best levels by name."""
    t, book, price = listing.instrument, listing.book, listing.instrument.price_text
    return (
        f'{{"symbol":"{t.symbol}","open":{price(listing.open_24h)},"high":{price(listing.high_24h)},'
        f'"low":{price(listing.low_24h)},"close":{price(listing.last.price)},'
        f'"amount":{base_text(listing, listing.volume_units)},"vol":{quote_text(listing, listing.quote_units)},'
        f'"count":{listing.trade_count},"bid":{price(book.best_bid)},'
        f'"bidSize":{t.amount_text(book.bids[book.best_bid])},"ask":{price(book.best_ask)},'
        f'"askSize":{t.amount_text(book.asks[book.best_ask])}}}'
    )


def candle_tick(listing: Listing, candle: Candle) -> str:
    """One candle; `id` is its opening time in seconds."""
    t = listing.instrument
    turnover = quote_text(listing, candle.quote)
    text = (
        f'"id":{candle.start_us // SECOND_US},"open":{t.price_text(candle.open)},"close":{t.price_text(candle.close)},'
        f'"low":{t.price_text(candle.low)},"high":{t.price_text(candle.high)},'
        f'"amount":{base_text(listing, candle.volume)},"count":{candle.trades}'
    )
    if is_spot(listing):
        return f'{{{text},"vol":{turnover}}}'
    return f'{{{text},"vol":{t.amount_text(candle.volume)},"trade_turnover":{turnover}}}'


def best_tick(listing: Listing, ch: str, now_ms: int) -> str:
    """The best level of each side: named fields on spot, pairs on swaps."""
    t, book = listing.instrument, listing.book
    bid, ask = book.best_bid, book.best_ask
    if is_spot(listing):
        return (
            f'{{"seqId":{book.update_id},"ask":{t.price_text(ask)},"askSize":{t.amount_text(book.asks[ask])},'
            f'"bid":{t.price_text(bid)},"bidSize":{t.amount_text(book.bids[bid])},"quoteTime":{now_ms},'
            f'"symbol":"{t.symbol}"}}'
        )
    return (
        f'{{"mrid":{book.update_id},"id":{now_ms // 1000},"bid":[{t.price_text(bid)},{t.amount_text(book.bids[bid])}],'
        f'"ask":[{t.price_text(ask)},{t.amount_text(book.asks[ask])}],"ts":{now_ms},"version":{book.update_id},'
        f'"ch":"{ch}"}}'
    )


def depth_tick(listing: Listing, levels: tuple[Levels, Levels], ch: str, now_ms: int) -> str:
    """A whole book of `depth.step0`; the `version` of swaps is a time in seconds here."""
    sides = f'"bids":{levels_text(listing, levels[0])},"asks":{levels_text(listing, levels[1])}'
    if is_spot(listing):
        return f'{{{sides},"version":{listing.book.update_id},"ts":{now_ms}}}'
    second = now_ms // 1000
    return f'{{"mrid":{listing.book.update_id},"id":{second},{sides},"ts":{now_ms},"version":{second},"ch":"{ch}"}}'


def forced_text(listing: Listing, forced: Liquidation) -> str:
    """A row of `liquidation_orders`: the order's side, contracts, bankruptcy price, coins and quote."""
    t = listing.instrument
    return (
        f'{{"symbol":"{t.base}","contract_code":"{t.symbol}","direction":"{"sell" if forced.is_long else "buy"}",'
        f'"offset":"close","volume":{t.amount_text(forced.amount)},"price":{t.price_text(forced.bankruptcy_price)},'
        f'"created_at":{forced.ts_us // 1000},"amount":{base_text(listing, forced.amount)},'
        f'"trade_turnover":{quote_text(listing, forced.amount * forced.bankruptcy_price)},'
        f'"contract_type":"swap","pair":"{t.symbol}","business_type":"swap","trade_partition":"{t.quote}"}}'
    )


def funding_text(listing: Listing, now_us: int) -> str:
    """A row of `funding_rate`: paid at `settlement_time`."""
    t = listing.instrument
    due = now_us - now_us % FUNDING_US + FUNDING_US
    return (
        f'{{"symbol":"{t.base}","contract_code":"{t.symbol}","fee_asset":"{t.quote}",'
        f'"funding_time":"{now_us // (MINUTE * SECOND_US) * MINUTE * 1000}",'
        f'"funding_rate":"{listing.funding_rate:.18f}","estimated_rate":null,"settlement_time":"{due // 1000}"}}'
    )
