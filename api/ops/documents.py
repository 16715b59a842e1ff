"""`/openapi.json`, `/docs`, `/asyncapi`, `/metrics`: what describes the service and what measures it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from api.http.access.keys import OPEN
from api.http.errors import NotFoundError, documented
from api.http.responses import JSON_TYPE
from api.http.routing import requires

_HOST: Final = re.compile(r"^[A-Za-z0-9.\-_\[\]:]{1,255}$")
_POLICY: Final = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"}
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#16202a}"
    "code{font-family:ui-monospace,monospace}section{border-top:1px solid #ccd;padding:.6rem 0}"
    "h2{margin:.4rem 0;font-size:1.05rem}td{padding:.1rem 1rem .1rem 0;vertical-align:top}"
    "@media(prefers-color-scheme:dark){body{background:#10161c;color:#dde6ee}section{border-color:#345}}"
)
router: Final = APIRouter(tags=["service"], dependencies=[requires(OPEN)], responses=documented(403, 429, 500))


@dataclass(frozen=True, slots=True)
class DocumentSources:
    """What the documents are made of."""

    registry: CollectorRegistry
    asyncapi: Callable[[], bytes | None]


@router.get("/openapi.json", operation_id="getOpenApi", response_model=dict[str, Any])
async def openapi(request: Request) -> Response:
    """This description, with the address that it was requested at as its server."""
    app: FastAPI = request.app
    document = {**app.openapi(), "servers": [{"url": _origin(request)}]}
    return Response(msgspec.json.encode(document), media_type=JSON_TYPE.decode())


@router.get("/docs", operation_id="getDocs", response_class=HTMLResponse)
async def docs(request: Request) -> HTMLResponse:
    """This description as a page that needs nothing from elsewhere."""
    app: FastAPI = request.app
    return HTMLResponse(render_page(app.openapi()), headers=_POLICY)


@router.get("/asyncapi", operation_id="getAsyncApi", response_model=dict[str, Any], responses=documented(404))
async def asyncapi(request: Request) -> Response:
    """The bus, as AsyncAPI."""
    sources: DocumentSources = request.app.state.documents
    body = sources.asyncapi()
    if body is None:
        raise NotFoundError("The bus's document was not built into this copy", path=request.url.path)
    return Response(body, media_type=JSON_TYPE.decode())


@router.get("/metrics", operation_id="getMetrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Prometheus metrics."""
    sources: DocumentSources = request.app.state.documents
    return Response(generate_latest(sources.registry), headers={"content-type": CONTENT_TYPE_LATEST})


def _origin(request: Request) -> str:
    host = request.headers.get("host", "")
    secure = request.headers.get("x-forwarded-proto", "").lower() == "https"
    return f"{'https' if secure else 'http'}://{host if _HOST.fullmatch(host) else 'localhost'}"


def render_page(document: Mapping[str, Any]) -> str:
    """Return an OpenAPI document as one HTML page."""
    info = document["info"]
    routes = [
        _section(path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{_text(info['title'])}</title><style>{_STYLE}</style><h1>{_text(info['title'])}</h1>"
        f"<p>{_text(info.get('description', ''))}</p>"
        "<p>For machines: <a href=/openapi.json>openapi.json</a>, <a href=/asyncapi>asyncapi</a>.</p>"
        f"{''.join(routes)}</html>"
    )


def _section(path: str, method: str, operation: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{_text(param['name'])}</code><td>{_text(param.get('description', ''))}"
        f"<td><code>{_text(msgspec.json.encode(param.get('schema', {})).decode())}</code>"
        for param in operation.get("parameters", ())
    )
    statuses = ", ".join(operation.get("responses", {}))
    scope = operation.get("x-scope")
    return (
        f"<section><h2><code>{_text(method.upper())} {_text(path)}</code> {_text(operation.get('summary', ''))}</h2>"
        f"<p>{_text(operation.get('description', ''))}</p><table>{rows}</table>"
        f"<p>Key: {_text(scope or 'none')}. Statuses: {_text(statuses)}.</p></section>"
    )


def _text(value: object) -> str:
    return html.escape(str(value))
