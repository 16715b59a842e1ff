"""The documents of user tokens: HMACs and times, nothing that opens an account."""

from __future__ import annotations

from typing import Final

from consumers.execution.links.core import Token
from runtime.store import Collection, Document, IndexSpec, Store

TOKENS: Final = "trading_tokens"
INDEXES: Final = (IndexSpec(TOKENS, ("account", "expires_ns")), IndexSpec(TOKENS, ("owner",)))


class TokenStore:
    """Tokens by their HMAC; one that has ended is not there any more."""

    def __init__(self, store: Store) -> None:
        self._tokens: Collection = store.collection(TOKENS)

    async def save(self, token: Token) -> None:
        """Keep a token that is new."""
        await self._tokens.insert_one(_document(token))

    async def change(self, token: Token, before: Token) -> bool:
        """Keep a token in place of what was read; False where it has ended, or changed, meanwhile."""
        done = await self._tokens.update_one(_document(before), {"$set": _document(token)})
        return bool(done.matched_count)

    async def find(self, mac: str) -> Token | None:
        """Return the token of an HMAC."""
        document = await self._tokens.find_one({"_id": mac})
        return None if document is None else _read(document)

    async def list_of(self, account: str) -> list[Token]:
        """Return the tokens of an account."""
        return [_read(document) async for document in self._tokens.find({"account": account})]

    async def end(self, mac: str) -> None:
        """End one."""
        await self._tokens.delete_one({"_id": mac})

    async def end_of(self, account: str, now_ns: int) -> int:
        """End those of an account; returns how many held."""
        return await self._end({"account": account}, now_ns)

    async def end_all(self, owner: str, now_ns: int) -> int:
        """End those of an owner; returns how many held."""
        return await self._end({"owner": owner}, now_ns)

    async def drop_expired(self, account: str, now_ns: int) -> None:
        """Forget the tokens of an account that do not hold any more."""
        await self._tokens.delete_many({"account": account, "expires_ns": {"$lte": now_ns}})

    async def _end(self, wanted: Document, now_ns: int) -> int:
        held = await self._tokens.count_documents({**wanted, "expires_ns": {"$gt": now_ns}})
        await self._tokens.delete_many(wanted)
        return held


def _document(token: Token) -> Document:
    return {
        "_id": token.mac,
        "owner": token.owner,
        "account": token.account,
        "issued_ns": token.issued_ns,
        "expires_ns": token.expires_ns,
        "replaced": token.replaced,
    }


def _read(document: Document) -> Token:
    return Token(
        mac=document["_id"],
        owner=document["owner"],
        account=document["account"],
        issued_ns=document["issued_ns"],
        expires_ns=document["expires_ns"],
        replaced=document["replaced"],
    )
