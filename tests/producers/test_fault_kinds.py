"""Faults that were found in the field, by kind, over all venues: each has a case of the kind or says why it cannot.

`kinds/<venue>.py` gives `KINDS`: for every kind a function that checks the venue (raises AssertionError), or the reason
why the venue cannot have it. `pytest -s tests/producers/test_fault_kinds.py -k table` prints the table.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Final

import pytest

from producers.registry import VENUES

KINDS: Final[dict[str, str]] = {
    "lagging_snapshot": "a REST (or asked) snapshot that lags the stream by 3, 5, 20 s joins in the end",
    "zero_price": "a price of zero is null; a trade or level at zero is none",
    "trade_holes": "trades that the vendor numbers or counts: a hole is a gap that names what is missing",
    "crossing": "a book that crosses for a moment with unbroken numbers goes on, unpublished while crossed",
    "bad_row": "one row that cannot be read or named costs that row, in every channel that carries rows",
    "omitted_field": "what the vendor may omit or send null or empty is null",
    "control_message": "plain text, greetings and unknown control messages are no decoding errors",
    "unknown_name": "a name that is no known pattern is refused by that name, never read as another instrument",
    "shared_id": "two different events of one kind never share an id",
    "price_kind": "each liquidation's price is of the kind that the vendor's page says",
    "subscription_limit": "a plan keeps the vendor's limits of subscriptions and connections, or names the limit",
}
Check = Callable[[], None]


def cases(venue: str) -> dict[str, Check | str]:
    return importlib.import_module(f"tests.producers.kinds.{venue}").KINDS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("venue", sorted(VENUES))
def test_kind_of_fault_is_not_there(venue: str, kind: str) -> None:
    case = cases(venue)[kind]
    if isinstance(case, str):
        assert len(case) > 20, "a reason says what the vendor does instead"
    else:
        case()


def test_table_of_kinds(capsys: pytest.CaptureFixture[str]) -> None:
    rows = {venue: cases(venue) for venue in sorted(VENUES)}
    assert all(set(row) == set(KINDS) for row in rows.values())
    with capsys.disabled():
        print("\nfaults of the field, by venue (checked, or cannot have it: why)")
        for venue, row in rows.items():
            print(f"  {venue:14} checked: {', '.join(kind for kind, case in row.items() if not isinstance(case, str))}")
            for kind, case in row.items():
                if isinstance(case, str):
                    print(f"  {'':14} {kind}: cannot, {case}")
