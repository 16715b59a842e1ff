"""The trades of one hole on their way: when to fetch the next rows of a venue's history, and which. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contracts.instrument import Instrument
from producers.connection.trade_fill import Fill
from producers.venue import History, RestCall

FIRST_PAUSE: Final = 0.2  # seconds: history may be a little behind the stream
PAUSES: Final = (1.0, 3.0)  # before the newest rows are fetched again
OPEN_PAUSE: Final = 4.0  # after a connection is back, for what trades no more: history reaches so far by then


@dataclass(slots=True)
class Wanted:
    """The trades of one hole, on their way."""

    instrument: Instrument
    fill: Fill
    cause: str
    taken: bool = False  # the feed is fetching them

    @property
    def is_done(self) -> bool:
        """Whether nothing more is to be fetched."""
        return self.fill.next == "done"

    @property
    def pause(self) -> float:
        """Seconds before the next answer is fetched."""
        if self.fill.next == "older":
            return 0.0
        first = OPEN_PAUSE if self.fill.is_open else FIRST_PAUSE
        return first if not self.fill.tries else PAUSES[min(self.fill.tries, len(PAUSES)) - 1]

    def call(self, history: History) -> RestCall:
        """Return the call for the rows that are needed next."""
        older, oldest = history.older_trades_call, self.fill.oldest
        if self.fill.next == "older" and older is not None and oldest is not None:
            return older(self.instrument, history.most_trades, oldest)
        return history.trades_call(self.instrument, history.most_trades)
