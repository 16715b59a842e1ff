"""Amounts made of contracts stay within the bounds of the bus."""

from __future__ import annotations

import pytest

from contracts.errors import FrameError
from contracts.instrument import make_instrument
from producers.normalize import sizes


@pytest.mark.parametrize("settle", ["USDT", "A"])
def test_amount_made_of_contracts_is_within_the_bounds(settle: str) -> None:
    quote = "USDT" if settle == "USDT" else "USD"
    contract = make_instrument("okx", f"A/{quote}:{settle}", "A", contract_size="1000")
    assert sizes.amount(contract, "5", "2") == {"USDT": "5000", "A": "2500"}[settle]
    for size, price in (("9" * 24, "0.000001"), ("-1", "1"), ("1e30", "1")):
        with pytest.raises(FrameError, match="amount"):
            sizes.amount(contract, size, price)
    with pytest.raises(FrameError, match="contract size"):
        sizes.contract_size("9" * 24, "100")
