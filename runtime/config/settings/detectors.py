"""Settings of the detectors of single figures: funding, open interest, walls, spreads, volumes."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field
from pydantic_settings import BaseSettings

from runtime.config.fields import Count, Positive, Seconds, Share
from runtime.config.settings.group import GROUP


class DetectorSettings(BaseSettings):
    """Limits by tier where the size of a coin matters; percent, USD and seconds."""

    model_config = GROUP
    funding_limit: Positive = Field(Decimal("0.001"), validation_alias="HYDROPHONE_FUNDING_LIMIT")
    funding_quantile: Share = Field(Decimal("0.99"), validation_alias="HYDROPHONE_FUNDING_QUANTILE")
    funding_cooldown: Seconds = Field(28_800, validation_alias="HYDROPHONE_FUNDING_COOLDOWN_SECONDS")
    interest_percent_majors: Positive = Field(Decimal(3), validation_alias="HYDROPHONE_INTEREST_PERCENT_MAJORS")
    interest_percent_large: Positive = Field(Decimal(5), validation_alias="HYDROPHONE_INTEREST_PERCENT_LARGE")
    interest_percent_mid: Positive = Field(Decimal(10), validation_alias="HYDROPHONE_INTEREST_PERCENT_MID")
    interest_window: Count = Field(900, validation_alias="HYDROPHONE_INTEREST_WINDOW_SECONDS")
    interest_cooldown: Seconds = Field(900, validation_alias="HYDROPHONE_INTEREST_COOLDOWN_SECONDS")
    wall_times: Positive = Field(Decimal(20), validation_alias="HYDROPHONE_WALL_TIMES")
    wall_usd_majors: Positive = Field(Decimal(1_000_000), validation_alias="HYDROPHONE_WALL_USD_MAJORS")
    wall_usd_large: Positive = Field(Decimal(300_000), validation_alias="HYDROPHONE_WALL_USD_LARGE")
    wall_usd_mid: Positive = Field(Decimal(100_000), validation_alias="HYDROPHONE_WALL_USD_MID")
    wall_sample: Count = Field(10, validation_alias="HYDROPHONE_WALL_SAMPLE_SECONDS")
    wall_cooldown: Seconds = Field(600, validation_alias="HYDROPHONE_WALL_COOLDOWN_SECONDS")
    spread_percent_majors: Positive = Field(Decimal("0.3"), validation_alias="HYDROPHONE_SPREAD_PERCENT_MAJORS")
    spread_percent_large: Positive = Field(Decimal("0.5"), validation_alias="HYDROPHONE_SPREAD_PERCENT_LARGE")
    spread_percent_mid: Positive = Field(Decimal(1), validation_alias="HYDROPHONE_SPREAD_PERCENT_MID")
    spread_stale: Count = Field(5, validation_alias="HYDROPHONE_SPREAD_STALE_SECONDS")
    spread_cooldown: Seconds = Field(300, validation_alias="HYDROPHONE_SPREAD_COOLDOWN_SECONDS")
    volume_times: Positive = Field(Decimal(8), validation_alias="HYDROPHONE_VOLUME_TIMES")
    volume_usd_majors: Positive = Field(Decimal(5_000_000), validation_alias="HYDROPHONE_VOLUME_USD_MAJORS")
    volume_usd_large: Positive = Field(Decimal(1_000_000), validation_alias="HYDROPHONE_VOLUME_USD_LARGE")
    volume_usd_mid: Positive = Field(Decimal(250_000), validation_alias="HYDROPHONE_VOLUME_USD_MID")
    volume_minutes: Count = Field(60, validation_alias="HYDROPHONE_VOLUME_MINUTES")
    volume_cooldown: Seconds = Field(600, validation_alias="HYDROPHONE_VOLUME_COOLDOWN_SECONDS")
