"""What tests of the bot work with: the Bot API test server, a market on a bus, and people who talk to the bot."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.api.test_graphql import LIQUIDATION
from tests.api.world import Store, whale

TOKEN = "1234567:a-token-of-tests"
ANN, BOB, EVE = 42, 43, 44
GROUP = -1001234567890
TIMEOUT = 20.0
SENT = {"sendMessage", "sendPhoto"}
EDITED = {"editMessageText", "editMessageCaption", "editMessageMedia", "editMessageReplyMarkup"}


async def fill(store: Store) -> None:
    """Put a market that every command has an answer in."""
    for venue, last in (("binance", "90991.91"), ("bybit", "90970.98"), ("okx", "90980.5")):
        more = {"bid": last, "ask": f"{float(last) + 9.1:.2f}", "change_24h": "-0.96", "volume_24h": "2472.5"}
        await store.put_ticker(venue, "BTC/USDT", last, high_24h="95541.51", low_24h="86413.79", **more)
    await store.put_ticker("binance", "ETH/USDT", "3000.07", volume_24h="100")
    bids = [(f"{90980 - at}.25", f"{at + 1}.5") for at in range(30)]
    asks = [(f"{90981 + at}.75", f"{at + 1}.25") for at in range(30)]
    await store.put_book("binance", "BTC/USDT", {"bids": bids, "asks": asks})
    await store.put_feed("binance")
    await store.put_contract("binanceusdm", "BTC/USDT:USDT")
    await store.put_whales("BTC", [whale("binance", "BTC/USDT", "1746847.25"), whale("okx", "BTC/USDT", "5231742.25")])
    await store.put_liquidations("BTC", [LIQUIDATION])


@dataclass
class Person:
    """Somebody who uses the bot through the test server: in their own chat, or in another one."""

    client: httpx.AsyncClient
    user_id: int
    chat_id: int
    more: dict[str, Any] = field(default_factory=dict[str, Any])
    seen: int = 0
    patience: float = TIMEOUT  # seconds for what the bot does next

    async def do(self, deed: str, **given: Any) -> dict[str, Any]:
        fields = {"chat_id": self.chat_id, "user_id": self.user_id, **self.more, **given}
        answer = await self.client.post(f"/test/{deed}", json=fields)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def say(self, text: str, **given: Any) -> dict[str, Any]:
        """Write a message and return the next that the bot sends to the chat."""
        await self.look()
        await self.do("message", text=text, **given)
        return await self.next(SENT)

    async def press(self, message: dict[str, Any], label: str, **given: Any) -> dict[str, Any]:
        """Press a button by its label, and return what the message became."""
        await self.look()
        await self.do("press", message_id=message["message_id"], text=label, **given)
        return await self.next(EDITED | SENT)

    async def pressed(self, message: dict[str, Any], **given: Any) -> str | None:
        """Press a button and return what the press was answered with."""
        await self.look()
        await self.do("press", message_id=message["message_id"], **given)
        return (await self.next({"answerCallbackQuery"}))["text"]

    async def look(self) -> None:
        """Pass over what was sent so far."""
        found = await self.sent()
        self.seen = max([self.seen, *(one["seq"] for one in found)])

    async def sent(self, after: int | None = None) -> list[dict[str, Any]]:
        since = self.seen if after is None else after
        answer = await self.client.get("/test/sent", params={"chat_id": self.chat_id, "after": since})
        return answer.json()

    async def next(self, methods: set[str]) -> dict[str, Any]:
        """Return the next act of the bot in the chat, of these methods."""
        after = self.seen
        async with asyncio.timeout(self.patience):
            while True:
                for one in await self.sent(after):
                    after = one["seq"]
                    if one["method"] in methods:
                        self.seen = after
                        return one
                await asyncio.sleep(0.02)


def text_of(message: dict[str, Any]) -> str:
    return str(message.get("text") or message.get("caption") or "")


def labels(message: dict[str, Any]) -> list[str]:
    return [button["text"] for row in message.get("buttons") or [] for button in row]


StartBot = Callable[..., Awaitable[Any]]
