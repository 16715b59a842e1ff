"""How operations are read and their results written: strawberry's view with exact numbers and bounds of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, cast

import msgspec
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from starlette.responses import Response
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLRequestData
from strawberry.schema import Schema
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.unset import UNSET, UnsetType

from api.graphql.operations import Operations, SocketAdapter, SocketAsked
from api.graphql.queries import Asked

SUBSCRIPTIONS: Final = 20  # of one connection
INIT_SECONDS: Final = 10
_JSON: Final = "application/json"
_MEMBERS: Final[dict[str, tuple[type, ...]]] = {
    "query": (str,),
    "variables": (dict, type(None)),
    "operationName": (str, type(None)),
    "extensions": (dict, type(None)),
}


class GraphQLView(GraphQL[Asked, None]):
    """The view of our schema."""

    graphql_transport_ws_handler_class = Operations
    websocket_adapter_class = SocketAdapter

    def __init__(self, schema: Schema, origins: tuple[str, ...] = ()) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=INIT_SECONDS),
            max_subscriptions_per_connection=SUBSCRIPTIONS,
            allowed_origins=origins,
        )

    def decode_json(self, data: str | bytes) -> object:
        """Return what JSON stands for; raises JSONDecodeError for what is none, however deep it goes."""
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            raise json.JSONDecodeError(f"The text is no JSON: {error}", "", 0) from error

    def encode_json(self, data: object) -> str:
        """Return a result as JSON, each number with the digits that it came with."""
        return msgspec.json.encode(data).decode()

    def should_render_graphql_ide(self, request: object) -> bool:
        """Return False: the playground is a page of its own."""
        return False

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData:
        """Read the one operation of a request; raises HTTPException for a batch of them and for what is none."""
        if request.method == "GET":
            fields = self._read_parameters(request.query_params)
        elif (request.content_type or "").partition(";")[0].strip().lower() == _JSON:
            fields = self.parse_json(await request.get_body())
        else:
            raise HTTPException(400, f"Send the operation as {_JSON}")
        if not isinstance(fields, dict):
            raise HTTPException(400, "Send one operation: a JSON object with the member query")
        return _read_operation(cast("dict[str, Any]", fields))

    def _read_parameters(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        variables = parameters.get("variables")
        named = {"query": parameters["query"], "operationName": parameters.get("operationName") or None}
        return {**named, "variables": self.parse_json(variables) if variables else None}

    async def on_ws_connect(self, context: Asked) -> UnsetType | dict[str, object] | None:
        """Let a client in whose key may; raises ConnectionRejectionError (4403) for another."""
        if isinstance(context, SocketAsked):
            context.check()
        return UNSET

    def create_response(self, response_data: Any, sub_response: Response) -> Response:
        """Return the answer."""
        return Response(self.encode_json(response_data), media_type=_JSON)


def _read_operation(fields: dict[str, Any]) -> GraphQLRequestData:
    for name, kinds in _MEMBERS.items():
        if not isinstance(fields.get(name), kinds):
            raise HTTPException(400, f"The member {name} is missing or of another type")
    return GraphQLRequestData(
        query=fields["query"],
        variables=fields.get("variables"),
        operation_name=fields.get("operationName"),
        extensions=fields.get("extensions"),
    )
