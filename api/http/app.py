"""FastAPI with our errors and our OpenAPI, and without its own pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Final

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Scope

from api.http.errors import as_error, error_reply
from api.http.openapi import described
from api.http.validation import validation_error
from contracts.errors import HydrophoneError
from runtime import clock
from runtime.config.settings import ApiSettings

VERSION: Final = "1.0.0"
EXPOSED: Final = (
    *("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy", "Retry-After"),
    *("ETag", "X-Request-Id", "Idempotent-Replayed"),
)
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def make_app(routers: Iterable[APIRouter], lifespan: Lifespan | None = None) -> FastAPI:
    """Make the app of some routers."""
    app = FastAPI(
        title="Hydrophone",
        version=VERSION,
        description="Crypto market data of many exchanges: prices, whale trades, liquidations, order books.",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    for router in routers:  # as they are: including a router would build every route, and its models, a second time
        app.router.routes.extend(router.routes)
    for kind in (HydrophoneError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, _on_exception)
    app.state.parameters = {}
    app.openapi = described(app)  # FastAPI's own way to extend the document
    return app


class Cors(CORSMiddleware):
    """Starlette's, which leaves requests without an origin as they are: those may be answered at once."""

    def answer_now(self, scope: Scope, write: Callable[[bytes, bytes], None]) -> bool:
        """Answer as the app does; what a browser sends from another origin goes the whole way."""
        at_once = getattr(self.app, "answer_now", None)
        of_a_browser = any(name == b"origin" for name, _ in scope["headers"])
        return at_once is not None and not of_a_browser and at_once(scope, write)


def with_cors(app: ASGIApp, settings: ApiSettings) -> ASGIApp:
    """Let the origins of the settings in; without any, browsers of other origins stay out."""
    if not settings.cors_origins:
        return app
    return Cors(
        app,
        allow_origins=settings.cors_origins,
        allow_methods=settings.cors_methods or ("GET",),
        allow_headers=settings.cors_headers or ("Authorization",),
        expose_headers=EXPOSED,
    )


async def _on_exception(request: Request, error: Exception) -> Response:
    path = request.url.path
    if isinstance(error, RequestValidationError):
        known = validation_error(request, error)
    else:
        known = as_error(error, path, request.method)
    if (notes := request.scope.get("hydrophone.notes")) is not None:
        notes.code = known.code
    return error_reply(path, known, request.scope.get("hydrophone.now_ns") or clock.now_ns()).as_response()
