"""KuCoin spot's decoder: whose a push is that does not say it in its topic."""

from __future__ import annotations

from producers.families.kucoin_decoder import Head, TopicDecoder
from producers.normalize.events import Makers
from producers.venue import Decoder, FindInstrument
from producers.venues.kucoin import wire
from producers.venues.kucoin.events import ROUTES, SKIPPED


def _symbol_of(head: Head, name: str) -> str:
    """Return whose a push is: `/market/ticker:all` says it in the subject, a whole market's snapshot in its data."""
    if name == "all" and head.subject is not None:
        return head.subject
    if head.topic is not None and head.topic.startswith("/market/snapshot:") and "-" not in name:
        return wire.read_symbol(bytes(head.data or b"")).day.symbol
    return name


def make_decoder(market: str, find: FindInstrument, *, makers: Makers) -> Decoder:  # noqa: ARG001 - there is one market
    """Return the decoder of a new connection."""
    return TopicDecoder(find, ROUTES, SKIPPED, _symbol_of, makers=makers)
