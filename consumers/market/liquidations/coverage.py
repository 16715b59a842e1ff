"""How much of a window each exchange's liquidations were received, by the ledger of coverage. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final

from consumers.market.state import Reader
from contracts.instrument import INVERSE, PERP
from contracts.schema.literals import decimal_number
from runtime.coverage.spans import SECOND
from runtime.coverage.view import Followed, Sums, add_up, count

Coverage = Mapping[str, Mapping[str, Any]]
"""`contracts.services.replies.liqmap.MapCoverage` of each venue of which it is known."""
_CONTRACTS: Final = frozenset({PERP, INVERSE})
_PLACES: Final = Decimal("0.01")


def find_coverage(reader: Reader, base: str, start: int) -> Coverage:
    """Return it by venue from a time (ns UTC) until now, over a base's contracts."""
    ledger, now = reader.state.ledger, reader.now_ns
    if ledger is None:
        return {}
    span = (start, now - now % SECOND)
    sums: defaultdict[str, list[Sums]] = defaultdict(list)
    for item in reader.state.list_of_base(base):
        if item.contract in _CONTRACTS:
            covered = ledger.find(Followed(item.venue, item.symbol, "liquidation"), span, now)
            if covered.since is not None:
                sums[item.venue].append(count(covered, span)[0])
    return {venue: _fields(add_up(held)) for venue, held in sums.items()}


def _fields(sums: Sums) -> dict[str, Any]:
    percent = decimal_number(sums.percent.quantize(_PLACES, ROUND_FLOOR))
    return {"percent": percent, "sampled_seconds": sums.sampled, "unknown_seconds": sums.unknown}
