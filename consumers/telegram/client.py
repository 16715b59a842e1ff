"""Calls the Bot API over HTTP; the one place of the gateway that does."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, Final, Self, cast

import httpx

from consumers.telegram.calls import Call, Outcome, Unreachable, read_answer

_SECONDS: Final = 20.0
_CONNECTIONS: Final = httpx.Limits(max_connections=40, max_keepalive_connections=40)
Json = dict[str, Any]


class BotApi:
    """One bot's calls; `url` is the server's, as `https://api.telegram.org`. No error of it names the token."""

    def __init__(self, url: str, token: str, *, timeout: float = _SECONDS) -> None:
        self._base = f"{url.rstrip('/').removesuffix('/bot')}/bot{token}/"
        self._client = httpx.AsyncClient(timeout=timeout, limits=_CONNECTIONS, trust_env=False)

    async def __aenter__(self) -> Self:
        """Open."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self._client.aclose()

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
            if call.files:
                fields = {name: _field(value) for name, value in call.params.items()}
                files = {name: (f"{name}.png", data) for name, data in call.files.items()}
                answer = await self._client.post(self._base + call.method, data=fields, files=files)
            else:
                answer = await self._client.post(self._base + call.method, json=call.params)
            body: object = answer.json()
        except httpx.HTTPError as error:
            return 0, Unreachable(type(error).__name__)
        except ValueError:
            return 0, Unreachable("an answer that is no JSON")
        if not isinstance(body, dict):
            return answer.status_code, Unreachable("an answer that is no JSON object")
        return answer.status_code, cast("Json", body)


def _field(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
