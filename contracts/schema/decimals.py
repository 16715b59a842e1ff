"""Decimals of requests and answers: taken as numbers or text, given as exact numbers. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, cast

from pydantic import BaseModel, WithJsonSchema

from contracts.schema.literals import decimal_number

Numbers = Annotated[dict[str, Decimal], WithJsonSchema({"type": "object", "additionalProperties": {"type": "number"}})]


def as_text(value: object) -> object:
    """Return a number of JSON as the decimal's text; what is none is left to what reads it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{Decimal(str(value)):f}"
    return value


def shown(value: Any) -> Any:
    """Return a reply, or a part of it, as it is answered."""
    if isinstance(value, BaseModel):
        return {field.alias or name: shown(getattr(value, name)) for name, field in type(value).model_fields.items()}
    if isinstance(value, dict):
        return {name: shown(part) for name, part in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [shown(part) for part in cast("list[Any]", value)]
    return decimal_number(value) if isinstance(value, Decimal) else value
