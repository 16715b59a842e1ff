"""The recordings of Bitfinex, and where their expected records mean other things."""

from __future__ import annotations

from typing import Final

from tests.producers.frames.cases.case import Case, Record


def with_market_letter(record: Record, raw: str) -> Record:
    """Tardis writes a pair without the letter that the venue puts before the symbols of trading."""
    return {**record, "symbol": f"t{record['symbol']}"}


def sums_of_levels(record: Record, raw: str) -> Record:
    """Tardis takes the sizes of Bitfinex's ticker for the best levels'; they are sums of 25, and we say null."""
    return {**record, "bidAmount": None, "askAmount": None} if record["type"] == "book_ticker" else record


CASES: Final = (
    Case(folder="bitfinex", name="cryptofeed_ws11", venue="bitfinex", market="public"),
    Case(
        folder="bitfinex",
        name="tardis_bitfinex",
        venue="bitfinex",
        market="public",
        translate=(with_market_letter, sums_of_levels),
        unlisted=frozenset({"trade"}),  # tardis leaves out the prints with which a channel begins
        undecodable={0: "was not subscribed"},  # the recording begins after that channel's acknowledgement
    ),
)
