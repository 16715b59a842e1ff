"""`/graphql`: queries by POST and GET, subscriptions by WebSocket, the playground where debugging is on."""

from __future__ import annotations

from typing import Annotated, Any, Final

from cross_web import HTTPException
from fastapi import APIRouter, Depends, Query, Request, Response, WebSocket
from pydantic import BaseModel, ConfigDict, Field

from api.graphql.queries import Asked
from api.graphql.sockets import Sockets
from api.graphql.view import GraphQLView
from api.http.access.keys import MARKET_READ
from api.http.errors import InvalidBodyError, documented
from api.http.routing import requires
from api.http.validation import check_query
from runtime.clients.market_client import MarketClient

router: Final = APIRouter(
    tags=["graphql"], dependencies=[requires(MARKET_READ)], responses=documented(400, 401, 403, 429, 500, 503, 504)
)


class Operation(BaseModel):
    """One GraphQL operation; several in one request are refused."""

    query: str = Field(examples=['{ price(symbol: "BTC") { price change_24h quality } }'])
    variables: dict[str, Any] | None = None
    operation_name: str | None = Field(default=None, alias="operationName")


class OperationError(BaseModel):
    """What went wrong with a field, or with the operation; `extensions` has the code and its details."""

    message: str
    locations: list[dict[str, int]] | None = None
    path: list[str | int] | None = None
    extensions: dict[str, Any]


class OperationReply(BaseModel):
    """What GraphQL answers: `extensions.beside` has what stands beside each list, by its path."""

    model_config = ConfigDict(json_schema_extra={"example": {"data": {"price": {"price": 91000.1, "quality": "live"}}}})

    data: dict[str, Any] | None
    errors: list[OperationError] | None = None
    extensions: dict[str, Any] | None = None


class GraphQLEndpoint:
    """Answers operations."""

    def __init__(self, view: GraphQLView, market: MarketClient, sockets: Sockets) -> None:
        self._view = view
        self._market = market
        self.sockets = sockets

    async def answer(self, request: Request) -> Response:
        """Return the answer to one operation; raises InvalidBodyError for what is none."""
        try:
            return await self._view.run(request, context=Asked(self._market), root_value=None)
        except HTTPException as error:
            raise InvalidBodyError(error.reason) from error


@router.get("/graphql", operation_id="queryGraphql", response_model=OperationReply, dependencies=[Depends(check_query)])
async def query(
    request: Request,
    query: Annotated[str, Query(min_length=1, description="a GraphQL query")],  # noqa: ARG001 - read by the view
    variables: Annotated[str | None, Query(description="its variables, as JSON")] = None,  # noqa: ARG001
    operation: Annotated[str | None, Query(alias="operationName", description="which of several")] = None,  # noqa: ARG001
) -> Response:
    """A GraphQL query in the URL."""
    endpoint: GraphQLEndpoint = request.app.state.graphql
    return await endpoint.answer(request)


@router.post(
    "/graphql",
    operation_id="postGraphql",
    response_model=OperationReply,
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": Operation.model_json_schema()}}}
    },
)
async def post(request: Request) -> Response:
    """A GraphQL operation: prices, whale trades, liquidations, order books, candles of a symbol in one request."""
    endpoint: GraphQLEndpoint = request.app.state.graphql
    return await endpoint.answer(request)


@router.websocket("/graphql")
async def subscribe(socket: WebSocket) -> None:
    """Subscriptions over graphql-transport-ws."""
    endpoint: GraphQLEndpoint = socket.app.state.graphql
    await endpoint.sockets.serve(socket)
