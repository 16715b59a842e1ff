"""What a route is: path, scope, handler, and how OpenAPI describes it. Listed through FastAPI."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel
from starlette.routing import Route, WebSocketRoute

from api.access.gate import ANY_KEY, OPEN
from api.access.keys import ADMIN
from api.models import FAILURES
from api.replies import Reply
from contracts.errors import InvalidParameterError

BEARER: Final = "bearer"
MOST_QUERY_BYTES: Final = 4096
MOST_PARAMS: Final = 32


@dataclass(frozen=True, slots=True)
class Ask:
    """One request as a handler sees it: parameters of path and query, headers, and the time (ns UTC)."""

    path: str
    params: Mapping[str, str]
    headers: Mapping[bytes, bytes]
    now_ns: int


Handler = Callable[[Ask], Reply | Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of the query, or of the path, as OpenAPI describes it."""

    name: str
    description: str
    schema: Mapping[str, Any]
    example: Any = None
    required: bool = False
    place: Literal["query", "path"] = "query"

    def document(self) -> dict[str, Any]:
        """The OpenAPI parameter object."""
        said = {} if self.example is None else {"example": self.example}
        return {
            "name": self.name,
            "in": self.place,
            "required": self.required,
            "description": self.description,
            "schema": dict(self.schema),
            **said,
        }


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One GET route; `scope` is what a key needs for it, `OPEN` for none at all.

    A path may end in one parameter, as `{symbol:path}`: everything that follows, slashes too.
    """

    path: str
    scope: str
    handler: Handler
    operation_id: str
    summary: str
    tag: str
    description: str = ""
    params: tuple[Param, ...] = ()
    model: type[BaseModel] | None = None
    example: Any = None
    media: str = "application/json"
    failures: tuple[int, ...] = field(default=(400, 401, 403, 404, 429, 503))

    @property
    def route(self) -> str:
        """The path as it is documented and counted: `/multi/ticker/{symbol}`."""
        return self.path.replace(":path}", "}")


@dataclass(frozen=True, slots=True)
class Match:
    """The endpoint of a path and the parameters that the path gives it."""

    endpoint: Endpoint
    params: Mapping[str, str]


class Shortcuts:
    """Finds the endpoint of a path without routing."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._exact: dict[str, Match] = {}
        self._open: list[tuple[str, str, Endpoint]] = []
        for endpoint in endpoints:
            start, brace, name = endpoint.path.partition("{")
            if brace:
                self._open.append((start, name.partition(":")[0].rstrip("}"), endpoint))
            else:
                self._exact[endpoint.path] = Match(endpoint, {})

    def find(self, path: str) -> Match | None:
        """Give the endpoint of a path; None for a path that is not a declared one."""
        found = self._exact.get(path)
        if found is not None:
            return found
        for start, name, endpoint in self._open:
            if path.startswith(start) and len(path) > len(start):
                return Match(endpoint, {name: path[len(start) :]})
        return None


def merge_params(path: Mapping[str, str], query: bytes) -> Mapping[str, str]:
    """The parameters of path and query; InvalidParameterError for one that both give."""
    params = read_params(query)
    if not path:
        return params
    for name in path:
        if name in params:
            raise InvalidParameterError(f"Parameter {name} is given twice", parameter=name)
    return {**path, **params}


def register(app: FastAPI, endpoints: Iterable[Endpoint]) -> None:
    """List the endpoints in an app: they are answered there as the shortcut answers them."""
    for endpoint in endpoints:
        app.add_api_route(
            endpoint.path,
            _asgi_handler(endpoint.handler),
            methods=["GET"],
            operation_id=endpoint.operation_id,
            summary=endpoint.summary,
            description=endpoint.description,
            tags=[endpoint.tag],
            response_class=Response,
            response_model=None,
            responses=_responses(endpoint),
            openapi_extra=_extra(endpoint),
        )


def read_params(query: bytes) -> dict[str, str]:
    """The query's parameters; InvalidParameterError where it is too long or names one twice."""
    if not query:
        return {}
    if len(query) > MOST_QUERY_BYTES:
        raise InvalidParameterError("The query is too long", parameter="query", maximum_bytes=MOST_QUERY_BYTES)
    params: dict[str, str] = {}
    for name, value in _pairs(query):
        if name in params:
            raise InvalidParameterError(f"Parameter {name} is given twice", parameter=name)
        params[name] = value
    return params


def _pairs(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=MOST_PARAMS)
    except ValueError as error:
        raise InvalidParameterError(
            "The query has too many parameters", parameter="query", maximum=MOST_PARAMS
        ) from error


def scope_finder(app: FastAPI, scopes: Mapping[str, str]) -> Callable[[str], str]:
    """Tell the scope of a path: as declared by its route's template; `admin` for a route that declares none, and any
    key for a path that is no route."""  # noqa: D205, D209
    routes = [route for route in app.routes if isinstance(route, Route | WebSocketRoute)]
    templates = [(route.path_regex, scopes.get(route.path, ADMIN)) for route in routes]
    exact = {**{route.path: ADMIN for route in routes}, **scopes}

    def find(path: str) -> str:
        scope = exact.get(path)
        if scope is not None:
            return scope
        return next((scope for pattern, scope in templates if pattern.match(path)), ANY_KEY)

    return find


def _asgi_handler(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        reply = handler(
            Ask(
                request.url.path,
                merge_params(request.path_params, request.scope["query_string"]),
                dict(request.scope["headers"]),
                request.scope["hydrophone.now_ns"],
            )
        )
        if not isinstance(reply, Reply):
            reply = await reply
        response = Response(reply.body, reply.status, media_type=reply.content_type.decode())
        for name, value in reply.headers:
            response.headers.append(name.decode(), value.decode())
        return response

    answer.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)]
    )
    return answer


def _responses(endpoint: Endpoint) -> dict[int | str, dict[str, Any]]:
    content: dict[str, Any] = {} if endpoint.example is None else {"example": endpoint.example}
    good: dict[str, Any] = {"description": "The answer", "content": {endpoint.media: content}}
    if endpoint.model is not None:
        good["model"] = endpoint.model
    plain = endpoint.path.startswith(("/api/market", "/api/sentiment"))
    return {200: good, **{status: FAILURES[status].document(plain=plain) for status in endpoint.failures}}


def _extra(endpoint: Endpoint) -> dict[str, Any]:
    security: list[dict[str, list[str]]] = [] if endpoint.scope == OPEN else [{BEARER: []}]
    said = "" if endpoint.scope == OPEN else endpoint.scope
    extra: dict[str, Any] = {"security": security, "parameters": [param.document() for param in endpoint.params]}
    return {**extra, "x-scope": said} if said else extra
