"""Commands: requests on `cmd.v1.<service>.<verb>` and what is replied; one JSON object each way.

Whoever serves a command replies always: with its result, or with `error`. No reply within the asker's time means that
nobody serves it. Readers tolerate unknown fields.

Longer than other files because it is the one table of all commands, a line each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from contracts import subjects
from contracts.market import Candle, Nanoseconds, Timeframe, Trade
from contracts.services import (
    access,
    alerts,
    analytics,
    chats,
    deadletters,
    explaining,
    feed,
    market,
    sentiment,
)
from contracts.services.community import requests as community
from contracts.services.replies import market as replies
from contracts.services.replies import multi
from contracts.services.telegram import jobs as telegram
from contracts.services.trading import accounts as trading
from contracts.services.trading import backtests, orders, portfolio, strategies
from contracts.services.webhooks import deliveries
from contracts.services.webhooks import endpoints as webhooks

MOST_ROWS: Final = 1000  # candles or trades of one reply
Limit = Annotated[int, Field(ge=1, le=MOST_ROWS, description="at most so many, the newest of the span")]

VenueId = Annotated[str, Field(description="CCXT's id of the exchange")]
UnifiedSymbol = Annotated[str, Field(description="unified (CCXT) symbol")]
CandleLength = Annotated[Timeframe, Field(description="the length of a candle")]


class CommandModel(BaseModel):
    """What every request and reply is."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Failure(CommandModel):
    """Why a command was refused or failed."""

    code: str = Field(
        description="stable: INVALID_PARAMETER (`details.parameter`), UNKNOWN_VENUE, INVALID_SYMBOL, "
        "NOT_SUPPORTED (the venue offers no such history), VENUE_ERROR, VENUE_TIMEOUT, BUSY (ask again), "
        "INTERNAL_ERROR; of the market also AMBIGUOUS_SYMBOL, NO_DATA, NOT_READY, TIMEOUT; of other services "
        "NOT_FOUND, CONFLICT, GONE, LIMIT_REACHED, DISABLED"
    )
    message: str
    details: dict[str, Any] = Field(default_factory=dict)


class ErrorReply(CommandModel):
    """What is replied in place of a reply where it was refused or failed."""

    error: Failure


class CandlesQuery(CommandModel):
    """Which of our own candles; the span is by the candles' `start_ts`."""

    venue: VenueId
    symbol: UnifiedSymbol
    timeframe: CandleLength
    start_ts: Nanoseconds | None = Field(default=None, description="from this start on; null for as old as there are")
    end_ts: Nanoseconds | None = Field(default=None, description="up to, but not with, this start; null for the newest")
    limit: Limit = MOST_ROWS


class CandlesReply(CommandModel):
    """Our own candles, oldest first, each start once; the last one may be open. None for an interval without trades."""

    candles: list[Candle] = Field(default_factory=list[Candle])
    since_ts: Nanoseconds | None = Field(
        default=None,
        description="the first trade that was folded: a candle that starts before it may lack trades; null for none",
    )
    gaps: list[tuple[Nanoseconds, Nanoseconds]] = Field(
        default_factory=list[tuple[int, int]],
        description="[[from, to], …] when the feed was interrupted, oldest first: candles of then may lack trades",
    )
    loading: bool = Field(default=False, description="true while candles of before the last restart are still read")
    error: Failure | None = None


class HistoryQuery(CommandModel):
    """Which of a venue's candles, asked of the venue itself; the span is by the candles' `start_ts`."""

    venue: VenueId
    symbol: UnifiedSymbol
    timeframe: CandleLength
    start_ts: Nanoseconds = Field(description="from this start on, a whole multiple of the time frame")
    end_ts: Nanoseconds = Field(description="up to, but not with, this start")
    limit: Limit = MOST_ROWS


class HistoryReply(CommandModel):
    """The venue's candles, oldest first, each start once; `closed` false for the one that is still open.

    Each is a Candle with `id` `<tail>.candle.<timeframe>.<start, seconds>.rest`, `ts_event` null, `ts_recv` when the
    venue's answer arrived, and null for what the venue does not say (`quote_volume`, `trades`).
    """

    candles: list[Candle] = Field(default_factory=list[Candle])
    error: Failure | None = None


class TradeHistoryQuery(CommandModel):
    """Which of a venue's past trades, asked of the venue itself; the span is by the venue's clock."""

    venue: VenueId
    symbol: UnifiedSymbol
    start_ts: Nanoseconds | None = Field(default=None, description="from this time on; null for the newest")
    end_ts: Nanoseconds | None = Field(default=None, description="up to, but not with, this time; null for now")
    limit: Limit = MOST_ROWS


class TradeHistoryReply(CommandModel):
    """The venue's trades, oldest first; `complete` false where the span holds more than the venue or the limit gave."""

    trades: list[Trade] = Field(default_factory=list[Trade])
    complete: bool = False
    error: Failure | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its subject, what is asked and what is replied, and within how many seconds it should be."""

    name: str
    subject: str
    request: type[BaseModel]
    reply: type[BaseModel]
    seconds: float
    served_by: str


def _market(verb: str, request: type[BaseModel], reply: type[BaseModel], seconds: float = 1.0) -> Command:
    return Command(f"market.{verb}", subjects.MARKET_COMMAND + verb, request, reply, seconds, "consumers")


def _documents(name: str, request: type[BaseModel], reply: type[BaseModel]) -> Command:
    """Return a command of a consumer that looks into documents or streams for it."""
    return Command(name, subjects.COMMAND + name, request, reply, 8.0, "consumers")


MARKET_COMMANDS: Final[tuple[Command, ...]] = (
    _market("raw", market.RawQuery, replies.Snapshot),
    _market("price", market.PriceQuery, replies.PriceReply),
    _market("whale", market.WhaleQuery, replies.WhaleReply),
    _market("liq", market.LiquidationsQuery, replies.Liquidations),
    _market("orderbook", market.OrderbookQuery, replies.Orderbook),
    _market("ticker", market.TickerQuery, multi.TickerReply),
    _market("multi_orderbook", market.MultiOrderbookQuery, multi.MergedBook),
    _market("trades", market.TradesQuery, multi.TradesReply),
    _market("symbols", market.SymbolsQuery, multi.SymbolsReply),
    _market("ohlc", market.OhlcQuery, multi.OhlcReply, 10.0),
    _market("health", market.HealthQuery, replies.HealthReply),
    _market("sentiment", sentiment.SentimentQuery, sentiment.SentimentReply),
    _market("status", market.StatusQuery, replies.StatusReply),
)
ACCESS_COMMANDS: Final[tuple[Command, ...]] = (
    _documents("access.create", access.CreateKey, access.KeyShown),
    _documents("access.list", access.ListKeys, access.KeyPage),
    _documents("access.find", access.FindKey, access.KeyInfo),
    _documents("access.rotate", access.RotateKey, access.KeyShown),
    _documents("access.revoke", access.RevokeKey, access.KeyInfo),
    _documents("access.audit", access.AuditQuery, access.AuditPage),
)
ANALYTICS_COMMANDS: Final[tuple[Command, ...]] = (
    _documents("analytics.stats", analytics.StatsQuery, analytics.Stats),
    _documents("analytics.realtime", analytics.RealtimeQuery, analytics.Realtime),
    _documents("analytics.export", analytics.ExportQuery, analytics.ExportReply),
)
TELEGRAM_COMMANDS: Final[tuple[Command, ...]] = (
    _documents("telegram.send", telegram.SendJob, telegram.SendReply),
    _documents("telegram.find", telegram.FindResult, telegram.TelegramResult),
    _documents("telegram.chat", telegram.ChatQuery, telegram.ChatReply),
    _documents("telegram.member", telegram.MemberQuery, telegram.MemberReply),
    _documents("telegram.administrators", telegram.ChatQuery, telegram.MembersReply),
    _documents("telegram.status", telegram.GatewayQuery, telegram.GatewayStatus),
    _documents("telegram.deliveries", explaining.FindDeliveries, explaining.Deliveries),
)
CHATS_COMMANDS: Final[tuple[Command, ...]] = (
    _documents("chats.profile_find", chats.FindProfile, chats.Profile),
    _documents("chats.profile_save", chats.SaveProfile, chats.Profile),
    _documents("chats.subscription_find", chats.FindSubscription, chats.Subscription),
    _documents("chats.subscription_save", chats.SaveSubscription, chats.Subscription),
    _documents("chats.subscription_delete", chats.DeleteSubscription, chats.Subscription),
    _documents("chats.subscription_snooze", chats.SnoozeSubscription, chats.Subscription),
)
DEAD_LETTERS_COMMANDS: Final[tuple[Command, ...]] = (
    _documents("deadletters.list", deadletters.ListQuery, deadletters.ListReply),
    _documents("deadletters.retry", deadletters.LetterQuery, deadletters.LetterReply),
    _documents("deadletters.delete", deadletters.LetterQuery, deadletters.LetterReply),
)
ALERTS_COMMANDS: Final[tuple[Command, ...]] = (
    _documents("alerts.create", alerts.CreateAlert, alerts.PriceAlert),
    _documents("alerts.list", alerts.ListAlerts, alerts.AlertPage),
    _documents("alerts.find", alerts.FindAlert, alerts.PriceAlert),
    _documents("alerts.update", alerts.UpdateAlert, alerts.PriceAlert),
    _documents("alerts.snooze", alerts.SnoozeAlert, alerts.PriceAlert),
    _documents("alerts.delete", alerts.DeleteAlert, alerts.Deleted),
    _documents("alerts.fired", alerts.FiredQuery, alerts.FiredPage),
    _documents("alerts.why", alerts.AlertWhyQuery, explaining.Explanation),
    _documents("alerts.why_not", alerts.AlertWhyNotQuery, explaining.Explanation),
    Command(
        "alerts.dry_run",
        subjects.ALERTS_COMMAND + "dry_run",
        alerts.AlertDryRunQuery,
        alerts.AlertDryRun,
        12.0,
        "consumers",
    ),
)
WEBHOOK_COMMANDS: Final[tuple[Command, ...]] = (
    _documents("webhooks.register", webhooks.RegisterEndpoint, webhooks.EndpointShown),
    _documents("webhooks.list", webhooks.ListEndpoints, webhooks.EndpointPage),
    _documents("webhooks.find", webhooks.FindEndpoint, webhooks.EndpointInfo),
    _documents("webhooks.update", webhooks.UpdateEndpoint, webhooks.EndpointInfo),
    _documents("webhooks.delete", webhooks.DeleteEndpoint, webhooks.EndpointInfo),
    _documents("webhooks.pause", webhooks.PauseEndpoint, webhooks.EndpointInfo),
    _documents("webhooks.resume", webhooks.ResumeEndpoint, webhooks.EndpointInfo),
    _documents("webhooks.rotate_secret", webhooks.RotateSecret, webhooks.EndpointShown),
    Command(
        "webhooks.test",
        subjects.WEBHOOKS_COMMAND + "test",
        webhooks.TestEndpoint,
        webhooks.TestReply,
        12.0,
        "consumers",
    ),
    _documents("webhooks.keys", webhooks.KeysQuery, webhooks.KeysReply),
    _documents("webhooks.attempts", deliveries.ListAttempts, deliveries.AttemptsReply),
    _documents("webhooks.events", deliveries.ListEvents, deliveries.EventsReply),
    _documents("webhooks.replay", deliveries.ReplayEvents, deliveries.ReplayReply),
    _documents("webhooks.health", deliveries.DeliveriesHealthQuery, deliveries.WebhookHealth),
    _documents("webhooks.deliveries", explaining.FindDeliveries, explaining.Deliveries),
)
COMMUNITY_COMMANDS: Final[tuple[Command, ...]] = tuple(
    _documents(f"community.{verb}", request, reply) for verb, request, reply in community.REQUESTS
)
TRADING_COMMANDS: Final[tuple[Command, ...]] = (
    _documents("trading.create_account", trading.CreateAccount, trading.AccountInfo),
    _documents("trading.list_accounts", trading.ListAccounts, trading.AccountList),
    _documents("trading.delete_account", trading.DeleteAccount, trading.AccountInfo),
    _documents("trading.preview", orders.PreviewOrder, orders.Preview),
    _documents("trading.create_order", orders.CreateOrder, orders.OrderInfo),
    _documents("trading.list_orders", orders.ListOrders, orders.OrderPage),
    _documents("trading.find_order", orders.FindOrder, orders.OrderInfo),
    _documents("trading.cancel_order", orders.CancelOrder, orders.OrderInfo),
    _documents("trading.list_fills", orders.ListFills, orders.FillPage),
    _documents("trading.kill", trading.Kill, trading.Killed),
    _documents("trading.resume", trading.Resume, trading.Resumed),
    _documents("trading.issue_token", trading.TokenIssue, trading.TokenIssued),
    _documents("trading.refresh_token", trading.TokenRefresh, trading.TokenIssued),
    _documents("trading.unlink", trading.Unlink, trading.Revoked),
    _documents("trading.revoke", trading.Revoke, trading.Revoked),
)
PORTFOLIO_COMMANDS: Final[tuple[Command, ...]] = (
    _documents("portfolio.find", portfolio.FindPortfolio, portfolio.Portfolio),
    _documents("portfolio.ledger", portfolio.ListLedger, portfolio.LedgerPage),
    _documents("backtests.create", backtests.CreateBacktest, backtests.BacktestInfo),
    _documents("backtests.find", backtests.FindBacktest, backtests.BacktestInfo),
    _documents("backtests.list", backtests.ListBacktests, backtests.BacktestPage),
    _documents("backtests.equity", backtests.FindEquity, backtests.EquityPicture),
)
STRATEGIES_COMMANDS: Final[tuple[Command, ...]] = (
    _documents("strategies.create", strategies.CreateStrategy, strategies.StrategyShown),
    _documents("strategies.list", strategies.ListStrategies, strategies.StrategyPage),
    _documents("strategies.find", strategies.FindStrategy, strategies.StrategyInfo),
    _documents("strategies.pause", strategies.ChangeStrategy, strategies.StrategyInfo),
    _documents("strategies.resume", strategies.ChangeStrategy, strategies.StrategyInfo),
    _documents("strategies.stop", strategies.ChangeStrategy, strategies.StrategyInfo),
    _documents("strategies.why", strategies.StrategyWhy, strategies.StrategyExplanation),
    _documents("strategies.signal", strategies.TakeSignal, strategies.SignalTaken),
)
EXPLAINERS: Final = ("whales", "clusters", "storms", "detectors")  # who decides by rules that can be explained
EXPLAINING_COMMANDS: Final[tuple[Command, ...]] = tuple(
    command
    for consumer in EXPLAINERS
    for command in (
        _documents(f"{consumer}.why", explaining.WhyQuery, explaining.Explanation),
        _documents(f"{consumer}.why_not", explaining.WhyNotQuery, explaining.Explanation),
        Command(
            f"{consumer}.dry_run",
            f"{subjects.COMMAND}{consumer}.dry_run",
            explaining.DryRunQuery,
            explaining.DryRunReply,
            12.0,
            "consumers",
        ),
    )
)
COMMANDS: Final[tuple[Command, ...]] = (
    *MARKET_COMMANDS,
    *COMMUNITY_COMMANDS,
    *ACCESS_COMMANDS,
    *ALERTS_COMMANDS,
    *ANALYTICS_COMMANDS,
    *TELEGRAM_COMMANDS,
    *CHATS_COMMANDS,
    *DEAD_LETTERS_COMMANDS,
    *WEBHOOK_COMMANDS,
    *TRADING_COMMANDS,
    *PORTFOLIO_COMMANDS,
    *STRATEGIES_COMMANDS,
    *EXPLAINING_COMMANDS,
    Command("candles.list", subjects.CANDLES_LIST, CandlesQuery, CandlesReply, 2.0, "consumers"),
    Command("feed.resync", subjects.FEED_RESYNC, feed.ResyncQuery, feed.ResyncReply, 2.0, "producers"),
    Command("history.candles", subjects.HISTORY_CANDLES, HistoryQuery, HistoryReply, 10.0, "producers"),
    Command("history.trades", subjects.HISTORY_TRADES, TradeHistoryQuery, TradeHistoryReply, 10.0, "producers"),
)
