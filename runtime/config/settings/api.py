"""Settings of the HTTP face: where it listens, who may request what, and what it keeps."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings

from runtime.config.fields import Count, HttpUrl, Keys, Level, Networks, Origins, Port, Words
from runtime.config.settings.group import GROUP


class ApiSettings(BaseSettings):
    """The HTTP face: where it listens, who may ask and how often. Windows are seconds."""

    model_config = GROUP
    host: str = Field("0.0.0.0", validation_alias="GPT_API_HOST")  # noqa: S104  # keys guard it
    port: Port = Field(8000, validation_alias="GPT_API_PORT")
    public_url: HttpUrl | None = Field(None, validation_alias="GPT_API_PUBLIC_URL")
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
    connections_per_key: Count = Field(20, validation_alias="GPT_API_STREAM_CONNECTIONS_PER_KEY")

    @property
    def own_url(self) -> str:
        """Where the service is known to be, without a slash at the end; nothing where nobody said."""
        return str(self.public_url or "").rstrip("/")


class CacheSettings(BaseSettings):
    """What is kept of answers; `ttl` in seconds, of what has no class of its own."""

    model_config = GROUP
    enabled: bool = Field(default=True, validation_alias="GPT_API_CACHE_ENABLED")
    ttl: Count = Field(300, validation_alias="GPT_API_CACHE_TTL")
