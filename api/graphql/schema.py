"""The GraphQL schema with its limits, and its committed text."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import strawberry
from graphql import DocumentNode, GraphQLError, get_operation_ast
from strawberry.extensions import MaxTokensLimiter, SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext
from strawberry.types.graphql import OperationType

from api.graphql import limits, types
from api.graphql.errors import describe_error
from api.graphql.queries import BESIDE, Asked, Query
from api.graphql.updates import Subscription
from contracts.errors import TimedOutError

SECONDS: Final = 15.0
SCHEMA_FILE: Final = Path(__file__).resolve().parents[2] / "docs" / "schema.graphql"


class OperationLimits(SchemaExtension):
    """Refuses an operation that is too deep or too wide before it is validated."""

    def on_validate(self) -> Iterator[None]:
        """Measure the operation; one that is refused is not validated."""
        context = self.execution_context
        document: DocumentNode | None = context.graphql_document
        refused = "There is no operation" if document is None else find_refusal(document, context)
        if refused is not None:
            context.pre_execution_errors = [GraphQLError(refused)]
        yield


def find_refusal(document: DocumentNode, context: ExecutionContext) -> str | None:
    """Return why an operation is not even validated; None where it is."""
    operation = get_operation_ast(document, context.operation_name)
    if operation is None:
        return "There is no operation of this name"
    return limits.find_excess(limits.measure(document, operation, context.variables or {}))


class Beside(SchemaExtension):
    """Puts what stands beside a list (its age, totals, holes) into `extensions`, by the path of the list."""

    def get_results(self) -> dict[str, Any]:
        """Return it."""
        asked: Asked = self.execution_context.context
        return {BESIDE: dict(asked.beside)} if asked.beside else {}


class KnownErrors(SchemaExtension):
    """Masks errors: each has a code of the closed list, and nothing of the inside."""

    def on_operation(self) -> Iterator[None]:
        """Describe the errors of a query, and those before execution."""
        yield
        _describe(self.execution_context.result)
        for error in self.execution_context.pre_execution_errors or ():
            describe_error(error)

    def on_stream_result(self, result: Any) -> Iterator[None]:
        """Describe the errors of one event."""
        _describe(result)
        yield


def _describe(result: Any) -> None:
    for error in getattr(result, "errors", None) or ():
        describe_error(error)


class OwnSchema(strawberry.Schema):
    """Writes no error of a caller to the log (our own are written where they are masked); bounds a query's time."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Write nothing."""

    async def execute(self, *given: Any, **named: Any) -> Any:
        """Run one query; raises InvalidOperationTypeError for a subscription, TimedOutError where it takes long."""
        named["allowed_operation_types"] = {OperationType.QUERY}
        try:
            async with asyncio.timeout(SECONDS):
                return await super().execute(*given, **named)
        except TimeoutError:
            raise TimedOutError(f"No answer within {SECONDS:g} seconds", limit_seconds=SECONDS) from None

    async def stream(self, *given: Any, **named: Any) -> Any:
        """Run one operation of a connection; what stands beside its lists is its own."""
        named["context_value"] = replace(named["context_value"], beside={})
        return await super().stream(*given, **named)


def make_schema() -> strawberry.Schema:
    """Make the schema."""
    return OwnSchema(
        query=Query,
        subscription=Subscription,
        config=StrawberryConfig(
            auto_camel_case=False,
            default_resolver=types.read_field,
            scalar_map=types.SCALARS,
            sort_schema=True,
        ),
        extensions=[
            lambda: MaxTokensLimiter(max_token_count=limits.TOKENS),
            OperationLimits,
            Beside,
            KnownErrors,
        ],
    )


def schema_text() -> str:
    """Return the schema as it is committed."""
    return make_schema().as_str() + "\n"
