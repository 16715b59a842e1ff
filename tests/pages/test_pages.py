"""The pages over HTTP: by who asks for what, with a strict policy, their files kept by browsers."""

from __future__ import annotations

import re

import pytest

from api.http.app import VERSION
from tests.api.world import Start, Store

pytestmark = pytest.mark.nats
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


async def test_get_root_is_the_live_page_and_for_programs_where_everything_stands(store: Store, start: Start) -> None:
    api = await start({"asyncapi": lambda: b"{}"})
    page = await api.get("/", key=None, accept=BROWSER)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1" in page.text
    reply = (await api.get("/", key=None, accept="application/json")).json()
    assert (reply["name"], reply["version"]) == ("Hydrophone", VERSION)
    assert reply["links"]["openapi"] == "/openapi.json"
    assert reply["links"].pop("stream") == "/ws"
    for link in ("openapi", "docs", "gpt", "asyncapi", "health", "metrics"):
        assert (await api.get(reply["links"][link])).status_code == 200, link


@pytest.mark.parametrize("path", ["/", "/docs", "/asyncapi"])
async def test_a_page_runs_nothing_but_scripts_of_ours(store: Store, start: Start, path: str) -> None:
    api = await start({"asyncapi": lambda: b'{"asyncapi":"3.0.0"}'})
    page = await api.get(path, key=None, accept=BROWSER)
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert "accept" in page.headers["vary"]
    assert "{{" not in page.text
    for address in re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.text):
        file = await api.get(address, key=None)
        assert file.status_code == 200, address
        assert "immutable" in file.headers["cache-control"]
        assert file.headers["cache-control"].count("no-store") == 0


async def test_asyncapi_is_a_page_for_people_only(store: Store, start: Start) -> None:
    api = await start({"asyncapi": lambda: b'{"asyncapi":"3.0.0"}'})
    assert (await api.get("/asyncapi", key=None)).json() == {"asyncapi": "3.0.0"}
    assert (await api.get("/asyncapi", key=None, accept="application/json")).json() == {"asyncapi": "3.0.0"}
    assert "<main" in (await api.get("/asyncapi", key=None, accept=BROWSER)).text


async def test_a_file_without_a_version_is_asked_for_again(store: Store, start: Start) -> None:
    api = await start()
    first = await api.get("/assets/pages/pages.css", key=None)
    assert first.headers["content-type"] == "text/css; charset=utf-8"
    assert first.headers["cache-control"] == "no-cache"
    again = await api.get("/assets/pages/pages.css", key=None, if_none_match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["pages/no.js", "no/live.js", "pages@0/live.js", "pages/%2e%2e/assets.py"])
async def test_what_is_no_file_is_not_found(store: Store, start: Start, path: str) -> None:
    api = await start()
    answer = await api.get(f"/assets/{path}", key=None)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


async def test_a_gpts_server_is_the_public_url(store: Store, start: Start) -> None:
    api = await start()
    assert (await api.get("/gpt/openapi.json", key=None)).json()["servers"] == [{"url": api.url}]
    named = await start(GPT_API_PUBLIC_URL="https://api.example.org")
    assert (await named.get("/gpt/openapi.json", key=None)).json()["servers"] == [{"url": "https://api.example.org"}]


@pytest.mark.parametrize(("required", "key"), [("true", "needed"), ("false", "optional")])
async def test_the_page_knows_whether_a_key_is_needed(store: Store, start: Start, required: str, key: str) -> None:
    api = await start(GPT_API_REQUIRE_AUTH=required)
    assert f'<body data-key="{key}">' in (await api.get("/", key=None)).text
    assert '<body data-key="optional">' in (await api.get("/docs", key=None)).text
