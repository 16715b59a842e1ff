"""Settings of the Telegram bot: who may use it, how updates arrive, and the endpoint for programs beside it."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode

from runtime.config.fields import HttpUrl, Port
from runtime.config.settings.group import GROUP

_SECRET_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_LONGEST_SECRET: Final = 256


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Ids = Annotated[tuple[int, ...], NoDecode, BeforeValidator(_split)]


class BotSettings(BaseSettings):
    """The bot: who may use it, how updates arrive, and the endpoint for programs beside it."""

    model_config = GROUP
    webhook_url: HttpUrl | None = Field(None, validation_alias="TELEGRAM_WEBHOOK_URL")
    webhook_secret: SecretStr | None = Field(None, validation_alias="TELEGRAM_WEBHOOK_SECRET", validate_default=True)
    webhook_listen: str = Field("0.0.0.0:8443", validation_alias="TELEGRAM_WEBHOOK_LISTEN")
    admin_ids: Ids = Field((), validation_alias="TELEGRAM_ADMIN_IDS")
    allowed_ids: Ids = Field((), validation_alias="TELEGRAM_ALLOWED_IDS")
    internal_host: str = Field("0.0.0.0", validation_alias="BOT_INTERNAL_HOST")  # noqa: S104  # a token guards it
    internal_port: Port = Field(8080, validation_alias="BOT_INTERNAL_PORT")
    internal_token: SecretStr | None = Field(None, validation_alias="INTERNAL_AUTH_TOKEN")
    core_token: SecretStr | None = Field(None, validation_alias="CORE_API_INTERNAL_TOKEN", validate_default=True)
    core_url: HttpUrl | None = Field(None, validation_alias="CORE_API_BASE_URL")
    internal_webhook: HttpUrl | None = Field(None, validation_alias="BOT_INTERNAL_WEBHOOK")

    @field_validator("webhook_secret")
    @classmethod
    def _secret_with_url(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if info.data.get("webhook_url") is not None and value is None:
            raise ValueError(
                "TELEGRAM_WEBHOOK_URL needs TELEGRAM_WEBHOOK_SECRET: without it anybody could send updates"
            )
        text = "" if value is None else value.get_secret_value()
        if not _SECRET_CHARACTERS.issuperset(text) or len(text) > _LONGEST_SECRET:
            raise ValueError(f"TELEGRAM_WEBHOOK_SECRET is at most {_LONGEST_SECRET} of A-Z, a-z, 0-9, _ and -")
        return value

    @field_validator("webhook_listen")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:  # noqa: PLR2004  # the largest port
            raise ValueError("TELEGRAM_WEBHOOK_LISTEN is a host and a port: 0.0.0.0:8443")
        return value

    @field_validator("core_token")
    @classmethod
    def _same_token(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        own = info.data.get("internal_token")
        if value is not None and own is not None and value.get_secret_value() != own.get_secret_value():
            raise ValueError("CORE_API_INTERNAL_TOKEN and INTERNAL_AUTH_TOKEN are the same secret, and differ here")
        return value

    @property
    def webhook_place(self) -> tuple[str, int]:
        """The host and the port that updates arrive at."""
        host, _, port = self.webhook_listen.rpartition(":")
        return host, int(port)
