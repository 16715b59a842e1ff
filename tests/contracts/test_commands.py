"""Commands: every field of a request is described, so that each document made of them says what it is."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

import contracts.services
from contracts.commands import Command, every_command


def fields(model: type[BaseModel]) -> Iterator[tuple[str, bool]]:
    """Yield each field of a request and of the models in it, with whether it is described."""
    schema = model.model_json_schema()
    for name, part in {model.__name__: schema, **schema.get("$defs", {})}.items():
        for field, shown in part.get("properties", {}).items():
            yield f"{name}.{field}", bool(shown.get("description"))


@pytest.mark.parametrize("command", every_command(), ids=lambda command: command.name)
def test_every_field_of_a_request_is_described(command: Command) -> None:
    assert [name for name, described in fields(command.request) if not described] == []


def test_every_query_of_the_services_is_the_request_of_a_command() -> None:
    """So that none is left out of the test above; what others derive from is none itself."""
    modules = [
        importlib.import_module(f"contracts.services.{found.name}")
        for found in pkgutil.iter_modules(contracts.services.__path__)
    ]
    queries = {
        kind
        for module in modules
        for name, kind in inspect.getmembers(module, inspect.isclass)
        if name.endswith("Query") and kind.__module__ == module.__name__ and not kind.__subclasses__()
    }
    assert queries <= {command.request for command in every_command()}
