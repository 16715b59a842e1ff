"""Settings of how long and how much the bus keeps, and the streams that they are about."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final

from pydantic import Field
from pydantic_settings import BaseSettings

from contracts import streams
from contracts.streams import DAY, HOUR, MIB, Retention
from runtime.config.fields import Count
from runtime.config.settings.group import GROUP

Scale = Annotated[Decimal, Field(gt=0, le=1000, max_digits=9)]
_DAYS: Final = (
    ("candles_1m", (streams.CANDLES_1M,)),
    ("candles", (streams.CANDLES_5M, streams.CANDLES_1H)),
    ("liquidations", (streams.LIQUIDATIONS, streams.DERIVATIVES)),
    ("signals", (streams.SIGNALS,)),
    ("feeds", (streams.FEEDS,)),
)


class RetentionSettings(BaseSettings):
    """What the streams keep; whichever of age and bytes is reached first counts."""

    model_config = GROUP
    trades_hours: Count = Field(24, validation_alias="HYDROPHONE_KEEP_TRADES_HOURS")
    trades_mb: Count = Field(1024, validation_alias="HYDROPHONE_KEEP_TRADES_MB")
    candles_1m: Count = Field(30, validation_alias="HYDROPHONE_KEEP_CANDLES_1M_DAYS")
    candles: Count = Field(730, validation_alias="HYDROPHONE_KEEP_CANDLES_DAYS")
    liquidations: Count = Field(30, validation_alias="HYDROPHONE_KEEP_LIQUIDATIONS_DAYS")
    signals: Count = Field(30, validation_alias="HYDROPHONE_KEEP_SIGNALS_DAYS")
    feeds: Count = Field(30, validation_alias="HYDROPHONE_KEEP_FEEDS_DAYS")
    past_hours: Count = Field(24, validation_alias="HYDROPHONE_KEEP_PAST_HOURS")
    past_mb: Count = Field(1280, validation_alias="HYDROPHONE_KEEP_PAST_MB")
    past_books_mb: Count = Field(2048, validation_alias="HYDROPHONE_KEEP_PAST_BOOKS_MB")
    past_trades_mb: Count = Field(1280, validation_alias="HYDROPHONE_KEEP_PAST_TRADES_MB")
    stream_scale: Scale = Field(Decimal(1), validation_alias="HYDROPHONE_STREAM_SCALE")

    def retention(self) -> Retention:
        """What the provisioner applies to the declared streams and buckets."""
        ages = {stream: getattr(self, name) * DAY for name, found in _DAYS for stream in found}
        past = {
            streams.PAST: self.past_mb,
            streams.PAST_BOOKS: self.past_books_mb,
            streams.PAST_TRADES: self.past_trades_mb,
        }
        sizes = {**past, streams.MARKET: self.trades_mb}
        return Retention(
            ages={**ages, **dict.fromkeys(past, self.past_hours * HOUR), streams.MARKET: self.trades_hours * HOUR},
            sizes={stream: size * MIB for stream, size in sizes.items()},
            scale=float(self.stream_scale),
        )
