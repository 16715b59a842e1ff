"""Every subject of the bus on one screen: templates, wildcards, key-value keys, headers; named here and nowhere else.

Market data and signals end in `<venue>.<BASE>.<QUOTE>.<contract>` (`Instrument.tail`), so that a subscriber can filter
on any of them: `md.v1.liquidation.>`, `md.v1.*.*.BTC.>`, `md.v1.trade.binance.>`.
"""

from __future__ import annotations

from typing import Final

# ---- market data: md.v1.<kind>.<venue>.<BASE>.<QUOTE>.<contract>
TRADE: Final = "md.v1.trade."
TICKER: Final = "md.v1.ticker."
BOOK: Final = "md.v1.book."
ALL_VENUES: Final = "all"  # in place of a venue where an event is of all of them
CONSOLIDATED_TICKER: Final = TICKER + ALL_VENUES + "."  # <BASE>.<QUOTE>.<contract>: made of every fresh venue
CONSOLIDATED_BOOK: Final = BOOK + ALL_VENUES + "."
DELTA: Final = "md.v1.delta."
LIQUIDATION: Final = "md.v1.liquidation."
FUNDING: Final = "md.v1.funding."
INTEREST: Final = "md.v1.interest."
CANDLE: Final = "md.v1.candle."  # followed by <tf>. and the instrument's tail

# ---- signals and alerts: signal.v1.<kind>.<venue>.<BASE>.<QUOTE>.<contract>; `all` and `any` where one spans venues
WHALE: Final = "signal.v1.whale."
CLUSTER: Final = "signal.v1.cluster."
STORM: Final = "signal.v1.storm."
ALERT: Final = "alert.v1."  # <kind of alert>. and the tail, see contracts.alerts
PRICE_ALERT: Final = ALERT + "price_alert."  # of an owner, and seen by nobody else
FUNDING_EXTREME: Final = "signal.v1.funding_extreme."
INTEREST_JUMP: Final = "signal.v1.interest_jump."
WALL: Final = "signal.v1.wall."
SPREAD: Final = "signal.v1.spread."  # all.<BASE>.<QUOTE>.<contract>
VOLUME_SPIKE: Final = "signal.v1.volume_spike."
LISTING: Final = "signal.v1.listing."

# ---- the rest
FEED: Final = "feed.v1."  # <venue>
BUS: Final = "bus"  # in place of a venue: what the bus itself, or a reader of its streams, has lost
ORDER: Final = "order.v1."  # <what>.<account>: of an owner, see contracts.services.trading.events
STRATEGY: Final = "strategy.v1."  # <what>.<strategy>: of an owner, see contracts.services.trading.strategy_events
COMMAND: Final = "cmd.v1."  # <service>.<verb>: request and reply, see contracts.commands
CANDLES_LIST: Final = COMMAND + "candles.list"
LEASE: Final = COMMAND + "lease."  # <holder>: served by the process that holds a lease while it is connected
HISTORY_CANDLES: Final = COMMAND + "history.candles"
HISTORY_TRADES: Final = COMMAND + "history.trades"
ANALYTICS_COMMAND: Final = COMMAND + "analytics."  # <verb>, see contracts.services.analytics
DEAD_LETTERS_COMMAND: Final = COMMAND + "deadletters."  # <verb>, see contracts.services.deadletters
FEED_COMMAND: Final = COMMAND + "feed."  # <verb>, served by the producers, see contracts.services.feed
MARKET_COMMAND: Final = COMMAND + "market."  # <verb>, see contracts.services.market
ALERTS_COMMAND: Final = COMMAND + "alerts."  # <verb>, see contracts.services.alerts
ACCESS_COMMAND: Final = COMMAND + "access."  # <verb>, see contracts.services.access
WEBHOOKS_COMMAND: Final = COMMAND + "webhooks."  # <verb>, see contracts.services.webhooks
WEBHOOK_CHANGED: Final = "webhooks.v1.changed."  # <endpoint>: core NATS, it is not as it was
TRADING_COMMAND: Final = COMMAND + "trading."  # <verb>, see contracts.services.trading
PORTFOLIO_COMMAND: Final = COMMAND + "portfolio."  # <verb>, see contracts.services.trading.portfolio
BACKTESTS_COMMAND: Final = COMMAND + "backtests."  # <verb>, see contracts.services.trading.backtests
STRATEGIES_COMMAND: Final = COMMAND + "strategies."  # <verb>, see contracts.services.trading.strategies
COMMUNITY: Final = "community.v1."  # <what>.<group>: what changed in a managed group, see contracts.services.community
AUDIT: Final = "audit.v1."  # <service>.<action>: who changed what, see contracts.services.audit
LIMIT: Final = "limit.v1."  # <rule>.<who>.<window>: requests in it, taken by all processes of the API
JOB: Final = "job.v1."
TELEGRAM_JOB: Final = JOB + "telegram."  # <chat>.<priority>, see contracts.services.telegram
CHATS_COMMAND: Final = COMMAND + "chats."  # <verb>, see contracts.services.chats
TELEGRAM_COMMAND: Final = COMMAND + "telegram."  # <verb>
TELEGRAM_RESULT: Final = "telegram.v1.result."  # <chat>.<hash of the job's id>
TELEGRAM_BLOCKED: Final = "telegram.v1.blocked."  # <chat>
TELEGRAM_MIGRATED: Final = "telegram.v1.migrated."  # <chat>
WEBHOOK_JOB: Final = JOB + "webhook."  # <endpoint>: look at what waits for it; <endpoint>.<event>: send that once more
SCHEDULE: Final = "later.v1.at."  # <job without job.v1.>: held until its time, then published as due
DUE: Final = "later.v1.due."  # <job without job.v1.>
DEAD_LETTER: Final = "dlq.v1."  # <consumer>.<subject of the message>
BUDGET: Final = "budget.v1."  # <venue>.<window>: REST weight spent in it, by all processes
ANALYTICS: Final = "analytics.v1.requests"  # batches of answered requests, by every API process
CACHE_DROP: Final = "cache.v1.drop"  # core NATS, to every process that keeps answers, see contracts.services.cache
HELD: Final = "api.v1.connections"  # core NATS: what each API process holds of each key, to all the others
PROBE: Final = "probe.v1."  # <who>: whether the bus can write
SAMPLE_BOOK: Final = "sample.v1.book."  # <venue>.<BASE>.<QUOTE>.<contract>: books as the detectors looked at them
PAST: Final = "past.v1."  # <bucket>.<key>: each version of a document of a recorded bucket, empty where it was deleted
REPLAY: Final = "rp."  # <run>. and then any subject above

# ---- wildcards
ALL_MARKET_DATA: Final = "md.v1.>"
ALL_TRADES: Final = TRADE + ">"
ALL_TICKERS: Final = TICKER + ">"
ALL_BOOKS: Final = BOOK + ">"
ALL_DELTAS: Final = DELTA + ">"
ALL_LIQUIDATIONS: Final = LIQUIDATION + ">"
ALL_FUNDING: Final = FUNDING + ">"
ALL_INTEREST: Final = INTEREST + ">"
ALL_CANDLES: Final = CANDLE + ">"
ALL_CONSOLIDATED_TICKERS: Final = CONSOLIDATED_TICKER + ">"
ALL_CONSOLIDATED_BOOKS: Final = CONSOLIDATED_BOOK + ">"
ALL_WHALES: Final = WHALE + ">"
ALL_CLUSTERS: Final = CLUSTER + ">"
ALL_STORMS: Final = STORM + ">"
ALL_SAMPLES: Final = "sample.v1.>"
ALL_SAMPLED_BOOKS: Final = SAMPLE_BOOK + ">"
ALL_SIGNALS: Final = "signal.v1.>"
ALL_ALERTS: Final = ALERT + ">"  # an owner's among them: for parts of the system only
ALL_PRICE_ALERTS: Final = PRICE_ALERT + ">"
ALL_FEEDS: Final = FEED + ">"
ALL_ORDERS: Final = ORDER + ">"
ALL_STRATEGIES: Final = STRATEGY + ">"
ALL_TELEGRAM_JOBS: Final = TELEGRAM_JOB + ">"
ALL_TELEGRAM: Final = "telegram.v1.>"
ALL_TELEGRAM_RESULTS: Final = TELEGRAM_RESULT + ">"
ALL_WEBHOOK_JOBS: Final = WEBHOOK_JOB + ">"
ALL_SCHEDULES: Final = "later.v1.>"
ALL_WEBHOOKS_DUE: Final = DUE + "webhook.>"
ALL_WEBHOOKS_CHANGED: Final = WEBHOOK_CHANGED + ">"
ALL_DEAD_LETTERS: Final = DEAD_LETTER + ">"
ALL_BUDGETS: Final = BUDGET + ">"
ALL_AUDIT: Final = AUDIT + ">"
ALL_COMMUNITY: Final = COMMUNITY + ">"
ALL_UNDOS: Final = COMMUNITY + "undo.>"  # <group>: what the bot has to lift in Telegram
ALL_LIMITS: Final = LIMIT + ">"
ALL_PROBES: Final = PROBE + ">"
ALL_REPLAYS: Final = REPLAY + ">"
MARKET_COMMANDS: Final = MARKET_COMMAND + ">"

# ---- headers: none for kinds of which there is one a moment and no stream drops a second copy
KINDS_WITHOUT_HEADERS: Final = frozenset({"ticker", "book", "delta"})
HEADER_MESSAGE_ID: Final = "Nats-Msg-Id"
HEADER_SCHEMA: Final = "Hydrophone-Schema"  # <kind>/<version>
HEADER_TRACE: Final = "traceparent"  # https://www.w3.org/TR/trace-context/
HEADER_TTL: Final = "Nats-TTL"  # seconds after which a stream drops the message
HEADER_INCREMENT: Final = "Nats-Incr"  # adds to a counter
HEADER_SCHEDULE: Final = "Nats-Schedule"  # `@at <RFC 3339>`: when the server publishes it to the target
HEADER_SCHEDULE_TARGET: Final = "Nats-Schedule-Target"
HEADER_ERROR: Final = "Hydrophone-Error"  # of a dead letter: why it could not be handled
HEADER_DELIVERIES: Final = "Hydrophone-Deliveries"  # of a dead letter: how often it was tried
HEADER_SYMBOL: Final = "Hydrophone-Symbol"  # of a reply: the symbol as it was resolved, percent-encoded
HEADER_SIMULATED: Final = "Hydrophone-Simulated"  # of a listing: a simulated exchange gave it
HEADER_BESIDE: Final = "Hydrophone-Beside"  # of a reply: a JSON object of what REST has beside `data`

# ---- keys of the STATE bucket: <kind>.<tail> holds the latest event of that kind of one instrument
STATE_TICKER: Final = "ticker."
STATE_TRADE: Final = "trade."  # the newest trades
STATE_TRADES_PAGE: Final = "trades_page."  # <place>.<tail>: a page of the trades before those
STATE_BOOK: Final = "book."
STATE_FUNDING: Final = "funding."
STATE_INTEREST: Final = "interest."
STATE_FEED: Final = "feed."  # <venue>: health of its feed
STATE_WHALES: Final = "whales."  # <BASE>: the recent whale trades, newest first
STATE_LIQUIDATIONS: Final = "liquidations."  # <BASE>: recent liquidations and totals by side

# ---- keys of the LEASES bucket
LEASE_PRODUCERS: Final = "producers."  # <unit>: who publishes for it
LEASE_STANDBY: Final = "standby."  # <group>: which of its processes works
LEASE_BOOKS: Final = "books"  # who publishes the books that producers do not keep


def cross_venue_tail(base_token: str) -> str:
    """Give the tail of a signal that spans venues, quotes and contracts: `all.<BASE>.USD.any`."""
    return f"{ALL_VENUES}.{base_token}.USD.any"
