"""Popular symbols asked for once at the start, in the background, so that the first client does not wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

import structlog
from pydantic import ValidationError

from contracts.errors import HydrophoneError, NotReadyError
from contracts.services.analytics import Stats, StatsQuery
from contracts.services.market import LONGEST_SYMBOL, HealthQuery, MarketQuery, OhlcQuery, RawQuery
from runtime import clock, retry
from runtime.clients.command_client import CommandClient
from runtime.clients.market_client import MarketClient, encode_query

MOST_SYMBOLS: Final = 32
AT_ONCE: Final = 4
_UNTIL_THERE: Final = retry.Policy(wait_initial=0.2, wait_max=5.0, jitter=0.2)
_log = structlog.get_logger("cache")
Popular = Callable[[], Awaitable[Sequence[str]]]


async def most_requested(commands: CommandClient) -> Sequence[str]:
    """Return the symbols that were requested most in the last day; none where nobody keeps figures of it."""
    try:
        stats = await commands.request("analytics.stats", StatsQuery(), Stats)
    except (HydrophoneError, ValidationError):  # of another version: the start does not depend on it
        return ()
    return [symbol.name for symbol in stats.symbols]


async def warm_up(market: MarketClient, symbols: Sequence[str], popular: Popular) -> None:
    """Request the snapshot and the usual candles of the symbols and of the most requested ones, each once."""
    await _wait_for_core(market)
    wanted = choose(symbols, await popular())
    limit = asyncio.Semaphore(AT_ONCE)

    async def ask(verb: str, query: MarketQuery) -> bool:
        async with limit:
            try:
                await market.request(verb, encode_query(query))
            except HydrophoneError:  # nothing of it has arrived yet, or no exchange lists it: nobody waits for it
                return False
            return True

    asked = [ask("raw", RawQuery(symbol=symbol)) for symbol in wanted]
    asked += [ask("ohlc", OhlcQuery(symbol=symbol)) for symbol in wanted]
    answered = await asyncio.gather(*asked)
    _log.info("cache.warmed", symbols=len(wanted), answered=sum(answered), unanswered=answered.count(False))


def choose(symbols: Iterable[str], popular: Iterable[str]) -> list[str]:
    """Return the symbols to warm up, each once, the popular ones first, at most MOST_SYMBOLS."""
    named = (symbol.strip().upper() for symbol in (*popular, *symbols))
    return [symbol for symbol in dict.fromkeys(named) if 0 < len(symbol) <= LONGEST_SYMBOL][:MOST_SYMBOLS]


async def _wait_for_core(market: MarketClient) -> None:
    for delay in retry.delays(_UNTIL_THERE):
        try:
            await market.request("health", encode_query(HealthQuery()))
        except NotReadyError:
            if not market.answered:
                await clock.sleep(delay)
                continue
        return
