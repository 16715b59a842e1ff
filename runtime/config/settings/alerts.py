"""Settings of the signals: from which sizes and counts on they are published."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

from runtime.config.fields import Count, Seconds, Share, Usd, Words
from runtime.config.settings.group import GROUP

DEFAULT_LARGE = ("SOL", "XRP", "BNB", "DOGE", "ADA")


class AlertSettings(BaseSettings):
    """Whale, liquidation, cluster and storm limits by tier (majors, large, mid = every other coin); USD and seconds."""

    model_config = GROUP
    majors: Words = Field(("BTC", "ETH"), validation_alias="HYDROPHONE_MAJORS")
    large: Words = Field(DEFAULT_LARGE, validation_alias="HYDROPHONE_LARGE", validate_default=True)
    whale_usd_majors: Usd = Field(Decimal(1_000_000), validation_alias="HYDROPHONE_WHALE_USD_MAJORS")
    whale_usd_large: Usd = Field(Decimal(500_000), validation_alias="HYDROPHONE_WHALE_USD_LARGE")
    whale_usd_mid: Usd = Field(Decimal(200_000), validation_alias="HYDROPHONE_WHALE_USD_MID")
    whale_adaptive_quantile: Share = Field(Decimal(0), validation_alias="HYDROPHONE_WHALE_ADAPTIVE_QUANTILE")
    whale_adaptive_samples: Count = Field(1000, validation_alias="HYDROPHONE_WHALE_ADAPTIVE_SAMPLES")
    liquidation_usd_majors: Usd = Field(Decimal(500_000), validation_alias="HYDROPHONE_LIQUIDATION_USD_MAJORS")
    liquidation_usd_large: Usd = Field(Decimal(200_000), validation_alias="HYDROPHONE_LIQUIDATION_USD_LARGE")
    liquidation_usd_mid: Usd = Field(Decimal(100_000), validation_alias="HYDROPHONE_LIQUIDATION_USD_MID")
    cooldown_seconds_majors: Seconds = Field(300, validation_alias="HYDROPHONE_COOLDOWN_SECONDS_MAJORS")
    cooldown_seconds_large: Seconds = Field(450, validation_alias="HYDROPHONE_COOLDOWN_SECONDS_LARGE")
    cooldown_seconds_mid: Seconds = Field(600, validation_alias="HYDROPHONE_COOLDOWN_SECONDS_MID")
    cluster_window_seconds: Count = Field(300, validation_alias="HYDROPHONE_CLUSTER_WINDOW_SECONDS")
    cluster_count: Count = Field(3, validation_alias="HYDROPHONE_CLUSTER_COUNT")
    storm_window_seconds: Count = Field(30, validation_alias="HYDROPHONE_STORM_WINDOW_SECONDS")
    storm_usd_majors: Usd = Field(Decimal(2_000_000), validation_alias="HYDROPHONE_STORM_USD_MAJORS")
    storm_usd_large: Usd = Field(Decimal(1_000_000), validation_alias="HYDROPHONE_STORM_USD_LARGE")
    storm_usd_mid: Usd = Field(Decimal(500_000), validation_alias="HYDROPHONE_STORM_USD_MID")
    storm_count_majors: Count = Field(3, validation_alias="HYDROPHONE_STORM_COUNT_MAJORS")
    storm_count_large: Count = Field(2, validation_alias="HYDROPHONE_STORM_COUNT_LARGE")
    storm_count_mid: Count = Field(2, validation_alias="HYDROPHONE_STORM_COUNT_MID")

    @field_validator("large")
    @classmethod
    def _tiers_apart(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if both := sorted(set(info.data.get("majors", ())) & set(value)):
            raise ValueError(f"a coin has one tier, and HYDROPHONE_MAJORS has {', '.join(both)} too")
        return value
