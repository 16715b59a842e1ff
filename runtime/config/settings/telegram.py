"""Settings of Telegram: the bot's token, and where the Bot API is."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings

from runtime.config.fields import BotToken, HttpUrl
from runtime.config.settings.group import GROUP


class TelegramSettings(BaseSettings):
    """The bot's account; without a token nothing is sent."""

    model_config = GROUP
    token: BotToken | None = Field(None, validation_alias="TELEGRAM_BOT_TOKEN")
    api_base_url: HttpUrl = Field("https://api.telegram.org", validation_alias="TELEGRAM_API_BASE_URL")
