"""The documents of paper accounts: one each with its money, its orders and what of the books has filled it.

An order that ends is written with the account, in one step, and moves into a collection of its own at the next write.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from consumers.execution.documents.journal import read_fills, write_fills
from consumers.execution.ports import ChangedElsewhereError
from runtime.store import AlreadyThereError, Collection, Document, Store
from runtime.trading.figures import Fees
from runtime.trading.paper.account import PaperAccount, PaperOrder
from runtime.trading.paper.ladder import Ladder, Shown
from runtime.trading.paper.market import PaperMarket, Resting

ACCOUNTS: Final = "trading_paper"
ENDED: Final = "trading_paper_ended"
_MOST_CLAIMS: Final = 5  # against one that writes it meanwhile


class PaperStore:
    """Where one paper account is kept; `version` is that of the document that was read or written last.

    `token` gives the fencing token of who acts for it, 0 where that is not sure now: a larger one has taken the account
    over, and a lower one reads and writes nothing from then on. Until then who had it may still cancel what is open.
    """

    def __init__(self, store: Store, account_id: str, fees: Fees, token: Callable[[], int]) -> None:
        self._accounts: Collection = store.collection(ACCOUNTS)
        self._ended: Collection = store.collection(ENDED)
        self._id, self.fees, self._token = account_id, fees, token
        self._largest = 0
        self.version = 0

    async def load(self, balance: Mapping[str, Decimal]) -> PaperAccount:
        """Return the account as it was written, taken over; with the balance that it begins with where it was not.

        ChangedElsewhereError where another process has taken it over, or is writing it still.
        """
        for _ in range(_MOST_CLAIMS):
            document = await self._accounts.find_one({"_id": self._id})
            holder = 0 if document is None else document.get("fence", 0)
            self.version = 0 if document is None else document["version"]
            account = PaperAccount(dict(balance), self.fees) if document is None else read_account(document, self.fees)
            if holder == self._own_token():
                return account
            if await self._claim(account, holder):
                return account
        raise ChangedElsewhereError(f"paper account {self._id} is written elsewhere still")

    async def _claim(self, account: PaperAccount, holder: int) -> bool:
        """Take the account over from whoever acted for it before; False where that one has just written it."""
        if holder > self._own_token():
            raise ChangedElsewhereError(f"another process acts for paper account {self._id}")
        try:
            await self.save(write_account(account), ())
        except ChangedElsewhereError:
            return False
        return True

    async def save(self, document: Document, moved: Sequence[PaperOrder]) -> None:
        """Write an account over what was read or written last; ChangedElsewhereError where that is not there.

        `moved` are orders that stand in what was written last as ended, and not in the document any more.
        """
        if not (token := self._own_token()):
            raise ChangedElsewhereError(f"this process has never acted for paper account {self._id}")
        for order in moved:
            key = f"{self._id}.{order.client_id}"
            await self._ended.replace_one({"_id": key}, {"_id": key, **write_order(order)}, upsert=True)
        before, after = self.version, self.version + 1
        document = {"version": after, "fence": token, **document}
        if before == 0:
            try:
                await self._accounts.insert_one({"_id": self._id, **document})
            except AlreadyThereError:
                raise ChangedElsewhereError(f"paper account {self._id} was made elsewhere") from None
        else:
            wanted = {"_id": self._id, "version": before}
            done = await self._accounts.replace_one(wanted, document)
            if not done.matched_count:
                raise ChangedElsewhereError(f"paper account {self._id} is not as it was read")
        self.version = after

    def _own_token(self) -> int:
        """Return the largest token that this process has had."""
        self._largest = max(self._largest, self._token())
        return self._largest

    async def find_ended(self, client_id: str) -> PaperOrder | None:
        """Return an order that has ended, and is not with the account any more."""
        document = await self._ended.find_one({"_id": f"{self._id}.{client_id}"})
        return None if document is None else read_order(document)


def write_account(account: PaperAccount, moved: Container[str] = ()) -> Document:
    """Return an account as it is kept, without id and version, nor the ended orders that are `moved`."""
    return {
        "number": account.number,
        "balances": [[name, f"{amount:f}"] for name, amount in account.balances.items()],
        "orders": [write_order(order) for order in account.orders.values()],
        "ended": [write_order(order) for name, order in account.ended.items() if name not in moved],
        "touched": [
            [symbol, _write_levels(market.bids), _write_levels(market.asks)]
            for symbol, market in account.markets.items()
        ],
    }


def read_account(document: Document, fees: Fees) -> PaperAccount:
    """Return the account of a document; what rests is at the end of its queue again."""
    account = PaperAccount({name: Decimal(text) for name, text in document["balances"]}, fees)
    account.number = document["number"]
    for symbol, bids, asks in document["touched"]:
        account.markets[symbol] = PaperMarket(Ladder("buy", _read_levels(bids)), Ladder("sell", _read_levels(asks)))
    for order in sorted(map(read_order, document["orders"]), key=lambda one: one.number):
        account.orders[order.client_id] = order
        if order.price is not None:
            account.market(order.symbol).rest(Resting(order.client_id, order.side, order.price, order.left))
    account.ended = {one.client_id: one for one in map(read_order, document["ended"])}
    return account


def write_order(order: PaperOrder) -> Document:
    """Return an order as it is kept."""
    return {
        "number": order.number,
        "client_id": order.client_id,
        "symbol": order.symbol,
        "side": order.side,
        "type": order.type,
        "amount": f"{order.amount:f}",
        "price": None if order.price is None else f"{order.price:f}",
        "status": order.status,
        "reason": order.reason,
        "fills": write_fills(order.fills),
    }


def read_order(document: Document) -> PaperOrder:
    """Return the order of a document."""
    fields: dict[str, Any] = {name: document[name] for name in ("client_id", "symbol", "side", "type")}
    return PaperOrder(
        number=document["number"],
        amount=Decimal(document["amount"]),
        price=None if document["price"] is None else Decimal(document["price"]),
        status=document["status"],
        reason=document["reason"],
        fills=read_fills(document["fills"]),
        **fields,
    )


def _write_levels(ladder: Ladder) -> list[list[str]]:
    return [[f"{price:f}", f"{shown.amount:f}", f"{shown.left:f}"] for price, shown in ladder.touched().items()]


def _read_levels(levels: Sequence[Sequence[str]]) -> dict[Decimal, Shown]:
    return {Decimal(price): Shown(Decimal(amount), Decimal(left)) for price, amount, left in levels}
