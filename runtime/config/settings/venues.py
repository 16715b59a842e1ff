"""Settings of what is followed: venues, symbols, books, and the addresses that replace a venue's own."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings

from runtime.config.fields import Count, HttpUrl, SocketUrl, Symbols, Venues
from runtime.config.settings.group import GROUP

DEFAULT_VENUES = (
    *("binance", "binanceusdm", "coinbase", "kraken", "krakenfutures", "bybit", "okx", "htx"),
    *("kucoin", "kucoinfutures", "indodax", "deribit", "bitfinex", "gate", "hyperliquid"),
)


class VenueSettings(BaseSettings):
    """What to follow. The URL maps hold only venues whose own address is replaced (`HYDROPHONE_<VENUE>_WS_URL`)."""

    model_config = GROUP
    venues: Venues = Field(DEFAULT_VENUES, validation_alias="HYDROPHONE_VENUES")
    symbols: Symbols = Field(("BTC", "ETH", "SOL", "XRP", "DOGE"), validation_alias="HYDROPHONE_SYMBOLS")
    sandbox: bool = Field(default=False, validation_alias="GPT_API_EXCHANGE_SANDBOX")
    rate_limit: Count = Field(1200, validation_alias="GPT_API_EXCHANGE_RATE_LIMIT", description="requests a minute")
    book_interval_ms: Count = Field(250, validation_alias="HYDROPHONE_BOOK_INTERVAL_MS")
    book_depth: Count = Field(100, validation_alias="HYDROPHONE_BOOK_DEPTH")
    books: Literal["producers", "elsewhere"] = Field("producers", validation_alias="HYDROPHONE_BOOKS")
    socket: Literal["picows", "websockets"] = Field("picows", validation_alias="HYDROPHONE_SOCKET")
    symbol_groups: Count = Field(1, validation_alias="HYDROPHONE_SYMBOL_GROUPS")
    simulator_rate: float = Field(1.0, ge=0.1, le=50, validation_alias="HYDROPHONE_SIMULATOR_RATE")
    listing_minutes: Count = Field(60, validation_alias="HYDROPHONE_LISTING_MINUTES")
    ws_urls: dict[str, SocketUrl] = {}
    rest_urls: dict[str, HttpUrl] = {}
