"""Texts of accounts: what is in them, what they are worth, that one was linked, and what a stop confirmed. Pure."""

from __future__ import annotations

from decimal import Decimal

from bot.texts.trading.orders import balances
from contracts.services.trading.accounts import AccountInfo, AccountList, Killed
from contracts.services.trading.portfolio import Holding, Portfolio
from runtime.texts.figures import number
from runtime.texts.markup import Html, code, fit, join
from runtime.texts.reader import Reader

MOST_IDS = 20  # of orders that a stop names


def listed(found: AccountList, reader: Reader) -> Html:
    """Return a user's accounts with what is in them."""
    lines = [reader.say("account.head"), *([reader.say("kill.halted")] if found.halted else [])]
    for one in found.items:
        key = "account.paper" if one.venue == "paper" else "account.live"
        lines += [reader.say(key, name=one.name, exchange=one.exchange), *balances(one, reader)]
        lines += [] if one.problem is None else [reader.say("order.reason", reason=one.problem)]
    return fit(lines, [reader.say("account.hint")])


def linked(found: AccountInfo, reader: Reader) -> Html:
    """Return that an account was linked."""
    return fit([reader.say("link.done", name=found.name, venue=found.venue), *balances(found, reader)])


def portfolio(found: Portfolio, reader: Reader) -> Html:
    """Return what a user has, what it is worth, and what it has earned."""
    totals, currency = found.totals, found.currency
    lines = [reader.say("portfolio.head", value=money(totals.value), currency=currency)]
    earned = {"realised": signed(totals.realised), "unrealised": signed(totals.unrealised)}
    lines.append(reader.say("portfolio.earned", currency=currency, **earned))
    lines += [_holding(one, reader) for one in found.items if one.free or one.held]
    of_strategies = [one for one in found.strategies if one.strategy is not None]
    if of_strategies:
        lines.append(reader.say("portfolio.strategies"))
    for one in of_strategies:
        profit = {"realised": signed(one.realised), "unrealised": signed(one.unrealised)}
        lines.append(reader.say("portfolio.strategy", id=one.strategy, symbol=one.symbol, **profit))
    tail = [reader.say("portfolio.unpriced", names=join(found.unpriced, ", "))] if found.unpriced else []
    tail += [reader.say("portfolio.pending")] if found.pending else []
    return fit(lines, tail)


def killed(done: Killed, reader: Reader) -> Html:
    """Return what a stop of all trading confirmed, and what is waited for still."""
    lines = [reader.say("kill.done", count=len(done.cancelled))]
    lines += [reader.say("kill.order", id=code(one)) for one in done.cancelled[:MOST_IDS]]
    if done.waiting:
        lines.append(reader.say("kill.waiting", count=len(done.waiting)))
        lines += [reader.say("kill.order", id=code(one)) for one in done.waiting[:MOST_IDS]]
    return fit(lines, [reader.say("kill.how")])


def _holding(one: Holding, reader: Reader) -> Html:
    amount = one.free + one.held
    known = {"account": one.account, "asset": one.asset, "amount": number(amount)}
    if one.value is None:
        return reader.say("portfolio.unvalued", **known)
    if one.cost is None or not one.costed:
        return reader.say("portfolio.row", **known, value=money(one.value))
    return reader.say("portfolio.profit", **known, value=money(one.value), unrealised=signed(one.unrealised))


def money(value: Decimal | None) -> str:
    """Return money to the cent; what is less than one with all its digits."""
    if value is None:
        return number(None)
    return number(round(value, 2)) if abs(value) >= 1 else number(value)


def signed(value: Decimal | None) -> str:
    """Return money with its sign."""
    text = money(value)
    return f"+{text}" if value is not None and value > 0 else text
