"""`/strategy`: the list, one with its profit, and a new one by guided steps or in one line, which is confirmed."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from bot.commands.visiting import Call, Press
from bot.market import Market
from bot.menus import COINS, back_rows
from bot.page import Page, Visit, button, row, rows
from bot.texts.trading import strategies as texts
from bot.trading.accounts import TradingServices, caller_of, owner
from bot.trading.asking import ASK_SECONDS, until
from bot.trading.drafts import mark_of
from bot.trading.params import OPTIONAL, QUESTIONS, Written, read_param, read_params, read_strategy
from bot.trading.state import Asking, StrategyDraft
from bot.trading.trade import TRY_STRATEGY
from contracts.errors import HydrophoneError
from contracts.services.market import OrderbookQuery
from contracts.services.replies.market import Orderbook
from contracts.services.trading.accounts import AccountInfo
from contracts.services.trading.strategies import (
    ChangeStrategy,
    CreateStrategy,
    FindStrategy,
    ListStrategies,
    StrategyInfo,
    StrategyPage,
    StrategyShown,
)

LIST: Final = "st"
SHOW: Final = "sd"
NEW: Final = "sn"
CONFIRM: Final = "sc"
CHANGES: Final = {"sp": "pause", "sr": "resume", "sx": "stop"}
SHOWN: Final = 6  # of a page
_GIVEN: Final = "param."
_DRAFT_BYTES: Final = 6
M = TypeVar("M", bound=BaseModel)


class Strategies:
    """Pages of strategies."""

    def __init__(self, trading: TradingServices, market: Market) -> None:
        self._trading, self._market = trading, market

    def presses(self) -> dict[str, Press]:
        """Return what the buttons do, by their action."""
        changes: dict[str, Press] = {action: self._change(verb) for action, verb in CHANGES.items()}
        return {LIST: self.listed, SHOW: self.shown, NEW: self.new, CONFIRM: self.confirm, **changes}

    async def command(self, call: Call) -> Page:
        """Return the list, or the question whether the strategy that was written is meant."""
        visit, words = call.visit, call.arguments
        if not words:
            return await self.listed((), visit) or self._trading.services.pages.usage("strategy", visit)
        written = read_strategy(words)
        if written is None or not written.params:
            return self._trading.services.pages.usage("strategy", visit)
        return await self._trading.services.pages.guarded(self._written(written, visit), written.symbol, visit)

    async def listed(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        """Return a page of the list."""
        number = "".join(arguments) or "1"
        if not number.isdigit() or not int(number):
            return None
        reader = visit.reader
        new = row(button(reader.plain("button.new_strategy"), NEW))
        try:
            query = ListStrategies(owner=owner(visit), page=int(number), page_size=SHOWN)
            found = await self._send("list", query, StrategyPage)
        except HydrophoneError as error:
            return self._trading.services.pages.refused(error, "", visit, back_rows(reader))
        each = [row(button(texts.label(one), SHOW, one.id)) for one in found.items]
        turns = row(
            button("⬅️", LIST, str(int(number) - 1)) if int(number) > 1 else None,
            button("➡️", LIST, str(int(number) + 1)) if int(number) < found.pages else None,
        )
        return Page(texts.listed(found, reader), rows(*each, turns, new, *back_rows(reader)))

    async def shown(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        """Return one strategy with its buttons."""
        try:
            found = await self._send("find", FindStrategy(owner=owner(visit), id="".join(arguments)), StrategyInfo)
        except ValidationError:
            return None
        except HydrophoneError as error:
            return self._trading.services.pages.refused(error, "", visit)
        return self._page(found, visit)

    async def new(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        """Return the next question of a new strategy: kind, symbol, account, and then its params one by one."""
        reader = visit.reader
        if not arguments:
            kinds = [button(reader.plain(f"button.kind_{kind}"), NEW, kind) for kind in QUESTIONS]
            return Page(reader.say("strategy.kind"), rows(*(row(one) for one in kinds), row(button("⬅️", LIST))))
        kind, *rest = arguments
        if kind not in QUESTIONS or len(rest) > 2:  # noqa: PLR2004  # symbol and account
            return None
        if not rest:
            coins = [button(coin, NEW, kind, coin) for coin in COINS]
            return Page(reader.say("strategy.symbol"), rows(row(*coins[:3]), row(*coins[3:])))
        return await self._trading.services.pages.guarded(self._begin(kind, rest, visit), rest[0], visit)

    async def typed(self, asking: Asking, text: str, visit: Visit) -> Page:
        """Take one param, and return the next question, or whether all of it is meant."""
        given = asking.given
        name = _next_of(given) or ""
        skipped = text == "-" and name in OPTIONAL
        if not skipped and read_param(name, text) is None:
            return await self._ask(given, visit, wrong=True)
        given = {**given, _GIVEN + name: text}
        if _next_of(given) is not None:
            return await self._ask(given, visit)
        plain = {key.removeprefix(_GIVEN): value for key, value in given.items() if key.startswith(_GIVEN)}
        params = read_params(given["kind"], plain)
        if params is None:
            return Page(visit.reader.say("trade.gone"))
        written = Written(given["kind"], given["symbol"], params, given["account"])
        return await self._trading.services.pages.guarded(self._written(written, visit), written.symbol, visit)

    async def confirm(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        """Make the strategy that was confirmed; pressed again it is the same one."""
        try:
            draft = await self._trading.state.draft(visit.user_id, "".join(arguments))
            if draft is None:
                return None
            key = hashlib.sha256(f"{visit.user_id}.{draft.id}".encode()).hexdigest()[:48]
            known = draft.model_dump(exclude={"id"})
            request = CreateStrategy(caller=caller_of(visit), owner=owner(visit), request_key=key, **known)
            made = await self._send("create", request, StrategyShown)
        except ValidationError:
            return None
        except HydrophoneError as error:
            return self._trading.services.pages.refused(error, "", visit)
        return self._page(made, visit)

    async def _begin(self, kind: str, rest: list[str], visit: Visit) -> Page:
        accounts = (await self._trading.accounts(visit)).items
        if len(accounts) > 1 and len(rest) == 1:
            chosen = [
                row(button(f"{one.name} ({one.exchange})", NEW, kind, rest[0], mark_of(one.name))) for one in accounts
            ]
            return Page(visit.reader.say("trade.account"), rows(*chosen))
        account = next((one for one in accounts if mark_of(one.name) == "".join(rest[1:])), accounts[0])
        symbol = await self._symbol(rest[0], account)
        return await self._ask({"kind": kind, "symbol": symbol, "account": account.name}, visit)

    async def _ask(self, given: dict[str, str], visit: Visit, *, wrong: bool = False) -> Page:
        await self._trading.state.ask(visit.user_id, Asking(what="param", until=until(ASK_SECONDS), given=given))
        name = _next_of(given) or ""
        return Page(texts.question(name, given, visit.reader, wrong=wrong, optional=name in OPTIONAL))

    async def _written(self, written: Written, visit: Visit) -> Page:
        accounts = (await self._trading.accounts(visit)).items
        account = accounts[0] if written.account is None else await self._trading.named(written.account, visit)
        draft = StrategyDraft(
            id=secrets.token_urlsafe(_DRAFT_BYTES),
            account=account.name,
            kind=written.kind,
            symbol=await self._symbol(written.symbol, account),
            params=written.params,
        )
        await self._trading.state.keep_draft(visit.user_id, draft)
        reader = visit.reader
        confirm = button(reader.plain("button.start_strategy"), CONFIRM, draft.id)
        return Page(
            texts.confirm(draft, account, reader), rows(row(confirm, button(reader.plain("button.cancel"), LIST)))
        )

    async def _symbol(self, symbol: str, account: AccountInfo) -> str:
        query = OrderbookQuery(symbol=symbol, exchange=account.exchange, depth=1)
        return (await self._market.find("orderbook", query, Orderbook)).reply.symbol

    def _change(self, verb: str) -> Press:
        async def change(arguments: tuple[str, ...], visit: Visit) -> Page | None:
            try:
                request = ChangeStrategy(caller=caller_of(visit), owner=owner(visit), id="".join(arguments))
                found = await self._send(verb, request, StrategyInfo)
            except ValidationError:
                return None
            except HydrophoneError as error:
                return self._trading.services.pages.refused(error, "", visit)
            return self._page(found, visit)

        return change

    def _page(self, found: StrategyInfo, visit: Visit) -> Page:
        reader = visit.reader
        turn = {"running": "sp", "paused": "sr"}.get(found.status)
        change = None if turn is None else button(reader.plain(f"button.strategy_{CHANGES[turn]}"), turn, found.id)
        stop = None if turn is None else button(reader.plain("button.strategy_stop"), "sx", found.id)
        tried = button(reader.plain("button.backtest"), TRY_STRATEGY, found.id)
        ways = row(
            button(reader.plain("button.refresh"), SHOW, found.id), button(reader.plain("button.strategies_now"), LIST)
        )
        return Page(texts.shown(found, reader), rows(row(change, stop), row(tried), ways))

    async def _send(self, verb: str, request: BaseModel, reply: type[M]) -> M:
        return await self._trading.services.requests.request(f"strategies.{verb}", request, reply)


def _next_of(given: dict[str, str]) -> str | None:
    """Return the param that is asked for next; None where there is one of each."""
    return next((name for name in QUESTIONS[given["kind"]] if _GIVEN + name not in given), None)
