"""Facts of what is elsewhere: exchanges, Telegram, the document server, the API, keys of linked accounts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from functools import partial
from importlib import import_module
from typing import Any, Final, cast
from urllib.parse import urlsplit

import httpx

from consumers.execution.documents.accounts import ACCOUNTS
from deploy.doctor.facts import ApiFact, ClockFact, DocumentsFact, KeyFact, TelegramFact, VenueFact
from producers.registry import VENUES
from producers.venue import Venue
from runtime import clock
from runtime.store import Store, StoreError

REQUEST_SECONDS: Final = 4.0
SECOND_NS: Final = 1_000_000_000
MOST_BYTES: Final = 65_536  # of an answer: a listing is megabytes, an error is not
HALF_SECOND: Final = 0.5  # of what a Date header leaves out
_NOT_US: Final = frozenset({13, 18})  # Unauthorized, AuthenticationFailed of MongoDB's error codes
OK: Final = 200


async def look_at_venues(
    names: Sequence[str], urls: Mapping[str, str], http: httpx.AsyncClient, *, sandbox: bool = False
) -> list[VenueFact]:
    """Return what each exchange answers to its first request for instruments, of which the beginning is read.

    `urls` replace the exchanges' own addresses, and `sandbox` does for those that have a public test network.
    """
    known = [VENUES[name] for name in names if name in VENUES]
    tests = {venue.id: venue.sandbox.rest_url for venue in known if sandbox and venue.sandbox is not None}
    places = {**tests, **urls}
    return list(await asyncio.gather(*(_look_at_venue(venue, places.get(venue.id), http) for venue in known)))


async def _look_at_venue(venue: Venue, url: str | None, http: httpx.AsyncClient) -> VenueFact:
    call = venue.rest.instrument_calls()[0][1]
    base = (url or call.base_url or venue.rest.base_url).rstrip("/")
    headers = {"Content-Type": "application/json", **call.headers} if call.body is not None else dict(call.headers)
    ask = partial(http.stream, call.method, base + call.path, params=dict(call.params), headers=headers)
    began = clock.now_ns()
    try:
        async with ask(content=call.body) as answer:
            ended = clock.now_ns()
            body, whole = await _read_beginning(answer)
    except httpx.HTTPError as error:
        problem = f"{urlsplit(base).netloc}: {str(error) or type(error).__name__}"
        return VenueFact(venue=venue.id, url=base, problem=problem)
    refused = None
    if answer.status_code != OK or whole:
        refused = venue.rest.failure(answer.status_code, dict(answer.headers), body)
    stored = answer.headers.get("age", "0") != "0"  # then its Date is of when that was made
    return VenueFact(
        venue=venue.id,
        url=base,
        status=answer.status_code,
        refusal=None if refused is None else refused.reason,
        pause=None if refused is None else refused.retry_after,
        clock=None if stored else read_clock(venue.id, answer.headers.get("date"), began, ended),
    )


async def _read_beginning(answer: httpx.Response) -> tuple[bytes, bool]:
    """Return the first 64 KiB of a body, and whether that is all of it."""
    body = b""
    async for piece in answer.aiter_bytes():
        body += piece
        if len(body) > MOST_BYTES:
            return body, False
    return body, True


def read_clock(where: str, date: str | None, began: int, ended: int) -> ClockFact | None:
    """Return our clock against a Date header's, of an answer between two times of ours (ns); None without one."""
    if date is None:
        return None
    try:
        theirs = parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
    ours = (began + ended) / 2 / SECOND_NS
    return ClockFact(where, ours - theirs - HALF_SECOND, HALF_SECOND + (ended - began) / 2 / SECOND_NS)


async def look_at_telegram(url: str, token: str, http: httpx.AsyncClient) -> TelegramFact:
    """Return what getMe says; the token is in no fact."""
    try:
        answer = await http.get(f"{url.rstrip('/')}/bot{token}/getMe")
    except httpx.HTTPError as error:
        return TelegramFact(url, None, problem=type(error).__name__)
    try:
        body = cast("dict[str, Any]", answer.json())
        bot = cast("dict[str, Any]", body.get("result") or {})
    except (ValueError, AttributeError):
        return TelegramFact(url, answer.status_code, "no answer of the Bot API")
    return TelegramFact(
        url,
        answer.status_code,
        str(body.get("description", "")).replace(token, "***"),
        str(bot.get("username", "")),
        reads_groups=bool(bot.get("can_read_all_group_messages", True)),
    )


async def look_at_documents(url: str, timeout: float = REQUEST_SECONDS) -> DocumentsFact:
    """Return whether the document server answers within `timeout` seconds."""
    where = urlsplit(url).netloc.rpartition("@")[2]
    store = Store(url, timeout=timeout)
    try:
        await store.ping()
        await store.list_collections()  # which needs to be let in, a ping does not
    except StoreError as error:
        refused = getattr(error, "code", None) in _NOT_US
        return DocumentsFact(where, str(error).partition(", Timeout:")[0] or type(error).__name__, refused=refused)
    finally:
        await store.close()
    return DocumentsFact(where)


async def look_at_api(url: str, http: httpx.AsyncClient) -> ApiFact:
    """Return whether the API is ready."""
    try:
        answer = await http.get(f"{url.rstrip('/')}/health/ready")
    except httpx.HTTPError as error:
        return ApiFact(url, None, problem=str(error) or type(error).__name__)
    if answer.status_code == OK:
        return ApiFact(url, OK)
    try:
        waits = cast("list[str]", answer.json()["error"]["details"]["waiting_for"])
    except (ValueError, KeyError, TypeError):
        waits = []
    return ApiFact(url, answer.status_code, tuple(waits))


async def look_at_keys(documents: str, secrets: Sequence[str], urls: Mapping[str, str]) -> list[KeyFact]:
    """Return what the exchanges' adapters say of each linked account's key; an unclear answer says nothing."""
    # CCXT takes long to load, most copies have no account at an exchange, and the other checks go on meanwhile
    keys = await asyncio.to_thread(import_module, "deploy.doctor.looking.keys")
    store = Store(documents, timeout=REQUEST_SECONDS)
    try:
        return cast("list[KeyFact]", await keys.check_keys(store, secrets, urls))
    finally:
        await store.close()


async def has_keys(documents: str) -> bool:
    """Return whether there is a linked account; StoreError where the document server does not answer."""
    store = Store(documents, timeout=REQUEST_SECONDS)
    try:
        return await store.collection(ACCOUNTS).find_one({"credential": {"$ne": None}}, {"_id": 1}) is not None
    finally:
        await store.close()
