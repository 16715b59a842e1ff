"""Settings: what the environment and `.env` may say, read here only and handed on as values by composition roots.

`load()` gives every group or raises SettingsError with every wrong name at once. `python -m runtime.settings --check`
does the same from a shell.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from runtime.config.access import AccessSettings
from runtime.config.check import (
    FILE_SUFFIX,
    URL_TEMPLATES,
    GroupReader,
    SettingsError,
    describe,
    find_warnings,
    secret_names,
    secret_values,
    venue_urls,
)
from runtime.config.fields import (
    Count,
    ExistingFile,
    HttpUrl,
    HttpUrls,
    Keys,
    Level,
    MongoUrl,
    NatsUrl,
    Networks,
    Origins,
    Port,
    Seconds,
    Share,
    SocketUrl,
    Symbols,
    Usd,
    Venues,
    Words,
)
from runtime.config.retention import RetentionSettings

__all__ = ["Settings", "SettingsError", "data_home", "environment", "load", "names"]

ENV_FILE = Path(".env")
DEFAULT_VENUES = (
    *("binance", "binanceusdm", "coinbase", "kraken", "krakenfutures", "bybit", "okx", "htx"),
    *("kucoin", "kucoinfutures", "indodax", "deribit", "bitfinex", "gate", "hyperliquid"),
)
DEFAULT_LARGE = ("SOL", "XRP", "BNB", "DOGE", "ADA")
_CONFIG = SettingsConfigDict(
    frozen=True, extra="ignore", case_sensitive=True, env_ignore_empty=True, hide_input_in_errors=True
)


def data_home() -> Path:
    """Where this platform keeps a user's data, with our name at the end."""
    if sys.platform == "win32":
        home = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        home = str(Path.home() / "Library" / "Application Support")
    else:
        home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(home) / "hydrophone"


class ApiSettings(BaseSettings):
    """The HTTP face: where it listens, who may ask and how often. Windows are seconds."""

    model_config = _CONFIG
    host: str = Field("0.0.0.0", validation_alias="GPT_API_HOST")  # noqa: S104  # keys guard it
    port: Port = Field(8000, validation_alias="GPT_API_PORT")
    debug: bool = Field(default=False, validation_alias="GPT_API_DEBUG")
    log_level: Level = Field("INFO", validation_alias="GPT_API_LOG_LEVEL")
    api_keys: Keys = Field((), validation_alias="GPT_API_API_KEYS")
    admin_keys: Keys = Field((), validation_alias="HYDROPHONE_ADMIN_KEYS")
    require_auth: bool = Field(default=True, validation_alias="GPT_API_REQUIRE_AUTH")
    ip_allowlist: Networks = Field((), validation_alias="GPT_API_IP_ALLOWLIST")
    trusted_proxies: Networks = Field((), validation_alias="GPT_API_TRUSTED_PROXIES")
    cors_origins: Origins = Field((), validation_alias="GPT_API_CORS_ORIGINS")
    cors_methods: Words = Field((), validation_alias="GPT_API_CORS_METHODS")
    cors_headers: Words = Field((), validation_alias="GPT_API_CORS_HEADERS")
    rate_limit_requests: Count = Field(100, validation_alias="GPT_API_RATE_LIMIT_REQUESTS")
    rate_limit_window: Count = Field(60, validation_alias="GPT_API_RATE_LIMIT_WINDOW")
    rate_limit_ip: Count = Field(1000, validation_alias="GPT_API_RATE_LIMIT_IP")
    rate_limit_anonymous: Count = Field(100, validation_alias="GPT_API_RATE_LIMIT_ANONYMOUS")
    rate_limit_global: Count = Field(10_000, validation_alias="GPT_API_RATE_LIMIT_GLOBAL")
    connections_per_address: Count = Field(256, validation_alias="GPT_API_CONNECTIONS_PER_ADDRESS")


class CacheSettings(BaseSettings):
    """What the API keeps of answers for a moment."""

    model_config = _CONFIG
    enabled: bool = Field(default=True, validation_alias="GPT_API_CACHE_ENABLED")


class VenueSettings(BaseSettings):
    """What to follow. The URL maps hold only venues whose own address is replaced (`HYDROPHONE_<VENUE>_WS_URL`)."""

    model_config = _CONFIG
    venues: Venues = Field(DEFAULT_VENUES, validation_alias="HYDROPHONE_VENUES")
    symbols: Symbols = Field(("BTC", "ETH", "SOL", "XRP", "DOGE"), validation_alias="HYDROPHONE_SYMBOLS")
    sandbox: bool = Field(default=False, validation_alias="GPT_API_EXCHANGE_SANDBOX")
    rate_limit: Count = Field(1200, validation_alias="GPT_API_EXCHANGE_RATE_LIMIT", description="requests a minute")
    book_interval_ms: Count = Field(250, validation_alias="HYDROPHONE_BOOK_INTERVAL_MS")
    book_depth: Count = Field(100, validation_alias="HYDROPHONE_BOOK_DEPTH")
    socket: Literal["picows", "websockets"] = Field("picows", validation_alias="HYDROPHONE_SOCKET")
    symbol_groups: Count = Field(1, validation_alias="HYDROPHONE_SYMBOL_GROUPS")
    listing_minutes: Count = Field(60, validation_alias="HYDROPHONE_LISTING_MINUTES")
    ws_urls: dict[str, SocketUrl] = {}
    rest_urls: dict[str, HttpUrl] = {}


class BusSettings(BaseSettings):
    """The bus: its URL (may carry a token; several with commas) and at most one way to prove who we are."""

    model_config = _CONFIG
    url: NatsUrl | None = Field(None, validation_alias="NATS_URL")
    user: str | None = Field(None, validation_alias="NATS_USER")
    password: SecretStr | None = Field(None, validation_alias="NATS_PASSWORD", validate_default=True)
    token: SecretStr | None = Field(None, validation_alias="NATS_TOKEN")
    nkey_seed_file: ExistingFile = Field(None, validation_alias="NATS_NKEY_SEED_FILE")
    creds_file: ExistingFile = Field(None, validation_alias="NATS_CREDS_FILE", validate_default=True)
    monitor_urls: HttpUrls = Field((), validation_alias="NATS_MONITOR_URLS")
    trust_sync: bool = Field(default=False, validation_alias="HYDROPHONE_TRUST_SYNC")
    replicas: Count = Field(1, validation_alias="HYDROPHONE_REPLICAS")
    tls_ca: ExistingFile = Field(None, validation_alias="NATS_TLS_CA")
    tls_cert: ExistingFile = Field(None, validation_alias="NATS_TLS_CERT")
    tls_key: ExistingFile = Field(None, validation_alias="NATS_TLS_KEY", validate_default=True)

    @field_validator("password")
    @classmethod
    def _with_user(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if (value is None) != (info.data.get("user") is None):
            raise ValueError("NATS_USER and NATS_PASSWORD go together: set both or neither")
        return value

    @field_validator("creds_file")
    @classmethod
    def _one_proof(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        given = [name for name in ("user", "token", "nkey_seed_file") if info.data.get(name) is not None]
        if len(given) + (value is not None) > 1:
            raise ValueError("only one of NATS_USER, NATS_TOKEN, NATS_NKEY_SEED_FILE and NATS_CREDS_FILE may be set")
        return value

    @field_validator("tls_key")
    @classmethod
    def _with_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if "tls_cert" in info.data and (value is None) != (info.data["tls_cert"] is None):
            raise ValueError("NATS_TLS_CERT and NATS_TLS_KEY go together: set both or neither")
        return value


class StoreSettings(BaseSettings):
    """Documents and the data directory."""

    model_config = _CONFIG
    url: MongoUrl | None = Field(None, validation_alias="MONGO_URL")
    data: Path = Field(default_factory=data_home, validation_alias="HYDROPHONE_DATA")


class AlertSettings(BaseSettings):
    """Whale, cluster and storm limits by tier (majors, large, mid = every other coin); USD and seconds."""

    model_config = _CONFIG
    majors: Words = Field(("BTC", "ETH"), validation_alias="HYDROPHONE_MAJORS")
    large: Words = Field(DEFAULT_LARGE, validation_alias="HYDROPHONE_LARGE", validate_default=True)
    whale_usd_majors: Usd = Field(Decimal(1_000_000), validation_alias="HYDROPHONE_WHALE_USD_MAJORS")
    whale_usd_large: Usd = Field(Decimal(500_000), validation_alias="HYDROPHONE_WHALE_USD_LARGE")
    whale_usd_mid: Usd = Field(Decimal(200_000), validation_alias="HYDROPHONE_WHALE_USD_MID")
    whale_adaptive_quantile: Share = Field(Decimal(0), validation_alias="HYDROPHONE_WHALE_ADAPTIVE_QUANTILE")
    whale_adaptive_samples: Count = Field(1000, validation_alias="HYDROPHONE_WHALE_ADAPTIVE_SAMPLES")
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


class PartSettings(BaseSettings):
    """What a part runs of what it could run; nothing named means all of it."""

    model_config = _CONFIG
    consumers: Words = Field((), validation_alias="HYDROPHONE_CONSUMERS")


class LogSettings(BaseSettings):
    """Logs and metrics; no directory means standard output only, port 0 means that no metrics are served."""

    model_config = _CONFIG
    level: Level = Field("INFO", validation_alias="HYDROPHONE_LOG_LEVEL")
    directory: Path | None = Field(None, validation_alias="HYDROPHONE_LOG_DIR")
    metrics_port: Port = Field(0, validation_alias="HYDROPHONE_METRICS_PORT")


GROUPS: tuple[type[BaseSettings], ...] = (
    ApiSettings,
    AccessSettings,
    CacheSettings,
    VenueSettings,
    BusSettings,
    StoreSettings,
    RetentionSettings,
    AlertSettings,
    PartSettings,
    LogSettings,
)


@dataclass(frozen=True)
class Settings:
    """Every group, validated; `warnings` are lines to log about names that nobody reads."""

    api: ApiSettings
    access: AccessSettings
    cache: CacheSettings
    venues: VenueSettings
    bus: BusSettings
    store: StoreSettings
    retention: RetentionSettings
    alerts: AlertSettings
    parts: PartSettings
    logs: LogSettings
    warnings: tuple[str, ...] = ()

    def groups(self) -> list[BaseSettings]:
        """The groups, in order."""
        early = [self.api, self.access, self.cache, self.venues, self.bus, self.store]
        return [*early, self.retention, self.alerts, self.parts, self.logs]

    def secrets(self) -> tuple[str, ...]:
        """Every secret value, for `LogConfig.secrets`."""
        return secret_values(self.groups())


def names() -> tuple[str, ...]:
    """Every setting's name, in the order of the groups, the venue addresses as their two templates last."""
    aliases = (info.validation_alias for group in GROUPS for info in group.model_fields.values())
    return (*(alias for alias in aliases if isinstance(alias, str)), *URL_TEMPLATES)


def environment(env_file: Path = ENV_FILE) -> dict[str, str]:
    """The process environment over `.env`; for the composition roots that start other processes."""
    written = dotenv_values(env_file) if env_file.is_file() else {}
    return {**{name: value for name, value in written.items() if value is not None}, **os.environ}


def load(env_file: Path = ENV_FILE) -> Settings:
    """Read and check everything; raises SettingsError that names every wrong setting with its rule."""
    environ = environment(env_file)
    reader = GroupReader(env_file, environ)
    settings = Settings(
        api=reader.read(ApiSettings),
        access=reader.read(AccessSettings),
        cache=reader.read(CacheSettings),
        venues=reader.read(
            VenueSettings, ws_urls=venue_urls(environ, "WS_URL"), rest_urls=venue_urls(environ, "REST_URL")
        ),
        bus=reader.read(BusSettings),
        store=reader.read(StoreSettings),
        retention=reader.read(RetentionSettings),
        alerts=reader.read(AlertSettings),
        parts=reader.read(PartSettings),
        logs=reader.read(LogSettings),
    )
    if reader.problems:
        raise SettingsError(reader.problems)
    followed = {*DEFAULT_VENUES, *settings.venues.venues}
    in_files = [name + FILE_SUFFIX for name in secret_names(GROUPS)]
    return replace(settings, warnings=find_warnings(environ, (*names(), *in_files), followed))


def main(arguments: list[str]) -> int:
    """`--check`: print every value (secrets masked) and every warning, or every problem; 1 when there is one."""
    if arguments != ["--check"]:
        print("usage: python -m runtime.settings --check", file=sys.stderr)  # noqa: T201
        return 2
    try:
        settings = load()
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    lines = describe(settings.groups())
    print("\n".join([*lines, *(f"warning: {line}" for line in settings.warnings), "settings: all right"]))  # noqa: T201
    return 0
