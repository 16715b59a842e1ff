"""What the bot's settings may be: secrets that belong together, places to listen at, ids."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from runtime.config.settings import BotSettings

URL = {"TELEGRAM_WEBHOOK_URL": "https://bot.example.com/telegram"}


def read(**named: Any) -> BotSettings:
    return BotSettings(**named)


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"INTERNAL_AUTH_TOKEN": "a", "CORE_API_INTERNAL_TOKEN": "b"}, "differ"),
        (URL, "needs TELEGRAM_WEBHOOK_SECRET"),
        ({**URL, "TELEGRAM_WEBHOOK_SECRET": "with space"}, "at most 256"),
        ({"TELEGRAM_WEBHOOK_LISTEN": "8443"}, "host and a port"),
        ({"TELEGRAM_WEBHOOK_LISTEN": "0.0.0.0:99999"}, "host and a port"),
        ({"TELEGRAM_ALLOWED_IDS": "me"}, "integer"),
    ],
)
def test_what_cannot_be_is_said(named: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        read(**named)


def test_what_can_be() -> None:
    found = read(
        **URL,
        TELEGRAM_WEBHOOK_SECRET="a_b-3",
        TELEGRAM_WEBHOOK_LISTEN="127.0.0.1:9000",
        TELEGRAM_ALLOWED_IDS="1, -100",
        INTERNAL_AUTH_TOKEN="same",
        CORE_API_INTERNAL_TOKEN="same",
    )
    assert found.webhook_place == ("127.0.0.1", 9000)
    assert found.allowed_ids == (1, -100)
    assert read(CORE_API_INTERNAL_TOKEN="only").internal_token is None
    assert read(INTERNAL_AUTH_TOKEN="only").core_token is None
