"""Which checks of numbers this process uses: the compiled ones where they were built (`make venv`), else patterns.

Who wants patterns although the other is there sets `sys.modules["contracts.compiled.decimals"]` to None before anything
here is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contracts.arithmetic.patterns import are_optional, are_prices, are_quoted, read_amount, read_price, sum_up
else:
    try:
        from contracts.compiled.decimals import are_optional, are_prices, are_quoted, read_amount, read_price, sum_up
    except ImportError:
        from contracts.arithmetic.patterns import are_optional, are_prices, are_quoted, read_amount, read_price, sum_up

__all__ = ["are_optional", "are_prices", "are_quoted", "read_amount", "read_price", "sum_up"]
