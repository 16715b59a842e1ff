"""The trade tape's continuity where a venue tells the newest trade's id in a heartbeat, pure."""

from __future__ import annotations


class Tape:
    """Remembers the newest trade id of each instrument of one connection."""

    def __init__(self) -> None:
        self._newest: dict[str, int] = {}

    def forget(self) -> None:
        """Begin a connection: what was missed meanwhile is known to be missed."""
        self._newest.clear()

    def on_trade(self, symbol: str, trade_id: str) -> None:
        """Note a trade that arrived; ids that are no numbers carry no order."""
        if trade_id.isdecimal():
            self._newest[symbol] = int(trade_id)

    def on_last_trade(self, symbol: str, trade_id: str) -> str | None:
        """Compare with the venue's word; gives what was lost, None where nothing was."""
        newest = self._newest.get(symbol)
        told = int(trade_id)
        self._newest[symbol] = max(told, newest or 0)
        if newest is None or told <= newest:
            return None
        return f"trades {newest + 1} to {told} were not received"
