"""The recorded state of the golden answers, and a core over it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from consumers.market.documents import decode_listing
from consumers.market.state import MarketState
from contracts.symbols import SymbolBook

GOLDEN = Path(__file__).parents[2] / "api" / "golden"
STALE_AFTER_NS = 30 * 10**9


def read_golden(name: str) -> Any:
    return json.loads(gzip.decompress((GOLDEN / name).read_bytes()))


def make_state(recorded: dict[str, Any], *, cut: bool = False) -> tuple[MarketState, dict[str, bytes]]:
    """The state over the recorded documents, and those, to change them."""
    held = {key: json.dumps(document).encode() for key, document in recorded["state"].items()}
    state = MarketState(held, STALE_AFTER_NS, lambda: not cut)
    listed = [json.dumps(items).encode() for items in recorded["instruments"].values()]
    state.save_symbols(SymbolBook([item for body in listed for item in decode_listing(body)]))
    return state, held
