"""What a post to a receiver costs: ours bare, ours signed, and the same bytes by httpx and aiohttp."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import aiohttp
import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consumers.webhooks.payloads.body import event_id, make_body
from consumers.webhooks.payloads.facts import Fact, fact_of
from consumers.webhooks.posting import Poster
from consumers.webhooks.signing import SigningKeys, sign
from consumers.webhooks.transport import Transport, TransportRules
from tests.bench.sides.worker import played
from tests.consumers.webhooks.events import SECRET, START, make_endpoint, make_whale

POSTERS = 4  # at once, as many as one endpoint may have in flight
SECOND_NS = 1_000_000_000
FACT: Fact = cast("Fact", fact_of(make_whale()))
NAME = event_id("wh_00112233445566ff", FACT.source_id)
BODY = make_body(NAME, FACT, 17)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
HEADERS = sign(BODY, NAME, START // SECOND_NS, SigningKeys((SECRET,), KEY))
RULES = TransportRules(allow=frozenset({"127.0.0.1"}))
Post = Callable[[], Awaitable[int]]


async def _measure(request: dict[str, Any], post: Post) -> float:
    async def play(first: int, last: int) -> None:
        async def some(count: int) -> None:
            for _ in range(count):
                if await post() != httpx.codes.OK:
                    raise RuntimeError("the receiver refused")

        await asyncio.gather(*(some((last - first) // POSTERS) for _ in range(POSTERS)))

    return await played(play, request["count"])


def _url(request: dict[str, Any]) -> str:
    return f"http://127.0.0.1:{request['at']}/hook"


async def post_bare(request: dict[str, Any]) -> float:
    """Our transport, with headers that were made before."""
    transport, url = Transport(RULES), _url(request)

    async def post() -> int:
        return (await transport.post(url, BODY, HEADERS)).status

    try:
        return await _measure(request, post)
    finally:
        await transport.close()


async def post_signed(request: dict[str, Any]) -> float:
    """A whole attempt of a delivery: body, both HMACs, Ed25519, and the post."""
    transport = Transport(RULES)
    poster, endpoint = Poster(transport, KEY), make_endpoint(url=_url(request))

    async def post() -> int:
        body = make_body(event_id(endpoint.id, FACT.source_id), FACT, 17)
        return (await poster.post(endpoint, NAME, body, START)).status

    try:
        return await _measure(request, post)
    finally:
        await transport.close()


async def post_httpx(request: dict[str, Any]) -> float:
    """A bare POST of httpx, over kept connections."""
    url, headers = _url(request), {**HEADERS, "content-type": "application/json"}
    async with httpx.AsyncClient(trust_env=False) as client:

        async def post() -> int:
            return (await client.post(url, content=BODY, headers=headers)).status_code

        return await _measure(request, post)


async def post_aiohttp(request: dict[str, Any]) -> float:
    """The same of aiohttp."""
    url, headers = _url(request), {**HEADERS, "content-type": "application/json"}
    async with aiohttp.ClientSession(trust_env=False) as client:

        async def post() -> int:
            async with client.post(url, data=BODY, headers=headers, allow_redirects=False) as answer:
                await answer.read()
                return answer.status

        return await _measure(request, post)
