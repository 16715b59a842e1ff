"""Texts of one symbol: price, snapshot, order book, whale trades, liquidations. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from bot.texts.answer import Answer, freshness
from contracts.services.replies.market import (
    Liquidations,
    LiquidationTotals,
    MarketLiquidation,
    Orderbook,
    PriceReply,
    Snapshot,
    VenuePrice,
    Whale,
    WhaleReply,
)
from runtime.texts import figures
from runtime.texts.figures import number, usd
from runtime.texts.markup import Html, fit, join, pre
from runtime.texts.reader import Reader

AGGREGATED: Final = "aggregated"
_ALL: Final = Decimal(100)  # percent
EMPTY: Final = Html("")
_QUALITY_MARKS: Final = {"live": "🟢", "stale": "🟡", "gap": "🟠", "sim": "🧪"}
_SOME: Final = 3  # whale trades of a snapshot


def price(answer: Answer[PriceReply], reader: Reader) -> Html:
    """Return the text of `/price`."""
    found = answer.reply
    if found.source == AGGREGATED:
        source = reader.say("price.aggregated", names=", ".join(found.exchanges))
    else:
        source = reader.say("price.source", market=found.market, source=found.source)
    return fit(
        [
            reader.say("price.head", symbol=found.symbol, price=number(found.price), quote=found.quote),
            join([found.market, source]) if found.source == AGGREGATED else source,
            *_left_out(found.stale_exchanges, [], reader),
        ],
        [
            freshness(answer, found.age, found.quality, sim=found.sim, reader=reader),
            reader.say("market.at", time=reader.moment(found.timestamp)),
        ],
    )


def snapshot(answer: Answer[Snapshot], reader: Reader) -> Html:
    """Return the text of `/raw`."""
    found = answer.reply
    base = base_of(answer.symbol)
    volume = reader.say("raw.volume", volume=number(found.volume_24h), base=base)
    bid_ask = {"bid": number(found.bid), "ask": number(found.ask), "spread": number(found.spread)}
    exchange = found.bid_ask_exchange
    totals = [*_totals(found.liquidations, reader)]
    whales = [whale_row(whale, reader) for whale in found.whales[:_SOME]]
    parts = [
        reader.say("raw.head", symbol=answer.symbol, price=number(found.price), quote=found.quote),
        reader.say("price.source", market=found.market, source=found.source),
        join([
            reader.say("raw.change", change=figures.percent(found.change_24h)),
            reader.say("raw.range", high=number(found.high), low=number(found.low)),
        ]),
        volume,
        join([
            reader.say("raw.bid_ask", **bid_ask),
            reader.say("raw.at_exchange", exchange=exchange) if exchange else "",
        ]),
        *_left_out(found.stale_exchanges, found.outlier_exchanges, reader),
        *_section("raw.liquidations", totals, reader),
        *_section("raw.whales", whales, reader),
        *_funding_and_interest(answer, reader),
        *_section("raw.exchanges", [_venue_row(row, answer, reader) for row in found.exchanges], reader),
    ]  # fmt: skip
    return fit(parts, [EMPTY, freshness(answer, found.data_age, found.quality, sim=found.sim, reader=reader)])


def _funding_and_interest(answer: Answer[Snapshot], reader: Reader) -> list[Html]:
    base = base_of(answer.symbol)
    funding = [
        reader.say(
            "raw.funding_row",
            exchange=row.exchange,
            symbol=row.symbol,
            rate=figures.rate(row.rate),
            next=reader.clock(row.next_time),
            mark=number(row.mark_price),
            age=figures.span(row.age + answer.grown),
        )
        for row in answer.reply.funding
    ]
    interest = [
        reader.say(
            "raw.interest_row",
            exchange=row.exchange,
            symbol=row.symbol,
            amount=number(row.amount),
            base=base,
            value=number(row.value),
            age=figures.span(row.age + answer.grown),
        )
        for row in answer.reply.open_interest
    ]
    return [*_section("raw.funding", funding, reader), *_section("raw.interest", interest, reader)]


def orderbook(answer: Answer[Orderbook], reader: Reader) -> Html:
    """Return the text of `/raw_orderbook`: asks above bids, the best next to each other."""
    found = answer.reply
    asks = [_level(level.price, level.amount, level.total) for level in reversed(found.asks)]
    bids = [_level(level.price, level.amount, level.total) for level in found.bids]
    head = tuple(reader.plain(f"book.{name}") for name in ("price", "amount", "total"))
    unit = reader.say(f"book.unit_{found.unit}", base=base_of(found.symbol))
    return fit(
        [
            reader.say("book.head", symbol=found.symbol, exchange=found.exchange, market=found.market),
            unit,
            reader.say("book.asks"),
            pre([head, *asks]) if asks else reader.say("book.none"),
            reader.say("book.bids"),
            pre([head, *bids]) if bids else reader.say("book.none"),
        ],
        [
            reader.say("book.figures", spread=number(found.spread), imbalance=number(found.imbalance)),
            freshness(answer, found.age, found.quality, sim=found.sim, reader=reader),
        ],
    )


def _level(*values: float | None) -> tuple[str, ...]:
    return tuple(number(value) for value in values)


def whales(answer: Answer[WhaleReply], reader: Reader) -> Html:
    """Return the text of `/whale`."""
    found = answer.reply
    rows = [whale_row(whale, reader) for whale in found.whales]
    return fit(
        [reader.say("whale.head", symbol=answer.symbol), *(rows or [reader.say("whale.none")])],
        [
            *_left_out(found.stale_exchanges, [], reader),
            freshness(answer, found.age, found.quality, sim=False, reader=reader),
        ],
    )


def whale_row(whale: Whale, reader: Reader) -> Html:
    """Return one line of a whale trade."""
    return reader.say(
        "whale.row",
        side=reader.say(f"side.{whale.side}"),
        usd=usd(whale.usd_value),
        amount=number(whale.amount),
        base=base_of(whale.symbol),
        price=number(whale.price),
        exchange=whale.exchange,
        time=reader.clock(whale.timestamp),
        sim=_sim(sim=whale.sim),
    )


def liquidations(answer: Answer[Liquidations], reader: Reader) -> Html:
    """Return the text of `/liq`."""
    found = answer.reply
    rows = [_liquidation_row(row, reader) for row in found.recent]
    return fit(
        [
            reader.say("liq.head", base=found.base),
            *_totals(found, reader),
            EMPTY,
            *(rows or [reader.say("liq.none")]),
        ],
        [
            *([reader.say("liq.as_of", time=reader.moment(found.as_of))] if found.as_of else []),
            *_left_out(found.stale_exchanges, [], reader),
            freshness(answer, found.age, found.quality, sim=any(row.sim for row in found.recent), reader=reader),
        ],
    )


def _liquidation_row(row: MarketLiquidation, reader: Reader) -> Html:
    return reader.say(
        "liq.row",
        side=reader.say(f"side.{row.position_side or 'none'}"),
        usd=usd(row.usd_value),
        amount=number(row.amount),
        price=number(row.price),
        exchange=row.exchange,
        symbol=row.symbol,
        time=reader.clock(row.timestamp),
        sim=_sim(sim=row.sim),
    )


def _totals(found: LiquidationTotals, reader: Reader) -> list[Html]:
    if found.totals is None:
        return [reader.say("liq.no_totals")]
    rows = [
        join([
            reader.say(
                "liq.total",
                window=window,
                total=usd(sums.total_usd),
                long=usd(sums.long_usd),
                short=usd(sums.short_usd),
                count=sums.count,
            ),
            reader.say("liq.unknown", usd=usd(sums.unknown_usd)) if sums.unknown_usd else "",
            reader.say("liq.unvalued", count=sums.unvalued) if sums.unvalued else "",
        ])
        for window, sums in found.totals.items()
    ]  # fmt: skip
    parts = {window: rests.percent for window, rests in (found.coverage or {}).items() if rests.percent < _ALL}
    windows = " · ".join(f"{window} {figures.share_of(part)} %" for window, part in parts.items())
    return [
        *rows,
        *([reader.say("liq.received", windows=windows)] if windows else []),
        *([reader.say("liq.sampled")] if found.sampled else []),
    ]


def _venue_row(row: VenuePrice, answer: Answer[Snapshot], reader: Reader) -> Html:
    return reader.say(
        "raw.exchange",
        mark="✅" if row.used else "▫️",
        exchange=row.exchange,
        symbol=row.symbol,
        price=number(row.price),
        change=figures.percent(row.change_24h),
        quality=_QUALITY_MARKS["stale" if answer.stale else row.quality] + _sim(sim=row.sim and row.quality != "sim"),
        age=figures.span(row.age + answer.grown),
    )


def _section(key: str, rows: list[Html], reader: Reader) -> list[Html]:
    return [EMPTY, reader.say(key), *rows] if rows else []


def _left_out(stale: list[str], outliers: list[str], reader: Reader) -> list[Html]:
    return [
        reader.say(key, names=", ".join(names))
        for key, names in (("market.stale_exchanges", stale), ("market.outliers", outliers))
        if names
    ]


def _sim(*, sim: bool) -> str:
    return " 🧪" if sim else ""


def base_of(symbol: str) -> str:
    """Return the base coin of a symbol: `BTC` of `BTC/USDT:USDT`."""
    return symbol.partition("/")[0]
