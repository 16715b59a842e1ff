"""Texts of orders: the book that one is made on, its preview, what became of it, and lists. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from contracts.instrument import split_symbol
from contracts.services.replies.market import Orderbook
from contracts.services.trading.accounts import AccountInfo
from contracts.services.trading.orders import OrderInfo, OrderPage, Preview
from runtime.texts.figures import number
from runtime.texts.markup import Html, fit
from runtime.texts.reader import Reader
from runtime.texts.refusals import why


class Drafted(Protocol):
    """An order on its way."""

    @property
    def symbol(self) -> str:
        """Unified symbol."""
        ...

    @property
    def kind(self) -> str:
        """Side and type: `bm` buys at the market."""
        ...


def figure(value: Decimal | str | None) -> str:
    """Return a figure as it stands on a button."""
    return number(value)


def account(found: AccountInfo, reader: Reader) -> Html:
    """Return what an account has, and the question what to trade."""
    return fit([reader.say("trade.symbol", account=found.name, exchange=found.exchange), *balances(found, reader)])


def balances(found: AccountInfo, reader: Reader) -> list[Html]:
    """Return a line for each currency that an account has."""
    there = [one for one in found.balances if one.free or one.held]
    return [
        reader.say(
            "account.held" if one.held else "account.free",
            currency=one.currency,
            free=number(one.free),
            held=number(one.held),
        )
        for one in there
    ]


def book(found: Orderbook, account: AccountInfo, reader: Reader) -> Html:
    """Return the best prices of a symbol where an account trades it."""
    base, quote, *_ = split_symbol(found.symbol)
    return reader.say(
        "trade.book",
        symbol=found.symbol,
        exchange=found.exchange,
        account=account.name,
        bid=number(found.bids[0].price if found.bids else None),
        ask=number(found.asks[0].price if found.asks else None),
        free_base=_free(account, base),
        free_quote=_free(account, quote),
    )


def amount(draft: Drafted, free: Decimal, currency: str, reader: Reader) -> Html:
    """Return the question how much."""
    what = reader.say(f"order.kind_{draft.kind}")
    return reader.say("trade.amount", what=what, symbol=draft.symbol, free=number(free), currency=currency)


def preview(draft: Drafted, found: Preview, account: AccountInfo, reader: Reader) -> Html:
    """Return what an order would come to, and the question whether it is meant."""
    base, quote, *_ = split_symbol(draft.symbol)
    lines = [
        reader.say(
            "preview.head", what=reader.say(f"order.kind_{draft.kind}"), symbol=draft.symbol, account=account.name
        ),
        reader.say("preview.amount", amount=number(found.amount), base=base),
        reader.say("preview.price", price=number(found.price), quote=quote),
        reader.say("preview.fee", fee=number(found.fee), currency=found.fee_currency),
        reader.say(
            "preview.pays" if draft.kind.startswith("b") else "preview.gets", total=number(found.total), quote=quote
        ),
    ]
    if found.total is None:
        lines.append(reader.say("preview.thin"))
    if account.venue == "paper":
        lines.append(reader.say("preview.paper"))
    return fit(lines)


def placed(order: OrderInfo, reader: Reader) -> Html:
    """Return what became of an order that was confirmed."""
    return fit([reader.say(f"order.placed_{order.status}"), *_lines(order, reader)])


def cancelled(order: OrderInfo, reader: Reader) -> Html:
    """Return what is known of an order after it was to be cancelled."""
    ended = order.status in {"cancelled", "filled", "rejected"}
    return fit([reader.say(f"order.placed_{order.status}" if ended else "order.cancelling"), *_lines(order, reader)])


def listed(page: OrderPage, reader: Reader, *, only_open: bool) -> Html:
    """Return a page of orders."""
    if not page.items:
        return reader.say("orders.none_open" if only_open else "orders.none")
    head = reader.say("orders.open" if only_open else "orders.all", count=page.total, page=page.page, pages=page.pages)
    return fit([head, *(line for order in page.items for line in (Html(""), *_lines(order, reader)))])


def cancel_label(order: OrderInfo) -> str:
    """Return what the button says that cancels an order."""
    sign = "🟢" if order.side == "buy" else "🔴"
    at = "" if order.price is None else f" @ {number(order.price)}"
    return f"✖️ {sign} {number(order.amount)} {order.symbol}{at}"


def _lines(order: OrderInfo, reader: Reader) -> list[Html]:
    base, quote, *_ = split_symbol(order.symbol)
    kind = ("b" if order.side == "buy" else "s") + ("m" if order.type == "market" else "l")
    lines = [
        reader.say(
            "order.line",
            state=reader.say(f"order.state_{order.status}"),
            what=reader.say(f"order.kind_{kind}"),
            amount=number(order.amount),
            symbol=order.symbol,
            price=reader.say("order.at", price=number(order.price), quote=quote) if order.price is not None else "",
        )
    ]
    if order.filled:
        average = number(order.average_price)
        lines.append(reader.say("order.filled", filled=number(order.filled), base=base, average=average, quote=quote))
    if order.fee and order.fee_currency is not None:
        lines.append(reader.say("order.fee", fee=number(order.fee), currency=order.fee_currency))
    lines += why(order, reader)
    lines.append(reader.say("order.id", id=order.id, account=order.account, time=reader.moment(order.created_at)))
    return lines


def _free(account: AccountInfo, currency: str) -> str:
    found = next((one.free for one in account.balances if one.currency == currency), Decimal(0))
    return f"{number(found)} {currency}"
