"""`/admin/cache`: what is kept of answers, for those who may look into it, put an answer, and drop them everywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request

from api.access.audit import Audit
from api.cache.schemas import (
    CacheOverview,
    ClassFigures,
    DropParameters,
    Dropped,
    KeptAnswer,
    KeptUnder,
    KeyInPath,
    NewValue,
    Pinned,
    Put,
)
from api.cache.service import CacheService
from api.cache.values import check_value
from api.http.access.keys import ADMIN
from api.http.envelope import Success, utc
from api.http.errors import NotFoundError, documented
from api.http.routing import requires
from api.http.validation import check_query
from api.market import formats
from contracts.errors import HydrophoneError
from contracts.services.cache import CLASS_SECONDS, DEFAULT, DropRequest, PinnedAnswer, fold, question_of, read_key
from contracts.services.market import StatusQuery
from contracts.services.replies.market import ClassStatus, StatusReply
from runtime import clock
from runtime.clients.market_client import encode_query
from runtime.clients.market_reply import CoreAnswer

MOST_SHOWN: Final = 50
_PLACES: Final = 4
router: Final = APIRouter(
    prefix="/admin/cache",
    tags=["admin"],
    dependencies=[requires(ADMIN), Depends(check_query)],
    responses=documented(400, 401, 403, 429, 500, 503),
)


def _cache(request: Request) -> CacheService:
    return request.app.state.cache


Cache = Annotated[CacheService, Depends(_cache)]


@router.get("", operation_id="getCache")
async def overview(cache: Cache) -> Success[CacheOverview]:
    """What is kept, and how often it was used, by class."""
    seconds: dict[str, float | None] = {**CLASS_SECONDS, DEFAULT: cache.default_seconds}
    found = cache.by_class()
    classes = {name: _figures(found.get(name), seconds.get(name)) for name in dict.fromkeys((*seconds, *found))}
    live = CLASS_SECONDS["live"]
    commands = {verb: _figures(status, live) for verb, status in cache.by_command().items()}
    core = await _find_core(cache)
    return Success(
        data=CacheOverview(
            enabled=cache.market.enabled,
            classes=classes,
            commands=commands,
            core=None if core is None else {name: _figures(status, seconds.get(name)) for name, status in core.items()},
            pinned=[_pinned(pinned) for _, pinned in cache.pins.list()],
        )
    )


@router.delete("", operation_id="dropCachePattern")
async def drop_pattern(query: Annotated[DropParameters, Query()], cache: Cache, audit: Audit) -> Success[Dropped]:
    """Drop what is kept under every key that a pattern fits, in every process.

    Answers that were put under such keys are taken away too.
    """
    await audit("cache", "drop", query.pattern)
    return await _drop(cache, DropRequest(pattern=query.pattern))


@router.get("/{key:path}", operation_id="getCacheKey", responses=documented(404))
async def find(key: KeyInPath, cache: Cache) -> Success[KeptUnder]:
    """What this process keeps under a key: one reply for each set of parameters."""
    question = read_key(key)
    wanted = fold(question.key)
    entries = [
        KeptAnswer(
            parameters={name: value for name, value in json.loads(request or b"{}").items() if name != "symbol"},
            age=round(cache.market.age_of(known), 3),
            live=cache.market.is_live(known),
            value=json.loads(formats.render(CoreAnswer(known, grown=cache.market.age_of(known)), formats.bare, 0)),
        )
        for verb, request, known in cache.market.entries()
        if verb == question.verb and fold(question_of(verb, request).key) == wanted
    ]
    pinned = next((_pinned(pinned) for found, pinned in cache.pins.list() if fold(found.key) == wanted), None)
    if not entries and pinned is None:
        raise NotFoundError(f"Nothing is kept under {question.key}", key=question.key)
    shown = KeptUnder(
        key=question.key, command=question.verb, entries=entries[:MOST_SHOWN], total=len(entries), pinned=pinned
    )
    return Success(data=shown)


@router.put("/{key:path}", operation_id="putCacheKey", responses=documented(413))
async def put(key: KeyInPath, body: NewValue, cache: Cache, audit: Audit) -> Success[Put]:
    """Serve this answer, marked stale, in place of the market core's for some seconds, in every process.

    It answers requests of the key's symbol without other parameters. The value has to be valid as the reply of the
    key's command.
    """
    question = read_key(key)
    value = check_value(question, body.value)
    ttl = cache.default_seconds if body.ttl is None else body.ttl
    await audit("cache", "put", question.key, ttl=ttl)
    pinned = await cache.pins.put(question, value, ttl)
    return Success(data=Put(value=pinned.value, **_pinned(pinned).model_dump()))


@router.delete("/{key:path}", operation_id="dropCacheKey")
async def drop(key: KeyInPath, cache: Cache, audit: Audit) -> Success[Dropped]:
    """Drop what is kept under a key, in every process.

    The next request is answered by the market core again, and the core fetches candles of the symbol again. An answer
    that was put under it is taken away too.
    """
    question = read_key(key)
    await audit("cache", "drop", question.key)
    return await _drop(cache, DropRequest(keys=(question.key,)))


async def _drop(cache: CacheService, request: DropRequest) -> Success[Dropped]:
    replies, pinned = await cache.drop(request)
    by_process = [reply.process for reply in replies]
    return Success(
        data=Dropped(
            dropped=sum(reply.dropped for reply in replies),
            replicas=by_process.count("api"),
            cores=by_process.count("market"),
            pinned=pinned,
        )
    )


async def _find_core(cache: CacheService) -> Mapping[str, ClassStatus] | None:
    try:
        answer = await cache.market.request("status", encode_query(StatusQuery()))
    except HydrophoneError:
        return None
    return StatusReply.model_validate_json(formats.render(answer, formats.bare, clock.now_ns())).fetched.classes


def _figures(status: ClassStatus | None, seconds: float | None) -> ClassFigures:
    found = status or ClassStatus(entries=0, hits=0, misses=0, oldest_age=None)
    requests = found.hits + found.misses
    rate = round(found.hits / requests, _PLACES) if requests else None
    fields: dict[str, Any] = found.model_dump()
    return ClassFigures(**fields, seconds=seconds, hit_rate=rate)


def _pinned(pinned: PinnedAnswer) -> Pinned:
    return Pinned(key=pinned.key, since=utc(pinned.since), until=utc(pinned.until))
