"""Replies of trading as answers: decimals are exact numbers. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

from pydantic import BaseModel

from contracts.schema.literals import decimal_number


def shown(value: Any) -> Any:
    """Return a reply, or a part of it, as it is answered."""
    if isinstance(value, BaseModel):
        return {field.alias or name: shown(getattr(value, name)) for name, field in type(value).model_fields.items()}
    if isinstance(value, dict):
        return {name: shown(part) for name, part in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [shown(part) for part in cast("list[Any]", value)]
    return decimal_number(value) if isinstance(value, Decimal) else value
