"""`/trade`: from an account over symbol, side, price and amount to a preview, and to an order where it is confirmed."""

from __future__ import annotations

import secrets
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from pydantic import ValidationError

from bot.commands.alert_arguments import read_price
from bot.commands.visiting import Call, Press
from bot.market import Market
from bot.menus import COINS
from bot.page import Page, Rows, Visit, button, row, rows
from bot.texts.trading import orders as texts
from bot.trading.accounts import TradingServices, free_of, owner
from bot.trading.asking import ASK_SECONDS, until
from bot.trading.drafts import (
    KINDS,
    MARKET_PRICE,
    SHARES,
    Draft,
    mark_of,
    offered_prices,
    plain,
    read_draft,
    read_order,
    share_of,
)
from bot.trading.state import Asking
from contracts.errors import HydrophoneError
from contracts.instrument import split_symbol
from contracts.services.market import OrderbookQuery
from contracts.services.replies.market import Orderbook
from contracts.services.trading.accounts import AccountInfo
from contracts.services.trading.orders import CreateOrder, OrderInfo, Preview, PreviewOrder

DRAFT: Final = "t"
PLACE: Final = "tc"
TYPE: Final = "ti"
DISCARD: Final = "tx"
LIST: Final = "o"
CANCEL: Final = "oc"
TRY_STRATEGY: Final = "bs"
_CLIENT_BYTES: Final = 6
_DEPTH: Final = 5


class Trade:
    """Pages of an order on its way."""

    def __init__(self, trading: TradingServices, market: Market) -> None:
        self._trading, self._market = trading, market

    def presses(self) -> dict[str, Press]:
        """Return what the buttons do, by their action."""
        return {DRAFT: self.choose, PLACE: self.place, TYPE: self.type_in, DISCARD: self.discard}

    async def command(self, call: Call) -> Page:
        """Return the next question: `/trade`, `/trade BTC/USDT`, or a whole order in words."""
        visit, words = call.visit, call.arguments
        return await self._trading.services.pages.guarded(self._command(words, visit), " ".join(words[:1]), visit)

    async def choose(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        """Return the next question of a draft that a button carries."""
        if not arguments:
            return await self._trading.services.pages.guarded(self._command((), visit), "", visit)
        draft = read_draft(arguments)
        return None if draft is None else await self._guarded(draft, visit)

    async def discard(self, _arguments: tuple[str, ...], visit: Visit) -> Page:
        """Return that nothing was placed."""
        return Page(visit.reader.say("trade.discarded"), rows(row(button(visit.reader.plain("button.trade"), DRAFT))))

    async def type_in(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        """Wait for a price or an amount to be written."""
        draft = read_draft(arguments)
        if draft is None or not draft.kind:
            return None
        what = "amount" if draft.price else "price"
        asking = Asking(what=what, until=until(ASK_SECONDS), given={"draft": "|".join(draft.arguments())})
        try:
            await self._trading.state.ask(visit.user_id, asking)
        except HydrophoneError as error:
            return self._trading.services.pages.refused(error, "", visit)
        base, quote, *_ = split_symbol(draft.symbol)
        text = visit.reader.say(f"trade.type_{what}", currency=base if what == "amount" else quote)
        return Page(text, rows(row(button(visit.reader.plain("button.cancel"), DISCARD))))

    async def typed(self, asking: Asking, text: str, visit: Visit) -> Page:
        """Return the next question, after a price or an amount was written; what is none is asked for again."""
        arguments = tuple(asking.given["draft"].split("|"))
        figure = read_price(text)
        if figure is None:
            return await self.type_in(arguments, visit) or Page(visit.reader.say("trade.gone"))
        draft = read_draft(arguments) or Draft("")
        done = replace(draft, **{asking.what: figure})
        return await self._guarded(done, visit) or Page(visit.reader.say("trade.gone"))

    async def place(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        """Place the order of a preview; pressed again it is the same order."""
        *parts, client_id = arguments or ("",)
        draft = read_draft(parts)
        if draft is None or not draft.amount:
            return None
        try:
            return await self._place(draft, client_id, visit)
        except (ValueError, ValidationError):
            return None
        except HydrophoneError as error:
            return self._refused(error, draft, visit)

    async def _command(self, words: tuple[str, ...], visit: Visit) -> Page:
        accounts = (await self._trading.accounts(visit)).items
        read = read_order(words)
        if read is not None:
            draft, name = read
            account = accounts[0] if name is None else await self._trading.named(name, visit)
            return await self._with_symbol(draft, account, visit)
        if len(words) > 1 or (words and words[0].lower() in {"buy", "sell", "beli", "jual"}):
            return self._trading.services.pages.usage("trade", visit)
        if len(accounts) == 1 and not words:
            return self._ask_symbol(accounts[0], visit)
        if words and len(accounts) == 1:
            return await self._with_symbol(Draft("", words[0].upper()), accounts[0], visit)
        symbol = words[0].upper() if words else ""
        chosen = [button(f"{one.name} ({one.exchange})", DRAFT, mark_of(one.name), *((symbol,) if symbol else ()))
                  for one in accounts]  # fmt: skip
        return Page(visit.reader.say("trade.account"), rows(*(row(one) for one in chosen)))

    async def _guarded(self, draft: Draft, visit: Visit) -> Page | None:
        try:
            account = await self._trading.marked(draft.account, visit)
            return None if account is None else await self._next(draft, account, visit)
        except (ValueError, ValidationError):
            return None
        except HydrophoneError as error:
            return self._refused(error, draft, visit)

    async def _next(self, draft: Draft, account: AccountInfo, visit: Visit) -> Page:
        if not draft.symbol:
            return self._ask_symbol(account, visit)
        if not draft.kind:
            return await self._with_symbol(draft, account, visit)
        if not draft.price and draft.type == "market":
            return await self._ask_amount(replace(draft, price=MARKET_PRICE), account, visit)
        if not draft.price:
            return await self._ask_price(draft, account, visit)
        if not draft.amount:
            return await self._ask_amount(draft, account, visit)
        return await self._preview(draft, account, visit)

    def _ask_symbol(self, account: AccountInfo, visit: Visit) -> Page:
        found = [button(coin, DRAFT, mark_of(account.name), coin) for coin in COINS]
        text = texts.account(account, visit.reader)
        return Page(
            text, rows(row(*found[:3]), row(*found[3:]), row(button(visit.reader.plain("button.cancel"), DISCARD)))
        )

    async def _with_symbol(self, draft: Draft, account: AccountInfo, visit: Visit) -> Page:
        """Return the next question once the symbol is the one that the account's exchange has."""
        book = await self._book(draft.symbol, account)
        known = replace(draft, account=mark_of(account.name), symbol=book.symbol)
        if known.kind:
            return await self._preview(known, account, visit)
        reader = visit.reader
        choices = [button(reader.plain(f"button.{kind}"), DRAFT, *replace(known, kind=kind).arguments())
                   for kind in KINDS]  # fmt: skip
        text = texts.book(book, account, reader)
        return Page(
            text, rows(row(*choices[:2]), row(*choices[2:]), row(button(reader.plain("button.cancel"), DISCARD)))
        )

    async def _ask_price(self, draft: Draft, account: AccountInfo, visit: Visit) -> Page:
        book = await self._book(draft.symbol, account)
        best = _best(book, "bids" if draft.side == "buy" else "asks")
        offered = [] if best is None else offered_prices(draft.side, best)
        found = [button(texts.figure(price), DRAFT, *replace(draft, price=price).arguments())
                 for price in offered]  # fmt: skip
        return Page(
            texts.book(book, account, visit.reader), rows(row(*found[:2]), row(*found[2:]), _typing(draft, visit))
        )

    async def _ask_amount(self, draft: Draft, account: AccountInfo, visit: Visit) -> Page:
        base, quote, *_ = split_symbol(draft.symbol)
        buys = draft.side == "buy"
        free, price = free_of(account, quote if buys else base), None
        if buys:
            price = (
                Decimal(draft.price)
                if draft.type == "limit"
                else _best(await self._book(draft.symbol, account), "asks")
            )
        shares = {share: share_of(free, share, price) for share in SHARES} if price is not None or not buys else {}
        found = [button(f"{share}% · {texts.figure(amount)}", DRAFT, *replace(draft, amount=amount).arguments())
                 for share, amount in shares.items() if amount is not None]  # fmt: skip
        text = texts.amount(draft, free, quote if buys else base, visit.reader)
        return Page(text, rows(row(*found[:2]), row(*found[2:]), _typing(draft, visit)))

    async def _preview(self, draft: Draft, account: AccountInfo, visit: Visit) -> Page:
        token = await self._trading.token(account, visit)
        request = PreviewOrder(owner=owner(visit), account=account.name, token=token, **draft.terms())
        found = await self._trading.send("preview", request, Preview)
        fitted = replace(draft, amount=plain(found.amount))
        if draft.type == "limit" and found.price is not None:
            fitted = replace(fitted, price=plain(found.price))
        confirm = button(
            visit.reader.plain("button.place"), PLACE, *fitted.arguments(), secrets.token_urlsafe(_CLIENT_BYTES)
        )
        text = texts.preview(fitted, found, account, visit.reader)
        if confirm is None:
            text = visit.reader.say("trade.too_long")
        return Page(text, rows(row(confirm, button(visit.reader.plain("button.cancel"), DISCARD))))

    async def _place(self, draft: Draft, client_id: str, visit: Visit) -> Page | None:
        account = await self._trading.marked(draft.account, visit)
        if account is None:
            return None
        token = await self._trading.token(account, visit)
        named: dict[str, Any] = {"client_id": f"tg-{client_id}", "token": token}
        request = CreateOrder(owner=owner(visit), account=account.name, **named, **draft.terms())
        placed = await self._trading.send("create_order", request, OrderInfo)
        return Page(texts.placed(placed, visit.reader), order_rows(placed, visit))

    async def _book(self, symbol: str, account: AccountInfo) -> Orderbook:
        query = OrderbookQuery(symbol=symbol, exchange=account.exchange, depth=_DEPTH)
        return (await self._market.find("orderbook", query, Orderbook)).reply

    def _refused(self, error: HydrophoneError, draft: Draft, visit: Visit) -> Page:
        again = rows(row(button(visit.reader.plain("button.trade"), DRAFT)))
        return self._trading.services.pages.refused(error, draft.symbol, visit, again)


def order_rows(order: OrderInfo, visit: Visit) -> Rows:
    """Return the buttons below an order: cancel it while it is open, and the ways on."""
    reader = visit.reader
    cancel = (
        button(reader.plain("button.cancel_order"), CANCEL, order.id) if order.status in {"open", "pending"} else None
    )
    return rows(
        row(cancel), row(button(reader.plain("button.orders"), LIST), button(reader.plain("button.trade"), DRAFT))
    )


def _best(book: Orderbook, side: str) -> Decimal | None:
    levels = book.bids if side == "bids" else book.asks
    return Decimal(repr(levels[0].price)) if levels else None


def _typing(draft: Draft, visit: Visit) -> tuple[Any, ...]:
    reader = visit.reader
    return row(
        button(reader.plain("button.type_in"), TYPE, *draft.arguments()), button(reader.plain("button.cancel"), DISCARD)
    )
