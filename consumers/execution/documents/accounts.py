"""The documents of accounts, and what of changes is to be written into the audit trail still."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from consumers.execution.account import Account
from contracts.errors import AlreadyExistsError
from contracts.services.audit import AuditEvent
from contracts.services.trading.accounts import Limits
from contracts.services.trading.sealed import SealedText
from runtime.store import AlreadyThereError, Collection, Document, IndexSpec, Store

ACCOUNTS: Final = "trading_accounts"
AUDIT: Final = "trading_audit"
INDEXES: Final = (IndexSpec(ACCOUNTS, ("owner", "name"), unique=True, where={"deleted": False}),)


class AccountStore:
    """Accounts by owner and name; one that was taken away gives its name free, its orders stay."""

    def __init__(self, store: Store) -> None:
        self._accounts: Collection = store.collection(ACCOUNTS)
        self._audit: Collection = store.collection(AUDIT)

    async def create(self, account: Account, credential: SealedText | None = None) -> None:
        """Keep a new account with its sealed key; AlreadyExistsError where the owner has one of that name."""
        sealed = None if credential is None else credential.model_dump()
        try:
            await self._accounts.insert_one({**_document(account), "credential": sealed})
        except AlreadyThereError:
            message = f"There is an account {account.name} already"
            raise AlreadyExistsError(message, name=account.name) from None

    async def delete(self, account_id: str) -> None:
        """Take an account away; its sealed key is destroyed with it."""
        await self._accounts.update_one({"_id": account_id}, {"$set": {"deleted": True, "credential": None}})

    async def find_credential(self, account_id: str) -> SealedText | None:
        """Return the sealed key of an account; None where it has none, or it was destroyed."""
        document = await self._accounts.find_one({"_id": account_id}, {"credential": 1})
        sealed = None if document is None else document.get("credential")
        return None if sealed is None else SealedText.model_validate(sealed)

    async def list_sealed(self) -> list[tuple[Account, SealedText]]:
        """Return every account that has a sealed key, with it."""
        found = self._accounts.find({"credential": {"$ne": None}})
        return [(_read(one), SealedText.model_validate(one["credential"])) async for one in found]

    async def replace_credential(self, account_id: str, before: SealedText, after: SealedText) -> bool:
        """Keep a sealed key in place of another; False where that one is not there any more."""
        wanted = {"_id": account_id, "credential": before.model_dump()}
        done = await self._accounts.update_one(wanted, {"$set": {"credential": after.model_dump()}})
        return bool(done.matched_count)

    async def find(self, owner: str, name: str) -> Account | None:
        """Return the account of an owner."""
        document = await self._accounts.find_one({"owner": owner, "name": name, "deleted": False})
        return None if document is None else _read(document)

    async def find_id(self, account_id: str) -> Account | None:
        """Return the account of an id, one that was taken away as well."""
        document = await self._accounts.find_one({"_id": account_id})
        return None if document is None else _read(document)

    async def list_accounts(self, owner: str) -> list[Account]:
        """Return an owner's accounts by name."""
        found = self._accounts.find({"owner": owner, "deleted": False}).sort([("name", 1)])
        return [_read(document) async for document in found]

    async def names(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the names of accounts by their ids."""
        found = self._accounts.find({"_id": {"$in": list(ids)}}, {"name": 1})
        return {document["_id"]: document["name"] async for document in found}

    async def save_audit(self, event: AuditEvent) -> None:
        """Keep an event that is to be published, before what it is about is done."""
        document = {"_id": event.id, "event": event.model_dump(mode="json")}
        await self._audit.replace_one({"_id": event.id}, document, upsert=True)

    async def list_audit(self) -> list[AuditEvent]:
        """Return the events that are to be published."""
        return [AuditEvent.model_validate(document["event"]) async for document in self._audit.find({})]

    async def published(self, event: AuditEvent) -> None:
        """Forget an event that is on the bus."""
        await self._audit.delete_one({"_id": event.id})


def _document(account: Account) -> Document:
    return {
        "_id": account.id,
        "owner": account.owner,
        "name": account.name,
        "venue": account.venue,
        "exchange": account.exchange,
        "balance": [[currency, f"{amount:f}"] for currency, amount in account.balance.items()],
        "limits": account.limits.model_dump(mode="json"),
        "created_ns": account.created_ns,
        "deleted": False,
    }


def _read(document: Document) -> Account:
    return Account(
        id=document["_id"],
        owner=document["owner"],
        name=document["name"],
        venue=document["venue"],
        exchange=document["exchange"],
        balance={currency: Decimal(amount) for currency, amount in document["balance"]},
        limits=Limits.model_validate(document["limits"]),
        created_ns=document["created_ns"],
    )
