"""The simulator's HTTP: how a request is read and an answer becomes a response with the simulator's mark."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from producers.simulator.hub import Answer

MARK = ("X-Simulated", "hydrophone")


def read_target(target: str) -> tuple[str, dict[str, str]]:
    """Path and query of a request's target; the values of a repeated parameter are joined by commas."""
    split = urlsplit(target)
    query: dict[str, str] = {}
    for name, value in parse_qsl(split.query, keep_blank_values=True):
        query[name] = f"{query[name]},{value}" if name in query else value
    return unquote(split.path), query


def read_headers(request: Request) -> dict[str, str]:
    """A request's headers, names in lower case."""
    return {name.lower(): value for name, value in request.headers.raw_items()}


def split_venue(path: str) -> tuple[str, str]:
    """The venue's prefix and the venue's own path."""
    name, _, rest = path.lstrip("/").partition("/")
    return name, f"/{rest}"


def mark_response(_socket: ServerConnection, _request: Request, response: Response) -> None:
    """Marks every response, handshakes included, as simulated."""
    if MARK[0] not in response.headers:
        response.headers[MARK[0]] = MARK[1]


def respond(answer: Answer) -> Response:
    """A complete HTTP response; the connection ends with it."""
    body = answer.body.encode()
    headers = Headers()
    headers["Content-Type"] = "application/json" if body[:1] in (b"{", b"[") else "text/html"
    headers["Content-Length"] = str(len(body))
    headers["Connection"] = "close"
    headers[MARK[0]] = MARK[1]
    for name, value in answer.headers:
        headers[name] = value
    return Response(answer.status, HTTPStatus(answer.status).phrase, headers, body)
