"""`/openapi.json`, `/metrics`: what describes the service to programs and what measures it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from api.http.access.keys import OPEN
from api.http.errors import documented
from api.http.openapi import origin
from api.http.responses import JSON_TYPE
from api.http.routing import requires

router: Final = APIRouter(tags=["service"], dependencies=[requires(OPEN)], responses=documented(403, 429, 500))


@dataclass(frozen=True, slots=True)
class DocumentSources:
    """What the documents are made of."""

    registry: CollectorRegistry


@router.get("/openapi.json", operation_id="getOpenApi", response_model=dict[str, Any])
async def openapi(request: Request) -> Response:
    """This description, with the address that it was requested at as its server."""
    app: FastAPI = request.app
    document = {**app.openapi(), "servers": [{"url": origin(request)}]}
    return Response(msgspec.json.encode(document), media_type=JSON_TYPE.decode())


@router.get("/metrics", operation_id="getMetrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Prometheus metrics."""
    sources: DocumentSources = request.app.state.documents
    return Response(generate_latest(sources.registry), headers={"content-type": CONTENT_TYPE_LATEST})
