"""The documents of backtests: one each, with what it came to."""

from __future__ import annotations

from typing import Any, Final

from consumers.backtests.core import Kept, read_result, write_result
from contracts.services.trading.backtests import BacktestTerms, ListBacktests
from runtime.backtests.job import JobResult
from runtime.store import Collection, Document, IndexSpec, Store

BACKTESTS: Final = "backtests"
INDEXES: Final = (IndexSpec(BACKTESTS, ("owner", "-created_ns", "_id")), IndexSpec(BACKTESTS, ("status", "created_ns")))
_WAITING: Final = ["queued", "running"]


class BacktestStore:
    """Backtests by id; those of an owner with the owner in every query."""

    def __init__(self, store: Store) -> None:
        self._backtests: Collection = store.collection(BACKTESTS)

    async def create(self, kept: Kept) -> None:
        """Keep a new one."""
        await self._backtests.insert_one(
            {
                "_id": kept.id,
                "owner": kept.owner,
                "exchange": kept.exchange,
                "status": kept.status,
                "created_ns": kept.created_ns,
                "terms": kept.terms.model_dump_json(by_alias=True),
                "begun": 0,
                "result": None,
            }
        )

    async def begin(self, backtest_id: str) -> None:
        """Keep that one is being worked on, once more."""
        await self._backtests.update_one({"_id": backtest_id}, {"$set": {"status": "running"}, "$inc": {"begun": 1}})

    async def end(self, backtest_id: str, result: JobResult) -> None:
        """Keep what one came to."""
        update = {"status": result.status, "result": write_result(result)}
        await self._backtests.update_one({"_id": backtest_id}, {"$set": update})

    async def find(self, owner: str, backtest_id: str) -> Kept | None:
        """Return a backtest of an owner."""
        document = await self._backtests.find_one({"_id": backtest_id, "owner": owner})
        return None if document is None else _read(document)

    async def find_next(self) -> Kept | None:
        """Return the oldest that has not ended: one that was begun by a process that is gone is run once more."""
        waiting: Any = self._backtests.find({"status": {"$in": _WAITING}}).sort([("created_ns", 1), ("_id", 1)])
        found = [document async for document in waiting.limit(1)]
        return _read(found[0]) if found else None

    async def count_waiting(self, owner: str) -> int:
        """Return how many of an owner's have not ended."""
        return await self._backtests.count_documents({"owner": owner, "status": {"$in": _WAITING}})

    async def list_backtests(self, query: ListBacktests) -> tuple[list[Kept], int]:
        """Return a page, the newest first, and how many there are."""
        wanted = {"owner": query.owner}
        found: Any = self._backtests.find(wanted).sort([("created_ns", -1), ("_id", 1)])
        cursor = found.skip((query.page - 1) * query.page_size).limit(query.page_size)
        return [_read(document) async for document in cursor], await self._backtests.count_documents(wanted)


def _read(document: Document) -> Kept:
    result = document["result"]
    return Kept(
        id=document["_id"],
        owner=document["owner"],
        exchange=document["exchange"],
        status=document["status"],
        created_ns=int(document["created_ns"]),
        begun=int(document["begun"]),
        terms=BacktestTerms.model_validate_json(document["terms"]),
        result=None if result is None else read_result(result),
    )
