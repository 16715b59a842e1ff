"""`/openapi.json`, `/docs`, `/asyncapi`, `/metrics`: what describes the service and what measures it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from api.endpoints import BEARER, Ask
from api.refusals import NotFoundError
from api.replies import Reply

HTML_TYPE: Final = b"text/html; charset=utf-8"
_HOST: Final = re.compile(rb"^[A-Za-z0-9.\-_\[\]:]{1,255}$")
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#16202a}"
    "code{font-family:ui-monospace,monospace}section{border-top:1px solid #ccd;padding:.6rem 0}"
    "h2{margin:.4rem 0;font-size:1.05rem}td{padding:.1rem 1rem .1rem 0;vertical-align:top}"
    "@media(prefers-color-scheme:dark){body{background:#10161c;color:#dde6ee}section{border-color:#345}}"
)


class Documents:
    """The describing routes of an app."""

    def __init__(self, app: FastAPI, registry: CollectorRegistry, asyncapi: Callable[[], bytes | None]) -> None:
        self._app = app
        self._registry = registry
        self._asyncapi = asyncapi

    def openapi(self, ask: Ask) -> Reply:
        """`GET /openapi.json`, with the address that it was asked at as its server."""
        document = {**self._app.openapi(), "servers": [{"url": _origin(ask.headers)}]}
        return Reply(200, msgspec.json.encode(document))

    def page(self, ask: Ask) -> Reply:
        """`GET /docs`: the same as a page that needs nothing from elsewhere."""
        del ask
        policy = (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'")
        return Reply(200, render_page(self._app.openapi()).encode(), HTML_TYPE, (policy,))

    def asyncapi(self, ask: Ask) -> Reply:
        """`GET /asyncapi`: the bus."""
        body = self._asyncapi()
        if body is None:
            raise NotFoundError("The bus's document was not built into this copy", path=ask.path)
        return Reply(200, body)

    def metrics(self, ask: Ask) -> Reply:
        """`GET /metrics` in the Prometheus text format."""
        del ask
        return Reply(200, generate_latest(self._registry), CONTENT_TYPE_LATEST.encode())


def describe(app: FastAPI) -> None:
    """Give an app's OpenAPI document its bearer security, once and for all."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes[BEARER] = {"type": "http", "scheme": "bearer", "description": "Authorization: Bearer <key>"}
        return document

    app.openapi = openapi  # FastAPI's own way to extend the document


def _origin(headers: Mapping[bytes, bytes]) -> str:
    host = headers.get(b"host", b"")
    secure = headers.get(b"x-forwarded-proto", b"").lower() == b"https"
    name = host.decode() if _HOST.fullmatch(host) else "localhost"
    return f"{'https' if secure else 'http'}://{name}"


def render_page(document: Mapping[str, Any]) -> str:
    """Write an OpenAPI document as one HTML page; pure."""
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
