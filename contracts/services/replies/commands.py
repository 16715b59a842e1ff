"""Commands of the market core: what is asked and what is replied."""

from __future__ import annotations

from typing import Final

from contracts.commands import Command, command
from contracts.services import coverage, market, sentiment
from contracts.services.replies import liqmap, multi
from contracts.services.replies import market as replies

COMMANDS: Final[tuple[Command, ...]] = (
    command("market.raw", market.RawQuery, replies.Snapshot, 1.0),
    command("market.price", market.PriceQuery, replies.PriceReply, 1.0),
    command("market.whale", market.WhaleQuery, replies.WhaleReply, 1.0),
    command("market.liq", market.LiquidationsQuery, replies.Liquidations, 1.0),
    command("market.liqmap", market.LiquidationMapQuery, liqmap.LiquidationMap, 1.0),
    command("market.orderbook", market.OrderbookQuery, replies.Orderbook, 1.0),
    command("market.ticker", market.TickerQuery, multi.TickerReply, 1.0),
    command("market.multi_orderbook", market.MultiOrderbookQuery, multi.MergedBook, 1.0),
    command("market.trades", market.TradesQuery, multi.TradesReply, 1.0),
    command("market.symbols", market.SymbolsQuery, multi.SymbolsReply, 1.0),
    command("market.ohlc", market.OhlcQuery, multi.OhlcReply, 10.0),
    command("market.coverage", coverage.CoverageQuery, coverage.CoverageReply, 2.0),
    command("market.health", market.HealthQuery, replies.HealthReply, 1.0),
    command("market.sentiment", sentiment.SentimentQuery, sentiment.SentimentReply, 1.0),
    command("market.status", market.StatusQuery, replies.StatusReply, 1.0),
)
