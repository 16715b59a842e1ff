"""Own strategies: the example is found, loaded and run; what is none is refused with its reason."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from contracts.errors import InvalidParameterError
from contracts.services.trading.strategy_events import StrategySignalled
from runtime.strategies import running as steps
from runtime.strategies.loading import BadStrategyError, Kinds, load
from runtime.strategies.protocol import Setup
from runtime.strategies.running import Definition
from tests.runtime.strategies.exchange import BTC, ID, START, Exchange

EXAMPLES = Path(__file__).parents[3] / "examples" / "strategies"
PARAMS = {"amount": "2", "fall_percent": "2", "profit_percent": "1"}
GOOD = (EXAMPLES / "dip.py").read_text()


def dip() -> Exchange:
    kind = Kinds(EXAMPLES).find("dip")
    return Exchange(Definition(kind, Setup(ID, BTC, kind.params.model_validate(PARAMS), START)))


def test_the_kinds_of_the_product_are_found_by_their_files() -> None:
    assert Kinds().names == ["dca", "grid", "tpsl"]
    assert Kinds(EXAMPLES).names == ["dca", "dip", "grid", "tpsl"]


def test_the_example_buys_a_dip_and_sells_at_its_profit() -> None:
    exchange = dip()
    exchange.show("100")
    exchange.show("110")
    exchange.show("107.9")
    assert exchange.held == 0
    exchange.show("107.8")
    assert exchange.held == 2
    exchange.restart()
    assert exchange.prices("sell") == [Decimal("108.878")]
    exchange.show("109")
    assert exchange.held == 0
    assert [(one.wanted, one.after) for one in exchange.replayed()] == [
        (one.wanted, one.after) for one in exchange.decided
    ]


def test_the_example_buys_on_a_signal() -> None:
    exchange = dip()
    exchange.show("100")
    about = {"strategy": ID, "owner": "alice", "account": "paper", "symbol": BTC}
    for side in ("wait", "buy"):
        signal = StrategySignalled(**about, id=f"{ID}.signal.{side}", ts=START, body=f'{{"side":"{side}"}}')
        exchange.running = steps.step(exchange.definition, exchange.running, signal, exchange.now).running
        exchange.settle()
        assert exchange.held == (2 if side == "buy" else 0)


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("Dip", GOOD, "its name"),
        ("dip", "def", "cannot be read"),
        ("dip", f"{GOOD}\nimport time\n", "may not import time"),
        ("dip", f"{GOOD}\nfrom random import random\n", "may not import random"),
        ("dip", f"{GOOD}\nimport runtime.clock\n", "may not import runtime.clock"),
        ("dip", f"{GOOD}\nopen('/etc/passwd')\n", "may not use open"),
        ("dip", f"{GOOD}\nRATE = 0.1\n", "is a float"),
        ("dip", GOOD.replace("KIND: Final", "OTHER: Final"), "has no KIND"),
        ("dip", GOOD.replace('Kind("dip"', 'Kind("other"'), "KIND is called 'other'"),
        ("dip", GOOD.replace("def begin", "def start"), "no begin"),
        ("dip", GOOD.replace('reads=("ticker",)', 'reads=("weather",)'), "reads weather"),
        ("dip", GOOD.replace("DipState, reads", "DipParams, reads"), "derived from State"),
        ("dip", f"{GOOD}\nraise RuntimeError('no')\n", "fails when it is loaded: RuntimeError: no"),
    ],
)
def test_what_is_no_strategy_is_refused_with_its_reason(tmp_path: Path, name: str, text: str, word: str) -> None:
    path = tmp_path / f"{name}.py"
    path.write_text(text)
    with pytest.raises(BadStrategyError, match=word):
        load(path)
    kinds = Kinds(tmp_path)
    assert kinds.names == ["dca", "grid", "tpsl"]
    with pytest.raises(InvalidParameterError, match="cannot be run"):
        kinds.find(name)


def test_an_own_strategy_takes_no_name_of_the_products(tmp_path: Path) -> None:
    (tmp_path / "grid.py").write_text(GOOD.replace('Kind("dip"', 'Kind("grid"'))
    kinds = Kinds(tmp_path)
    assert kinds.refused == {"grid": "there is one of this name already"}
    assert kinds.find("grid").make is Kinds().find("grid").make
