"""Hyperliquid over REST: perpetuals, spot pairs, books, and what its failures mean; everything is `POST /info`.

https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Raw

from contracts.errors import FrameError
from contracts.instrument import Instrument, make_instrument
from producers.connection.frames import read_each
from producers.rest.answers import make_book, named_pause
from producers.venue import Decoded, RestBudget, RestCall, RestFace, RestFailure, Unreadable
from producers.venues.hyperliquid import wire
from producers.venues.hyperliquid.history import HISTORY
from producers.venues.hyperliquid.plan import VENUE_ID, guess

_PERP: Final = "perp"
_SPOT: Final = "spot"
_OK: Final = 200
_TOO_MANY: Final = 429
_LIGHT, _HEAVY = 2, 20  # of 1200 units a minute
_MINUTE: Final = 60.0


class _Perpetual(msgspec.Struct):
    """`{"name":"kPEPE","szDecimals":0,"maxLeverage":10,"isDelisted":true}`."""

    name: str
    isDelisted: bool = False


class _Perpetuals(msgspec.Struct):
    universe: list[Raw]


class _Pair(msgspec.Struct):
    """`{"tokens":[1,0],"name":"PURR/USDC","index":0,"isCanonical":true}`: numbers of base and quote."""

    name: str
    tokens: tuple[int, int]


class _Token(msgspec.Struct):
    """`{"name":"PURR","szDecimals":0,"weiDecimals":5,"index":1,"tokenId":"0x…","isCanonical":true}`."""

    name: str
    index: int


class _Pairs(msgspec.Struct):
    universe: list[Raw]
    tokens: list[_Token]


_perpetuals: Final = msgspec.json.Decoder(_Perpetuals).decode
_pairs: Final = msgspec.json.Decoder(_Pairs).decode
_perpetual: Final = msgspec.json.Decoder(_Perpetual).decode
_pair: Final = msgspec.json.Decoder(_Pair).decode


def _call(weight: int, **question: str) -> RestCall:
    return RestCall("/info", weight=weight, method="POST", body=json.dumps(question, separators=(",", ":")))


def list_calls() -> tuple[tuple[str, RestCall], ...]:
    """Ask for the perpetuals of the venue's own exchange and for all spot pairs."""
    return (_PERP, _call(_HEAVY, type="meta")), (_SPOT, _call(_HEAVY, type="spotMeta"))


def decode_instruments(name: str, body: bytes) -> tuple[list[Instrument | Unreadable], RestCall | None]:
    """Read one list: perpetuals that are not delisted, or spot pairs by the names of their tokens.

    Anybody may deploy a token under a name that is taken: of pairs with one name the first is listed.
    """
    if name == _PERP:
        return read_each(_perpetuals(body).universe, _named_perpetual), None
    listed = _pairs(body)
    tokens = {token.index: token.name for token in listed.tokens}
    found: dict[str | int, Instrument | Unreadable] = {}
    for number, item in enumerate(read_each(listed.universe, lambda raw: _named_pair(_pair(raw), tokens))):
        found.setdefault(number if isinstance(item, Unreadable) else item.symbol, item)
    return list(found.values()), None


def _named_perpetual(raw: Raw) -> Instrument | None:
    row = _perpetual(raw)
    return None if row.isDelisted else guess(_PERP, row.name)


def _named_pair(pair: _Pair, tokens: Mapping[int, str]) -> Instrument:
    missing = [number for number in pair.tokens if number not in tokens]
    if missing:
        raise FrameError(f"{pair.name}: token {missing[0]} is not listed", field="universe.tokens")
    return make_instrument(VENUE_ID, "/".join(_token(tokens[number]) for number in pair.tokens), pair.name)


def _token(name: str) -> str:
    """A symbol's parts carry no slash and no colon, which a deployed token's name may."""
    return name.replace("/", "-").replace(":", "-")


def depth_call(instrument: Instrument) -> RestCall:
    """Ask for the best 20 levels a side."""
    return _call(_LIGHT, type="l2Book", coin=instrument.venue_symbol)


def decode_depth(body: bytes, instrument: Instrument, ts_recv: int, *, sim: bool) -> Decoded:
    """Read a book; it has a time and no sequence."""
    row = wire.decode_depth(body)
    if row.coin != instrument.venue_symbol:
        raise FrameError(f"coin: {row.coin!r} is not {instrument.venue_symbol!r}", field="coin")
    return make_book(
        instrument,
        f"rest-{row.time}",
        ts_event=row.time * wire.MS,
        ts_recv=ts_recv,
        sim=sim,
        bids=wire.read_levels(row.levels[0], "levels[0]"),
        asks=wire.read_levels(row.levels[1], "levels[1]"),
    )


def failure(status: int, headers: Mapping[str, str], body: bytes) -> RestFailure | None:
    """Judge an answer. Of a coin that does not exist the answer is `null`, whatever its status.

    429: the address spent its 1200 units of this minute
    (https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/rate-limits-and-user-limits).
    """
    text = body[:200].decode(errors="replace").strip()
    if status == _OK and text != "null":
        return None
    if status == _TOO_MANY:
        return RestFailure("too many requests", "429", named_pause(headers, _MINUTE))
    return RestFailure("nothing is known of that" if text in {"", "null"} else text, str(status))


REST: Final = RestFace(
    base_url="https://api.hyperliquid.xyz",
    budget=RestBudget(weight=1200, seconds=_MINUTE),
    instrument_calls=list_calls,
    decode_instruments=decode_instruments,
    depth_call=depth_call,
    decode_depth=decode_depth,
    failure=failure,
    history=HISTORY,
)
