"""Settings of the bus: its address and how a process proves who it is."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

from runtime.config.fields import Count, ExistingFile, HttpUrls, NatsUrl, Port
from runtime.config.settings.group import GROUP


class BusSettings(BaseSettings):
    """The bus: its URL (may carry a token; several with commas) and at most one way to prove who we are."""

    model_config = GROUP
    url: NatsUrl | None = Field(None, validation_alias="NATS_URL")
    user: str | None = Field(None, validation_alias="NATS_USER")
    password: SecretStr | None = Field(None, validation_alias="NATS_PASSWORD", validate_default=True)
    token: SecretStr | None = Field(None, validation_alias="NATS_TOKEN")
    nkey_seed_file: ExistingFile = Field(None, validation_alias="NATS_NKEY_SEED_FILE")
    creds_file: ExistingFile = Field(None, validation_alias="NATS_CREDS_FILE", validate_default=True)
    monitor_urls: HttpUrls = Field((), validation_alias="NATS_MONITOR_URLS")
    trust_sync: bool = Field(default=False, validation_alias="HYDROPHONE_TRUST_SYNC")
    replicas: Count = Field(1, validation_alias="HYDROPHONE_REPLICAS")
    profile_port: Port = Field(0, validation_alias="HYDROPHONE_BUS_PROFILE_PORT")
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
