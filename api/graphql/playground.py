"""GraphiQL on `GET /graphql`, where debugging is on: anybody may load the page, it asks with the key typed into it.

Its scripts are files of ours under `/assets/<name>@<version>/`: nothing comes from elsewhere.
"""

from __future__ import annotations

import secrets
import tomllib
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.access.keys import OPEN
from api.http.errors import NotFoundError
from api.http.routing import requires

PATH: Final = "/graphql"
VENDOR: Final = Path(__file__).resolve().parents[1] / "pages" / "vendor"
KINDS: Final = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
_FOREVER: Final = {"cache-control": "public, max-age=31536000, immutable"}
_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "img-src 'self' data:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>GraphQL - Hydrophone</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="{graphiql}/graphiql.min.css">
<style>html,body,#graphiql{{height:100%;margin:0}}</style></head>
<body><div id="graphiql">Loading…</div>
<script src="{react}/react.production.min.js"></script>
<script src="{react-dom}/react-dom.production.min.js"></script>
<script src="{graphiql}/graphiql.min.js"></script>
<script nonce="{nonce}">
const url = location.origin + "/graphql";
const fetcher = GraphiQL.createFetcher({{ url, subscriptionUrl: url.replace(/^http/, "ws") }});
const query = '{{\\n  price(symbol: "BTC") {{\\n    price\\n    change_24h\\n    quality\\n    age\\n  }}\\n}}\\n';
const page = React.createElement(GraphiQL, {{
  fetcher, defaultQuery: query, isHeadersEditorEnabled: true, shouldPersistHeaders: false,
  defaultHeaders: '{{"Authorization": "Bearer KEY"}}',
}});
ReactDOM.createRoot(document.getElementById("graphiql")).render(page);
</script></body></html>"""
router: Final = APIRouter(dependencies=[requires(OPEN)])


def list_files(vendor: Path = VENDOR) -> dict[str, Path]:
    """Return the files of the libraries by the addresses that they are served at."""
    libraries: dict[str, dict[str, Any]] = tomllib.loads((vendor / "VERSIONS.toml").read_text())
    return {
        f"{name}@{library['version']}/{file}": vendor / name / file
        for name, library in libraries.items()
        for file in library["files"]
    }


FILES: Final = list_files()


@router.get("/assets/{name}/{file}", include_in_schema=False)
async def asset(request: Request, name: str, file: str) -> Response:
    """Scripts and styles of the playground."""
    found = FILES.get(f"{name}/{file}")
    if found is None:
        raise NotFoundError(f"There is no {request.url.path}", path=request.url.path)
    return Response(found.read_bytes(), media_type=KINDS.get(found.suffix, "text/plain"), headers=_FOREVER)


class Playground:
    """The app with the page in front: what is no visit of a browser goes on to it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        addresses = {address.partition("@")[0]: f"/assets/{address.partition('/')[0]}" for address in FILES}
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a visit of a browser, or let the app answer."""
        if not _is_visit(scope):
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        page = _PAGE.format(nonce=nonce, **self._addresses)
        headers = {"content-security-policy": _POLICY.format(nonce=nonce), "cache-control": "no-store"}
        await HTMLResponse(page, headers=headers)(scope, receive, send)


def _is_visit(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != PATH or scope["query_string"]:
        return False
    return b"text/html" in dict(scope["headers"]).get(b"accept", b"")
