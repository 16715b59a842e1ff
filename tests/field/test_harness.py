"""Every name by which the checks of field cases reach the project is there: a module that moves fails here."""

from __future__ import annotations

import importlib.util
import sys
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("field_harness", Path(__file__).with_name("harness.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def load() -> type:
    return load_module().Project


def names() -> list[str]:
    return [name for name, value in vars(load()).items() if isinstance(value, staticmethod)]


@pytest.mark.parametrize("name", names())
def test_name_is_there(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert getattr(load(), name)() is not None


def test_price_of_zero_is_no_price_to_the_market_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    price = load_module().price
    zeros = dict.fromkeys(("last", "bid", "ask", "open_24h", "high_24h", "low_24h"), "0.000")
    halted = {"venue": "coinbase", "volume_24h": "0", **zeros}
    trading = {
        "venue": "kraken",
        "last": "0.06",
        "bid": "0.0599",
        "ask": "0.0601",
        "volume_24h": "10",
        "low_24h": "0.05",
    }
    alone = price(halted)
    assert alone is None or alone.price is None
    both = price(halted, trading)
    assert both.price == Decimal("0.06")
    assert 0 not in {both.low, both.bid, both.ask, both.high}


def test_all_names_are_looked_at() -> None:
    assert len(names()) >= 10
