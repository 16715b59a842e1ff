"""KuCoin futures' decoder: every push says whose it is in its topic."""

from __future__ import annotations

from producers.families.kucoin_decoder import TopicDecoder
from producers.normalize.events import Makers
from producers.venue import Decoder, FindInstrument
from producers.venues.kucoinfutures.events import ROUTES, SKIPPED


def make_decoder(market: str, find: FindInstrument, *, makers: Makers) -> Decoder:  # noqa: ARG001 - there is one market
    """Return the decoder of a new connection."""
    return TopicDecoder(find, ROUTES, SKIPPED, lambda _head, name: name, makers=makers)
