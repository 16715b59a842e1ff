"""Params of strategies as people give them: numbers, which travel as text but where they count something. Pure."""

from __future__ import annotations

import types
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, Union, cast, get_args, get_origin

from pydantic import BaseModel

from contracts.services.trading.strategy_params import DcaParams, GridParams, TpslParams

KINDS: Final[dict[str, type[BaseModel]]] = {"dca": DcaParams, "grid": GridParams, "tpsl": TpslParams}


def _whole(model: type[BaseModel]) -> Iterator[str]:
    """Return the fields of a model, and of those in it, that hold whole numbers."""
    for name, field in model.model_fields.items():
        for kind in _parts(field.annotation):
            if kind is int:
                yield name
            elif isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _whole(kind)


def _parts(hint: Any) -> Iterator[Any]:
    if get_origin(hint) in {Union, types.UnionType, list}:
        for part in get_args(hint):
            yield from _parts(part)
    else:
        yield hint


WHOLE: Final = {kind: frozenset(_whole(model)) for kind, model in KINDS.items()}


def params_of(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the params of a kind in the form of the contracts; of an own kind whole numbers stay what they are."""
    return {name: _param(kind, name, value) for name, value in given.items()}


def _param(kind: str, name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return params_of(kind, cast("dict[str, Any]", value))
    if isinstance(value, list):
        return [_param(kind, name, part) for part in cast("list[Any]", value)]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    counts = name in WHOLE[kind] if kind in WHOLE else isinstance(value, int)
    return value if counts else f"{Decimal(str(value)):f}"
