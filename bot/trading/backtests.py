"""`/backtest`: a strategy over the recorded past; its result, with the curve as a picture, comes when it is done."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from bot.commands.alert_arguments import read_span
from bot.commands.visiting import Call, Press
from bot.market import Market
from bot.menus import back_rows
from bot.page import Page, Rows, Visit, button, row, rows
from bot.texts.trading import backtests as texts
from bot.trading.accounts import TradingServices, owner
from bot.trading.params import Written, read_strategy
from bot.trading.trade import TRY_STRATEGY
from contracts.errors import HydrophoneError
from contracts.instrument import split_symbol
from contracts.services.market import OrderbookQuery
from contracts.services.replies.market import Orderbook
from contracts.services.trading.backtests import (
    BacktestInfo,
    BacktestPage,
    BacktestTerms,
    CreateBacktest,
    EquityPicture,
    FindBacktest,
    FindEquity,
    ListBacktests,
)
from contracts.services.trading.strategies import FindStrategy, StrategyInfo
from runtime import clock
from runtime.tasks import end_tasks

_log = structlog.get_logger("bot")
SHOW: Final = "bt"
ANYWAY: Final = "ba"
DAY: Final = 86_400
SHOWN: Final = 5
POLL_SECONDS: Final = 1.0
MOST_SECONDS: Final = 1800.0  # that a result is waited for; later it can be looked at
MOST_WAITING: Final = 200
UNDER_WAY: Final = frozenset({"queued", "running"})
BEGINS: Final = {"IDR": "100000000"}
_BEGIN: Final = "10000"
_ID: Final = re.compile(r"[0-9a-f]{16}")
M = TypeVar("M", bound=BaseModel)


class Backtests:
    """Pages of backtests, and the waiting for their results."""

    def __init__(self, trading: TradingServices, market: Market) -> None:
        self._trading, self._market = trading, market
        self._waiting: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Wait for no result any more."""
        await end_tasks(self._waiting)

    def presses(self) -> dict[str, Press]:
        """Return what the buttons do, by their action."""
        return {SHOW: self.shown, ANYWAY: self.anyway, TRY_STRATEGY: self.strategy}

    async def command(self, call: Call) -> Page:
        """Return the list, or that what was written is tried: a strategy's id or a strategy in words, and a span."""
        visit = call.visit
        spans = [span for word in call.arguments if (span := read_span(word)) is not None]
        words = [word for word in call.arguments if read_span(word) is None]
        if not words and not spans:
            return await self._list(visit)
        if len(words) == 1 and _ID.fullmatch(words[0]):
            return await self._of(words[0], spans, visit) or self._trading.services.pages.usage("backtest", visit)
        written = read_strategy(words)
        if written is None or not written.params or len(spans) > 1:
            return self._trading.services.pages.usage("backtest", visit)
        return await self._trading.services.pages.guarded(self._written(written, spans, visit), written.symbol, visit)

    async def strategy(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        """Try a strategy that there is over the last day."""
        return await self._of("".join(arguments), (), visit)

    async def shown(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        """Return what has become of a backtest."""
        try:
            found = await self._send("find", FindBacktest(owner=owner(visit), id="".join(arguments)), BacktestInfo)
            return await self._page(found, visit)
        except ValidationError:
            return None
        except HydrophoneError as error:
            return self._trading.services.pages.refused(error, "", visit)

    async def anyway(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        """Try once more what was refused, whatever of the span has data."""
        try:
            found = await self._send("find", FindBacktest(owner=owner(visit), id="".join(arguments)), BacktestInfo)
            terms = {name: getattr(found, name) for name in BacktestTerms.model_fields}
            return await self._create({**terms, "min_coverage": "0"}, visit)
        except ValidationError:
            return None
        except HydrophoneError as error:
            return self._trading.services.pages.refused(error, "", visit)

    async def _of(self, strategy_id: str, spans: Sequence[int], visit: Visit) -> Page | None:
        """Try a strategy that there is; None for what is no id."""
        requests = self._trading.services.requests
        try:
            query = FindStrategy(owner=owner(visit), id=strategy_id)
            found = await requests.request("strategies.find", query, StrategyInfo)
            written = Written(found.kind, found.symbol, found.params, found.account)
            return await self._written(written, spans, visit)
        except ValidationError:
            return None
        except HydrophoneError as error:
            return self._trading.services.pages.refused(error, strategy_id, visit)

    async def _written(self, written: Written, spans: Sequence[int], visit: Visit) -> Page:
        query = OrderbookQuery(symbol=written.symbol, depth=1)
        symbol = (await self._market.find("orderbook", query, Orderbook)).reply.symbol
        base, quote, *_ = split_symbol(symbol)
        balance = {quote: BEGINS.get(quote, _BEGIN)}
        if written.kind == "tpsl":  # it sells what there is
            balance[base] = str(written.params.get("amount", "1"))
        end = datetime.fromtimestamp(clock.now_ns() // 10**9, UTC)
        begin = end - timedelta(seconds=spans[0] if spans else DAY)
        strategy = {"kind": written.kind, "symbol": symbol, "params": written.params}
        span = {"from": begin.isoformat(), "to": end.isoformat()}
        try:
            return await self._create({"strategy": strategy, "balance": balance, **span}, visit)
        except ValidationError:
            return self._trading.services.pages.usage("backtest", visit)

    async def _create(self, terms: dict[str, Any], visit: Visit) -> Page:
        made = await self._send("create", CreateBacktest(owner=owner(visit), **terms), BacktestInfo)
        if len(self._waiting) < MOST_WAITING:
            task = asyncio.create_task(self._wait(made.id, visit), name=f"backtest {made.id}")
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)
        return Page(texts.queued(made, visit.reader), self._again(made, visit))

    async def _wait(self, backtest_id: str, visit: Visit) -> None:
        """Send the result once there is one."""
        deadline = clock.monotonic() + MOST_SECONDS
        while clock.monotonic() < deadline:
            await clock.sleep(POLL_SECONDS)
            try:
                found = await self._send("find", FindBacktest(owner=owner(visit), id=backtest_id), BacktestInfo)
                if found.status not in UNDER_WAY:
                    page = await self._page(found, visit)
                    await self._trading.services.outbox.send(replace(visit, key=f"bot.backtest.{backtest_id}"), page)
                    return
            except HydrophoneError as error:
                _log.debug("bot.backtest_waits", error=str(error))

    async def _page(self, found: BacktestInfo, visit: Visit) -> Page:
        if found.status != "done":
            return Page(texts.queued(found, visit.reader), self._again(found, visit))
        picture = await self._send("equity", FindEquity(owner=owner(visit), id=found.id), EquityPicture)
        return Page(texts.done(found, visit.reader), (), base64.b64decode(picture.png))

    async def _list(self, visit: Visit) -> Page:
        try:
            query = ListBacktests(owner=owner(visit), page_size=SHOWN)
            found = await self._send("list", query, BacktestPage)
        except HydrophoneError as error:
            return self._trading.services.pages.refused(error, "", visit, back_rows(visit.reader))
        each = [row(button(texts.label(one), SHOW, one.id)) for one in found.items]
        return Page(texts.listed(found, visit.reader), rows(*each, *back_rows(visit.reader)))

    def _again(self, found: BacktestInfo, visit: Visit) -> Rows:
        reader = visit.reader
        if found.status == "refused":
            return rows(row(button(reader.plain("button.anyway"), ANYWAY, found.id)))
        return rows(row(button(reader.plain("button.refresh"), SHOW, found.id)))

    async def _send(self, verb: str, request: BaseModel, reply: type[M]) -> M:
        return await self._trading.services.requests.request(f"backtests.{verb}", request, reply)
