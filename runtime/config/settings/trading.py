"""Settings of trading: secrets that seal keys of exchanges, how long a user token holds, where own strategies are."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

from runtime.config.fields import AppSecret, AppSecrets, Count
from runtime.config.settings.group import GROUP


class TradingSettings(BaseSettings):
    """The secret that seals, those that it sealed with before, and the times of user tokens in seconds."""

    model_config = GROUP
    secret_key: AppSecret | None = Field(None, validation_alias="APP_SECRET_KEY")
    old_secret_keys: AppSecrets = Field((), validation_alias="APP_SECRET_KEY_OLD", validate_default=True)
    token_ttl: Count = Field(86_400, validation_alias="USER_TOKEN_TTL_SECONDS")
    token_rotation: Count = Field(
        43_200, validation_alias="USER_TOKEN_ROTATION_THRESHOLD_SECONDS", validate_default=True
    )
    token_refresh: Count = Field(3_600, validation_alias="USER_TOKEN_REFRESH_THRESHOLD_SECONDS", validate_default=True)

    @field_validator("old_secret_keys")
    @classmethod
    def _with_a_new_one(cls, value: tuple[SecretStr, ...], info: ValidationInfo) -> tuple[SecretStr, ...]:
        if value and info.data.get("secret_key", value) is None:
            raise ValueError("APP_SECRET_KEY_OLD needs APP_SECRET_KEY: what is sealed from now on")
        return value

    @field_validator("token_rotation")
    @classmethod
    def _before_the_end(cls, value: int, info: ValidationInfo) -> int:
        if value >= info.data.get("token_ttl", value + 1):
            raise ValueError("USER_TOKEN_ROTATION_THRESHOLD_SECONDS must be less than USER_TOKEN_TTL_SECONDS")
        return value

    @field_validator("token_refresh")
    @classmethod
    def _within_the_rotation(cls, value: int, info: ValidationInfo) -> int:
        if value >= info.data.get("token_rotation", value + 1):
            raise ValueError(
                "USER_TOKEN_REFRESH_THRESHOLD_SECONDS must be less than USER_TOKEN_ROTATION_THRESHOLD_SECONDS"
            )
        return value

    strategies: Path | None = Field(None, validation_alias="HYDROPHONE_STRATEGIES")

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret that opens, the one that seals first; empty where none is set."""
        given = () if self.secret_key is None else (self.secret_key, *self.old_secret_keys)
        return tuple(secret.get_secret_value() for secret in given)
