"""CCXT Pro reads every simulated venue that it speaks, and what it gives equals the simulator's truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ccxt.pro
import pytest

from producers.simulator.instruments import VENUES
from tests.peers.cases import CASES, Case
from tests.peers.conftest import PROPERTY
from tests.peers.run import run_case

LEAST = {"trades": 40, "book": 10, "checksum": 0, "ticker": 3, "rest": 10}
SUMMED = {"kraken": 10, "bitfinex": 2}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.ccxt)
async def test_ccxt_pro_gives_what_the_simulated_exchange_did(
    case: Case, record_property: Callable[[str, Any], None]
) -> None:
    verdict = await run_case(case)
    cells = {kind: f"{score.agreed}/{score.compared}" for kind, score in verdict.scores.items() if score.compared}
    record_property(PROPERTY, ("CCXT Pro", case.ccxt, cells, case.note))
    wrong = [f"{kind}: {text}" for kind, score in verdict.scores.items() for text in score.wrong]
    assert not verdict.errors
    assert not wrong, "\n".join(wrong)
    least = LEAST | {"checksum": SUMMED.get(case.ccxt, 0)} | ({"book": 2} if case.ccxt == "bitfinex" else {})
    assert {kind: score.compared for kind, score in verdict.scores.items() if score.compared < least[kind]} == {}


def test_every_simulated_venue_that_ccxt_pro_speaks_is_judged() -> None:
    spoken = {name for name in VENUES if name in ccxt.pro.exchanges}
    assert spoken == {case.venue for case in CASES}
    assert set(VENUES) - spoken == {"indodax"}  # CCXT reads its REST only


def test_a_wrong_book_a_lost_trade_and_a_wrong_figure_are_seen() -> None:
    """The judge itself: what was changed on the way does not agree."""
