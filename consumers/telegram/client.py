"""Calls the Bot API over HTTP; the one place of the gateway that does."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, Final, Self, cast

import aiohttp

from consumers.telegram.calls import Call, Outcome, Unreachable, read_answer

_SECONDS: Final = 20.0
_CONNECTIONS: Final = 40
Json = dict[str, Any]


class BotApi:
    """One bot's calls; `url` is the server's, as `https://api.telegram.org`. No error of it names the token."""

    def __init__(self, url: str, token: str, *, timeout: float = _SECONDS) -> None:
        self._base = f"{url.rstrip('/').removesuffix('/bot')}/bot{token}/"
        self._client = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=timeout),
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        """Open."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self._client.close()

    async def call(self, call: Call) -> Outcome:
        """Return what Telegram's answer to a job means."""
        status, body = await self._post(call)
        return body if isinstance(body, Unreachable) else read_answer(status, body)

    async def ask(self, method: str, **params: Any) -> Any:
        """Return the result of a method that only reads; the outcome in its place where there is none."""
        status, body = await self._post(Call(method, params))
        if isinstance(body, Unreachable):
            return body
        return body["result"] if body.get("ok") is True else read_answer(status, body)

    async def _post(self, call: Call) -> tuple[int, Json | Unreachable]:
        try:
            form, body = (_form(call), None) if call.files else (None, call.params)
            url = self._base + call.method
            async with self._client.post(url, data=form, json=body, allow_redirects=False) as answer:
                status, found = answer.status, cast("object", json.loads(await answer.read()))
        except (aiohttp.ClientError, TimeoutError) as error:
            return 0, Unreachable(type(error).__name__)
        except ValueError:
            return 0, Unreachable("an answer that is no JSON")
        if not isinstance(found, dict):
            return status, Unreachable("an answer that is no JSON object")
        return status, cast("Json", found)


def _form(call: Call) -> aiohttp.FormData:
    form = aiohttp.FormData()
    for name, value in call.params.items():
        form.add_field(name, value if isinstance(value, str) else json.dumps(value))
    for name, data in call.files.items():
        form.add_field(name, data, filename=f"{name}.png", content_type="application/octet-stream")
    return form
