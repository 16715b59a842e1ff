"""`POST /api/sentiment/analyze`: the core's reply about a text, the same on the bus; refusals in the plain shape."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from api.app import ROUTERS
from api.http.app import make_app
from contracts import subjects
from contracts.services.sentiment import LONGEST_TEXT, SentimentReply
from tests.answer_models import check_answer
from tests.api.world import READ_KEY, Api, Start, Store

pytestmark = pytest.mark.nats
PATH = "/api/sentiment/analyze"


async def post(api: Api, body: Any, key: str | None = READ_KEY) -> httpx.Response:
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await api.client.post(PATH, content=content, headers={"content-type": "application/json", **headers})


async def test_a_text_is_answered_in_its_own_words(store: Store, start: Start) -> None:
    api = await start()
    answer = await post(api, {"text": "Bitcoin is not bullish, ETF outflows hit a record"})
    said = answer.json()
    assert answer.status_code == 200
    assert said["sentiment"] == "Bearish"
    assert 0 < said["confidence"] <= 1
    assert said["language"] == "en"
    assert {"not bullish", "ETF outflows"} <= {keyword["word"] for keyword in said["keywords"]}
    assert all(-1 <= keyword["weight"] < 0 for keyword in said["keywords"][:2])
    indonesian = (await post(api, {"text": "Harga BTC anjlok 10 persen, investor panik"})).json()
    assert (indonesian["sentiment"], indonesian["language"]) == ("Bearish", "id")


async def test_the_bus_gives_the_same_answer(store: Store, start: Start) -> None:
    api = await start()
    body = {"text": "Shorts liquidated as BTC rips 🚀"}
    over_http = (await post(api, body)).json()
    reply = await store.bus.request(subjects.MARKET_COMMAND + "sentiment", json.dumps(body).encode(), 5.0)
    on_the_bus = SentimentReply.model_validate_json(reply).model_dump(mode="json")
    assert {**on_the_bus, "timestamp": None} == {**over_http, "timestamp": None}


async def test_a_text_has_1_to_5000_characters(store: Store, start: Start) -> None:
    api = await start()
    for text in ("x", "🚀" * LONGEST_TEXT, "naik " * 1000):
        assert (await post(api, {"text": text})).status_code == 200
    for body in (
        {"text": ""},
        {"text": "x" * (LONGEST_TEXT + 1)},
        {},
        {"text": 7},
        {"text": "x", "more": 1},
        b"{",
        b"[]",
    ):
        answer = await post(api, body)
        said = answer.json()
        assert (answer.status_code, said["error"], set(said)) == (400, "INVALID_BODY", {"error", "detail", "timestamp"})


async def test_it_needs_a_key_unless_reading_is_open(store: Store, start: Start) -> None:
    refused = await post(await start(), {"text": "x"}, key=None)
    assert (refused.status_code, refused.json()["error"]) == (401, "UNAUTHORIZED")
    opened = await post(await start(GPT_API_REQUIRE_AUTH="false"), {"text": "x"}, key=None)
    assert opened.status_code == 200


async def test_answers_are_what_their_models_say(store: Store, start: Start) -> None:
    api = await start()
    app = make_app(ROUTERS)
    (context,) = [item for item in iter_route_contexts(app.routes) if item.path == PATH]
    for body in ({"text": "Bitcoin naik"}, {"text": ""}):
        check_answer(context, await post(api, body), app.openapi())
    assert (await api.get(PATH)).status_code == 405
