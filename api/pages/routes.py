"""`/`, `/docs`, `/asyncapi`, `/assets`, `/gpt/openapi.json`: pages, what they load, and descriptions for programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field

from api.http.access.keys import OPEN
from api.http.app import VERSION
from api.http.errors import NotFoundError, documented
from api.http.openapi import origin
from api.http.responses import JSON_TYPE
from api.http.routing import requires
from api.pages.accept import HTML, JSON, preferred
from api.pages.assets import Assets
from api.pages.gpt import gpt_document
from api.pages.shell import Page, render_page

LIVE: Final = Page("live", "Live market", "Prices, whales, liquidations, depth and feeds of crypto exchanges, live.")
DOCS: Final = Page("docs", "HTTP API", "Every route of the HTTP API, to read and to try.")
ASYNCAPI: Final = Page("asyncapi", "Bus", "Every subject of the bus and what its messages have.")
ANALYTICS: Final = Page("analytics", "Use of the API", "Requests by route, symbol and key, durations and errors.")
LINKS: Final = {
    "openapi": "/openapi.json",
    "docs": "/docs",
    "gpt": "/gpt/openapi.json",
    "asyncapi": "/asyncapi",
    "health": "/health",
    "metrics": "/metrics",
    "stream": "/ws",
    "events": "/events",
    "graphql": "/graphql",
    "mcp": "/mcp",
}
_FOREVER: Final = {"cache-control": "public, max-age=31536000, immutable"}
_ASKED_AGAIN: Final = {"cache-control": "no-cache"}
_AS_HTML: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {HTML: {"schema": {"type": "string"}}}}}
router: Final = APIRouter(tags=["service"], dependencies=[requires(OPEN)], responses=documented(403, 429, 500))


@dataclass(frozen=True, slots=True)
class PageSources:
    """What the pages are made of; `public_url` is where the service is known to be, None where nobody said."""

    assets: Assets
    asyncapi: Callable[[], bytes | None]
    public_url: str | None
    needs_key: bool

    def render(self, page: Page, *, is_open: bool = False, is_admin: bool = False) -> Response:
        """Return a page; one that requests open routes only needs no key, one for admins always does."""
        return render_page(self.assets, page, needs_key=is_admin or (self.needs_key and not is_open))


class ServiceReply(BaseModel):
    """What this is, and where everything stands."""

    name: str = Field(examples=["Hydrophone"])
    version: str = Field(examples=["1.0.0"])
    links: dict[str, str] = Field(examples=[{"docs": "/docs", "openapi": "/openapi.json"}])


@router.get("/", operation_id="getService", response_model=ServiceReply, responses=_AS_HTML)
async def live(request: Request) -> Response:
    """The live market as a page; with `Accept: application/json` what this service is and where everything stands."""
    if preferred(request.headers.get("accept"), (HTML, JSON)) == HTML:
        return _sources(request).render(LIVE)
    app: FastAPI = request.app
    paths = {context.path for context in iter_route_contexts(app.routes)}
    links = {name: path for name, path in LINKS.items() if path in paths}
    reply = ServiceReply(name=app.title, version=VERSION, links=links)
    return Response(reply.model_dump_json(), media_type=JSON, headers={"vary": "accept"})


@router.get("/docs", operation_id="getDocs", response_class=HTMLResponse)
async def docs(request: Request) -> Response:
    """This description as a page that needs nothing from elsewhere."""
    return _sources(request).render(DOCS, is_open=True)


@router.get("/admin/analytics", operation_id="getAnalyticsPage", response_class=HTMLResponse)
async def analytics(request: Request) -> Response:
    """Use of this API as a page. The page itself says nothing: what it requests needs a key with the scope `admin`."""
    return _sources(request).render(ANALYTICS, is_admin=True)


@router.get(
    "/asyncapi",
    operation_id="getAsyncApi",
    response_model=dict[str, Any],
    responses={**documented(404), **_AS_HTML},
)
async def asyncapi(request: Request) -> Response:
    """The bus, as AsyncAPI; as a page for who prefers `text/html`."""
    sources = _sources(request)
    body = sources.asyncapi()
    if body is None:
        raise NotFoundError("The bus's document was not built into this copy", path=request.url.path)
    if preferred(request.headers.get("accept"), (JSON, HTML)) == HTML:
        return sources.render(ASYNCAPI, is_open=True)
    return Response(body, media_type=JSON_TYPE.decode(), headers={"vary": "accept"})


@router.get("/gpt/openapi.json", operation_id="getGptOpenApi", response_model=dict[str, Any])
async def gpt_openapi(request: Request) -> Response:
    """The market routes in the form that a GPT's Action takes: few, short, read-only."""
    app: FastAPI = request.app
    server = _sources(request).public_url or origin(request)
    return Response(msgspec.json.encode(gpt_document(app.openapi(), server)), media_type=JSON)


@router.get("/assets/{name}/{path:path}", include_in_schema=False)
async def asset(request: Request, name: str, path: str) -> Response:
    """Scripts and styles of the pages."""
    found = _sources(request).assets.find(name, path)
    if found is None:
        raise NotFoundError(f"There is no {request.url.path}", path=request.url.path)
    file, lasting = found
    headers = {"etag": file.etag, **(_FOREVER if lasting else _ASKED_AGAIN)}
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    return Response(file.body, media_type=file.kind, headers=headers)


def _sources(request: Request) -> PageSources:
    sources: PageSources = request.app.state.pages
    return sources
