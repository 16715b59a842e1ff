"""Answers to `cmd.v1.market.<verb>` with `as_of`: read what an answer needs, compose it, until nothing is wanted."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from pydantic import BaseModel

from consumers.market.answering import Answer, Compose, Composed, encode, read_query
from consumers.market.liquidations.history import MINUTE, LiquidationHistory
from consumers.market.liquidations.map import WINDOWS, compose_map
from consumers.market.liquidations.reading import LiquidationReader
from consumers.market.listed import Listed
from consumers.market.mirrors import MirroredBucket
from consumers.market.past.documents import NotedBucket, PastBucket, list_pages
from consumers.market.past.listing import PastListing
from consumers.market.past.reading import Recording
from consumers.market.state import MarketState, Reader
from contracts import subjects
from contracts.arithmetic.moments import read_moment
from contracts.errors import HydrophoneError, InvalidParameterError, NotReadyError, TimedOutError
from contracts.schema.literals import iso
from contracts.services.market import (
    HealthQuery,
    LiquidationMapQuery,
    MultiOrderbookQuery,
    OrderbookQuery,
    PastQuery,
    TradesQuery,
)
from runtime import clock
from runtime.coverage.view import LedgerView
from runtime.nats.bus import NoAnswerError
from runtime.nats.streams.api import ApiRefusalError

AT_ONCE: Final = 2  # the bus reads back for each
SECONDS: Final = 2.5  # of one answer
MOST_PASSES: Final = 32  # what is read names what is needed beside: prices, then feeds, then rates; others read along
MOST_MOMENTS: Final = 8
_SETTLED_NS: Final = 1_000_000_000
_ASKED: Final = b'"as_of"'
_TRADES: Final = (subjects.STATE_TRADE, subjects.STATE_TRADES_PAGE)


def is_past(body: bytes) -> bool:
    """Return whether a request may be about the past: its text names the parameter."""
    return _ASKED in body


@dataclass(slots=True)
class Moment:
    """What was read of one moment (ns UTC); `listed`: what exchanges listed."""

    at_ns: int
    state: PastBucket
    listed: Listed
    coverage: PastBucket = field(default_factory=PastBucket)
    maps: dict[tuple[str, int], LiquidationHistory] = field(default_factory=dict[tuple[str, int], LiquidationHistory])


@dataclass(frozen=True, slots=True, kw_only=True)
class Recordings:
    """Where versions are read: of lists of trades, of books, and of everything else."""

    trades: Recording
    books: Recording
    rest: Recording

    def list_used(self, query: PastQuery) -> tuple[Recording, ...]:
        """Return those that an answer needs."""
        if isinstance(query, TradesQuery):
            return (self.rest, self.trades)
        return (self.rest, self.books) if isinstance(query, OrderbookQuery | MultiOrderbookQuery) else (self.rest,)

    def split(self, keys: Iterable[str]) -> list[tuple[Recording, list[str]]]:
        """Return keys of documents of the state, sorted, by where they are read."""
        found: dict[str, list[str]] = {"trades": [], "books": [], "rest": []}
        for key in sorted(keys):
            kind = "trades" if key.startswith(_TRADES) else "books" if key.startswith(subjects.STATE_BOOK) else "rest"
            found[kind].append(key)
        return [(self.trades, found["trades"]), (self.books, found["books"]), (self.rest, found["rest"])]


class PastAnswers:
    """Composes answers as they were, a few at a time; the last moments' documents are kept.

    `buckets` are the state's and the ledger's, `sources` give what was listed, and the liquidations of a map.
    """

    def __init__(
        self,
        live: MarketState,
        recordings: Recordings,
        buckets: tuple[MirroredBucket, MirroredBucket],
        sources: tuple[PastListing, MapReader],
    ) -> None:
        self._live = live
        self._listing, self._maps = sources
        self._recordings = recordings
        self._state, self._coverage = buckets
        self._moments: OrderedDict[int, Moment] = OrderedDict()
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def answer(self, model: type[BaseModel], compose: Compose | None, body: bytes) -> Answer | None:
        """Answer a request's body; None for one about now. Refusals are raised: of the future, and of what is gone.

        Without a `compose` a liquidation map is.
        """
        query = cast("PastQuery", read_query(model, body))
        if query.as_of is None:
            return None
        at_ns = read_moment(query.as_of)
        try:
            async with asyncio.timeout(SECONDS), self._turns:
                used = self._recordings.list_used(query)
                since = max([await _check_reach(recording, at_ns) for recording in used])
                composed = await self.compose(compose, query, at_ns)
        except TimeoutError:
            raise TimedOutError(f"The past was not read within {SECONDS} s", parameter="as_of") from None
        except (ApiRefusalError, NoAnswerError) as error:
            raise NotReadyError("What was recorded cannot be read", waiting_for=["stream PAST"]) from error
        return encode(_dated(composed, query, at_ns, since)).render(at_ns)

    async def compose(self, compose: Compose | None, query: PastQuery, at_ns: int) -> Composed:
        """Compose an answer as it was at a moment (ns UTC); raises what it was refused with then."""
        moment = await self._find_moment(at_ns)
        if compose is None:
            compose = await self._with_map(moment, cast("LiquidationMapQuery", query))
        self._want(moment, compose, query)
        await self._read(moment)
        for _ in range(MOST_PASSES):
            state = self._live.over(moment.state, LedgerView(moment.coverage.get), moment.listed)
            composed: Composed | HydrophoneError
            try:
                composed = compose(Reader(state, at_ns), query)
            except HydrophoneError as error:
                composed = error
            if not moment.state.wanted and not moment.coverage.wanted:
                break
            await self._read(moment)
        else:
            raise NotReadyError("What was recorded cannot be read", waiting_for=["stream PAST"])
        if isinstance(composed, HydrophoneError):
            raise composed
        return composed

    def _want(self, moment: Moment, compose: Compose, query: PastQuery) -> None:
        """Want what an answer of now is composed of, so that it is read at once; the rest is found on the way."""
        state, coverage = NotedBucket(self._state.get, self._live.bucket.keys), NotedBucket(self._coverage.get)
        with suppress(HydrophoneError):  # of now; that of then is another matter
            compose(Reader(self._live.over(state, LedgerView(coverage.get), moment.listed), moment.at_ns), query)
        for key in state.asked | list_pages(state.asked):
            moment.state.get(key)
        for key in coverage.asked:
            moment.coverage.get(key)

    async def _find_moment(self, at_ns: int) -> Moment:
        moment = self._moments.get(at_ns)
        if moment is None:
            moment = Moment(at_ns, PastBucket(self._live.bucket.keys), await self._listing.find(at_ns))
            if clock.now_ns() - at_ns < _SETTLED_NS:  # what it had may still be on its way
                return moment
            self._moments[at_ns] = moment
        self._moments.move_to_end(at_ns)
        if len(self._moments) > MOST_MOMENTS:
            self._moments.popitem(last=False)
        return moment

    async def _read(self, moment: Moment) -> None:
        wanted = [
            *((*place, self._state, moment.state) for place in self._recordings.split(moment.state.wanted)),
            (self._recordings.rest, sorted(moment.coverage.wanted), self._coverage, moment.coverage),
        ]
        needed = [
            (held, recording.read(bucket, keys, moment.at_ns)) for recording, keys, bucket, held in wanted if keys
        ]
        found = await asyncio.gather(*(reading for _, reading in needed))
        for (held, _), documents in zip(needed, found, strict=True):
            held.save(documents)

    async def _with_map(self, moment: Moment, query: LiquidationMapQuery) -> Compose:
        """Return what composes the map of the liquidations of then."""
        state = self._live.over(moment.state, LedgerView(moment.coverage.get), moment.listed)
        base, minutes = state.find_listed(query.symbol).base, WINDOWS[query.window].minutes
        history = moment.maps.get((base, minutes))
        if history is None:
            history = moment.maps[base, minutes] = await self._maps(base, minutes, moment.at_ns)
        return lambda reader, query: compose_map(reader, query, history)


MapReader = Callable[[str, int, int], Any]
"""Returns (awaited) the history of a base's last minutes before a moment."""


def read_maps(reader: Callable[[LiquidationHistory], LiquidationReader]) -> MapReader:
    """Return what reads the liquidations of a base's last minutes, through the fold of the live history."""

    async def read(base: str, minutes: int, at_ns: int) -> LiquidationHistory:
        history = LiquidationHistory()
        await reader(history).read_span(base, (at_ns - (minutes + 1) * MINUTE, at_ns))
        return history

    return read


async def _check_reach(recording: Recording, at_ns: int) -> int:
    """Return how far back can be seen; raises InvalidParameterError for a moment that cannot."""
    if at_ns > clock.now_ns():
        raise InvalidParameterError("Parameter as_of must not be in the future", parameter="as_of")
    since = await recording.find_reach()
    if since is None:
        raise NotReadyError("Nothing was recorded yet", waiting_for=["stream PAST"])
    if at_ns < since:
        raise InvalidParameterError(
            f"Parameter as_of: nothing can be seen from before {iso(since)}", parameter="as_of", seen_since=iso(since)
        )
    return since


def _dated(composed: Composed, query: PastQuery, at_ns: int, since: int) -> Composed:
    """Add the moment, and how far back can be seen; an `as_of` of the answer's own, of its totals, stays."""
    dates = {"as_of": iso(at_ns), "seen_since": iso(since)}
    document = composed.document
    if isinstance(document, dict) and not isinstance(query, HealthQuery):  # whose members are venues
        own = cast("dict[str, Any]", document)
        document = {**own, **dates, **own}  # of a list the first member is what the answer is about
    return replace(composed, document=document, beside={**composed.beside, **dates})
