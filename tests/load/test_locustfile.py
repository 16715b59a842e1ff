"""The load's file is right where locust is not installed: it parses, and asks for what there is."""

from __future__ import annotations

import ast
import json
from pathlib import Path

FILE = Path(__file__).with_name("locustfile.py")
DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"


def list_requests():
    """(method, path, the names of its parameters) of each request of the file."""
    for call in ast.walk(ast.parse(FILE.read_text())):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or not call.args:
            continue
        first = call.args[0]
        if call.func.attr in {"ask", "get", "post"} and isinstance(first, ast.Constant) and str(first.value)[:1] == "/":
            method = "post" if call.func.attr == "post" else "get"
            given = {word.arg for word in call.keywords} if call.func.attr == "ask" else set()
            if call.func.attr == "ask" and "{symbol}" not in str(first.value):
                given.add("symbol")
            yield method, first.value, given


def test_every_request_is_documented():
    document = json.loads(DOCUMENT.read_text())
    found = list(list_requests())
    assert len(found) == 10
    for method, path, given in found:
        operation = document["paths"][path][method]
        assert given <= {item["name"] for item in operation.get("parameters", ())}, path


def test_only_locust_is_missing_here():
    body = ast.parse(FILE.read_text()).body
    modules = {item.module for item in body if isinstance(item, ast.ImportFrom)}
    modules |= {name.name for item in body if isinstance(item, ast.Import) for name in item.names}
    assert modules == {"__future__", "locust", "os", "random"}
