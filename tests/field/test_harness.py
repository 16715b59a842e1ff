"""Every name by which the checks of field cases reach the project is there: a module that moves fails here."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load() -> type:
    spec = importlib.util.spec_from_file_location("field_harness", Path(__file__).with_name("harness.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look their module up
    spec.loader.exec_module(module)
    return module.Project


def names() -> list[str]:
    return [name for name, value in vars(load()).items() if isinstance(value, staticmethod)]


@pytest.mark.parametrize("name", names())
def test_name_is_there(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert getattr(load(), name)() is not None


def test_all_names_are_looked_at() -> None:
    assert len(names()) >= 10
