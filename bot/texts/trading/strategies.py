"""Texts of strategies: lists, one with its profit, questions for a new one, and whether it is meant. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from bot.texts.trading.accounts import signed
from bot.trading.params import lines_of
from contracts.services.trading.accounts import AccountInfo
from contracts.services.trading.strategies import StrategyInfo, StrategyPage
from runtime.texts.markup import Html, fit
from runtime.texts.reader import Reader


class Drafted(Protocol):
    """A strategy that is to be confirmed."""

    @property
    def kind(self) -> str:
        """Name of its kind."""
        ...

    @property
    def symbol(self) -> str:
        """Unified symbol."""
        ...

    @property
    def params(self) -> Mapping[str, Any]:
        """What it is given."""
        ...


def listed(page: StrategyPage, reader: Reader) -> Html:
    """Return a page of strategies."""
    if not page.items:
        return reader.say("strategy.none")
    head = reader.say("strategy.head", count=page.total)
    return fit([head, *(_line(one, reader) for one in page.items)])


def label(one: StrategyInfo) -> str:
    """Return what the button says that shows a strategy."""
    return f"{one.kind} {one.symbol} · {one.id[:6]}"


def shown(one: StrategyInfo, reader: Reader) -> Html:
    """Return one strategy with what it has made."""
    profit, currency = one.profit, one.profit.currency
    lines = [_line(one, reader), *_params(one.params, reader)]
    earned = {"realized": signed(profit.realized), "unrealized": signed(profit.unrealized), "fees": signed(profit.fees)}
    lines.append(reader.say("strategy.profit", currency=currency, **earned))
    if profit.grid is not None:
        lines.append(
            reader.say("strategy.grid", grid=signed(profit.grid), trend=signed(profit.trend), currency=currency)
        )
    lines.append(reader.say("strategy.open_orders", count=one.open_orders))
    if one.reason is not None:
        lines.append(reader.say("strategy.reason", reason=one.reason))
    return fit([*lines, reader.say("strategy.made", id=one.id, time=reader.moment(one.created_at))])


def question(name: str, given: Mapping[str, str], reader: Reader, *, wrong: bool, optional: bool) -> Html:
    """Return the question for one param; `wrong` where what was written is none."""
    asked = reader.say(f"param.{name}")
    lines = [reader.say("strategy.wrong")] if wrong else []
    lines.append(reader.say("strategy.asked", kind=given["kind"], symbol=given["symbol"], question=asked))
    return fit([*lines, reader.say("strategy.skip")] if optional else lines)


def confirm(draft: Drafted, account: AccountInfo, reader: Reader) -> Html:
    """Return the question whether a strategy is meant."""
    head = reader.say(
        "strategy.confirm", kind=draft.kind, symbol=draft.symbol, account=account.name, exchange=account.exchange
    )
    tail = [reader.say("preview.paper")] if account.venue == "paper" else []
    return fit([head, *_params(draft.params, reader)], tail)


def _line(one: StrategyInfo, reader: Reader) -> Html:
    state = reader.say(f"strategy.state_{one.status}")
    return reader.say("strategy.row", state=state, kind=one.kind, symbol=one.symbol, account=one.account)


def _params(params: Mapping[str, Any], reader: Reader) -> list[Html]:
    return [reader.say("strategy.param", name=name, value=value) for name, value in lines_of(params)]
