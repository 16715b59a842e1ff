"""GraphiQL on `GET /graphql`, where debugging is on: anybody may load the page, it asks with the key typed into it.

Its scripts are files of ours under `/assets/<name>@<version>/`: nothing comes from elsewhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Final

from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

PATH: Final = "/graphql"
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


class Playground:
    """The app with the page in front: what is no visit of a browser goes on to it. `addresses`: of each library."""

    def __init__(self, app: ASGIApp, addresses: Mapping[str, str]) -> None:
        self._app = app
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
