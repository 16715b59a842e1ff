"""Entity tags, 304, HEAD, request ids: what lets a proxy stand in front, and a request be found again."""

from __future__ import annotations

import asyncio

import pytest

from api.http.conditional import is_known, weak_tag
from api.http.request_id import request_id
from tests.api.world import ADMIN_KEY, READ_KEY, Start, Store

pytestmark = pytest.mark.timeout(120)
MARKET = ("/gpt/raw?symbol=BTC", "/api/market/price?symbol=BTC", "/multi/ticker/BTC", "/multi/symbols")


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (None, False),
        (b"", False),
        (b"*", True),
        (b'W/"a"', True),
        (b'"a"', True),
        (b'"b", W/"a"', True),
        (b'"b"', False),
        (b"a", False),
    ],
)
def test_tags_compare_weakly(header: bytes | None, known: bool) -> None:
    assert is_known(header, b'W/"a"') is known


def test_a_tag_says_where_texts_end() -> None:
    assert weak_tag([b"ab", b"c"]) != weak_tag([b"a", b"bc"])
    assert weak_tag([b"a"]) == weak_tag([b"a"])


def test_a_sane_request_id_is_kept_and_others_are_replaced() -> None:
    assert request_id({b"x-request-id": b"abc-1.2_3"}) == "abc-1.2_3"
    ours = {request_id({b"x-request-id": wrong}) for wrong in (b"", b"a b", b"a\nb", b"x" * 65, b"\xff")}
    assert len(ours | {request_id({})}) == 6


@pytest.mark.nats
async def test_what_has_not_changed_is_not_sent_again(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "91000", volume_24h="5")
    api = await start()
    await api.until(MARKET[0], lambda answer: answer.status_code == 200)
    for path in MARKET:
        first = await api.get(path)  # routed
        for _ in range(2):  # and known
            first = await api.get(path, If_None_Match='"other"')
            assert (first.status_code, first.headers["cache-control"]) == (200, "public, max-age=0, must-revalidate")
            again = await api.get(path, If_None_Match=first.headers["etag"])
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == first.headers["etag"]
            assert "ratelimit-remaining" in again.headers
        assert (await api.get(path, key=None, If_None_Match=first.headers["etag"])).status_code == 401
    tag = (await api.get(MARKET[0])).headers["etag"]
    await asyncio.sleep(0.4)  # the answer is made again: its ages are others, its data is the same
    assert (await api.get(MARKET[0], If_None_Match=tag)).status_code == 304
    await store.put_ticker("binance", "BTC/USDT", "91001", volume_24h="5")
    await api.until(MARKET[0], lambda answer: answer.headers["etag"] != tag)
    assert (await api.get(MARKET[0], If_None_Match=tag)).status_code == 200


@pytest.mark.nats
async def test_what_is_no_market_data_is_not_kept(store: Store, start: Start) -> None:
    api = await start()
    for path in ("/health", "/gpt/raw?symbol=NOTHING", "/nothing", "/admin/keys"):
        answer = await api.get(path, key=ADMIN_KEY)
        assert (answer.headers["cache-control"], "etag" in answer.headers) == ("no-store", False)


@pytest.mark.nats
async def test_head_gives_the_headers_without_a_body(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "91000", volume_24h="5")
    api = await start()
    await api.until(MARKET[0], lambda answer: answer.status_code == 200)
    bearer = {"Authorization": f"Bearer {READ_KEY}"}
    for path in (*MARKET, "/health", "/openapi.json", "/nothing"):
        got = await api.client.get(path, headers=bearer)
        answer = await api.client.head(path, headers=bearer)
        assert (path, answer.status_code, answer.content) == (path, got.status_code, b"")
        assert answer.headers.get("etag") == got.headers.get("etag")
        assert int(answer.headers["content-length"]) > 0
    assert (await api.client.head(MARKET[0])).status_code == 401


@pytest.mark.nats
async def test_every_answer_has_a_request_id(store: Store, start: Start) -> None:
    api = await start()
    given = await api.get("/health", X_Request_Id="from-the-proxy")
    assert given.headers["x-request-id"] == "from-the-proxy"
    made = {(await api.get(path)).headers["x-request-id"] for path in ("/health", "/nothing", "/gpt/raw", "/docs")}
    assert len(made) == 4


@pytest.mark.nats
async def test_browsers_of_allowed_origins_see_the_headers(store: Store, start: Start) -> None:
    api = await start(GPT_API_CORS_ORIGINS="https://a.example", GPT_API_CORS_METHODS="GET,POST")
    answer = await api.get("/multi/health", Origin="https://a.example")
    assert answer.headers["access-control-allow-origin"] == "https://a.example"
    assert "ETag" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-origin" not in (await api.get("/multi/health", Origin="https://b.example")).headers
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    assert (await api.client.options("/admin/keys", headers=asked)).status_code == 200
    closed = await start()
    assert "access-control-allow-origin" not in (await closed.get("/multi/health", Origin="https://a.example")).headers
