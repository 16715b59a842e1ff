"""The recorded state of the golden answers, and a core over it."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from consumers.market.documents import decode_listing
from consumers.market.liquidations.history import MINUTE, LiquidationHistory
from consumers.market.state import MarketState
from contracts import codec
from contracts.market import Liquidation
from contracts.symbols import SymbolBook
from contracts.timeframes import HOUR, SECOND
from tests.consumers.coverage.ledger import Kept, status

GOLDEN = Path(__file__).parents[2] / "api" / "golden"
SEED = 20_261_127
_FAST = codec.decoder(Liquidation)
FORCED = (  # who publishes what of liquidations: venue, symbol, whether it is a sample
    ("binanceusdm", "BTC/USDT:USDT", True),
    ("bybit", "BTC/USDT:USDT", False),
    ("deribit", "BTC/USD:BTC", False),
    ("okx", "BTC/USDC:USDC", False),
    ("okx", "BTC/IDR:IDR", False),  # a quote that no rate may be known of
    ("bybit", "ETH/USDT:USDT", False),
)
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


def make_ledger(now_ns: int) -> Kept:
    """Return a ledger of six hours of one exchange, which lacks a minute and a half."""
    kept = Kept(now_ns - 6 * HOUR)
    lost = now_ns - HOUR // 2
    kept.say(status("down", lost), status("live", lost + 90 * SECOND))
    kept.save(now_ns)
    return kept


def list_liquidations(now_ns: int, count: int, minutes: int, seed: int = SEED) -> Iterator[Liquidation]:
    """Liquidations of the minutes before a time in about the order in which they came, some of them twice."""
    chance = random.Random(seed)
    price = 91_000.0
    for at in range(count):
        price *= 1 + chance.gauss(0, 0.0005)
        venue, symbol, sampled = chance.choice(FORCED)
        ts = now_ns - (count - at) * minutes * MINUTE // count
        size = price / (30 if symbol.startswith("ETH") else 1) * (16_000 if "IDR" in symbol else 1)
        liquidation = Liquidation.model_validate(
            {
                "id": f"{venue}.l{seed}.{at}",
                "venue": venue,
                "symbol": symbol,
                "venue_symbol": None,
                "ts_event": chance.choice([None, ts - chance.randint(0, 90 * 10**9)]),
                "ts_recv": ts,
                "sim": False,
                "price": f"{size:.{chance.randint(0, 8)}f}",
                "price_kind": "fill",
                "amount": chance.choice([None, *[f"{chance.random() * 3 + 0.001:.{chance.randint(3, 18)}f}"] * 9]),
                "position_side": chance.choice(["long", "short", None]),
                "order_side": None,
                "sampled": sampled,
                "average_price": chance.choice([None, f"{size * 0.999:.2f}"]),
            }
        )
        yield from [liquidation] * chance.choice([1, 1, 1, 2])


def make_history(now_ns: int) -> LiquidationHistory:
    """Three days of liquidations before a time, all of them read."""
    history = LiquidationHistory()
    for liquidation in list_liquidations(now_ns, 900, 3 * 1440):
        history.fold("", as_struct(liquidation))
    history.is_whole = True
    return history


def as_struct(event: Liquidation) -> Any:
    """Return an event as a reader of the bus has it."""
    return _FAST.decode(event.model_dump_json().encode())
