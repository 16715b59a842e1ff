"""Settings of the webhooks: how many, how fast, and which receivers are exempt from the rules about addresses."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings

from runtime.config.fields import Count, Hosts, Ports, Seconds, SigningKey
from runtime.config.settings.group import GROUP


class WebhookSettings(BaseSettings):
    """Endpoints of an owner, seconds between events of one symbol and type, failures in a row that open a circuit."""

    model_config = GROUP
    enabled: bool = Field(default=True, validation_alias="GPT_API_WEBHOOKS_ENABLED")
    max_subscriptions: Count = Field(100, validation_alias="GPT_API_WEBHOOK_MAX_SUBSCRIPTIONS")
    rate_limit_seconds: Seconds = Field(30, validation_alias="GPT_API_WEBHOOK_RATE_LIMIT_SECONDS")
    max_failures: Count = Field(5, validation_alias="GPT_API_WEBHOOK_MAX_FAILURES")
    allow: Hosts = Field((), validation_alias="HYDROPHONE_WEBHOOK_ALLOW")
    ports: Ports = Field((443, 8443), validation_alias="HYDROPHONE_WEBHOOK_PORTS")
    signing_key: SigningKey | None = Field(None, validation_alias="HYDROPHONE_WEBHOOK_SIGNING_KEY")
