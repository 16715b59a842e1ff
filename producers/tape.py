"""The trade tape's continuity where a venue tells the newest trade's id in a heartbeat, pure."""

from __future__ import annotations


class Tape:
    """Remembers the newest trade id of each instrument of one connection."""

    def __init__(self) -> None:
        self._newest: dict[str, str] = {}

    def forget(self) -> None:
        """Begin a connection: what was missed meanwhile is known to be missed."""
        self._newest.clear()

    def on_trade(self, symbol: str, trade_id: str) -> None:
        """Note a trade that arrived."""
        self._newest[symbol] = trade_id

    def on_last_trade(self, symbol: str, trade_id: str) -> str | None:
        """Compare with the venue's word; gives what was lost, None where nothing was.

        Ids that are no numbers carry no order.
        """
        noted, told = self._newest.get(symbol, ""), int(trade_id)
        newest = int(noted) if noted.isdecimal() else None
        if newest is not None and told <= newest:
            return None
        self._newest[symbol] = trade_id
        return None if newest is None else f"trades {newest + 1} to {told} were not received"
