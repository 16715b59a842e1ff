"""The documents of strategies: what each is, how it stands, what it has decided, and which signals were taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from consumers.strategies.kept import Kept
from contracts.arithmetic.moments import as_datetime
from contracts.errors import AlreadyExistsError, ConflictError
from contracts.services.trading.sealed import SealedText
from contracts.services.trading.strategies import ListStrategies
from contracts.services.trading.strategy_events import WantedOrder
from runtime.store import AlreadyThereError, Collection, Document, IndexSpec, Store
from runtime.strategies.protocol import kind_of
from runtime.strategies.running import Decided, Running

STRATEGIES: Final = "strategies"
DECISIONS: Final = "strategy_decisions"
SIGNALS: Final = "strategy_signals"
KEPT_DAYS: Final = 30
INDEXES: Final = (
    IndexSpec(STRATEGIES, ("owner", "-created_ns", "_id")),
    IndexSpec(STRATEGIES, ("finished",)),
    IndexSpec(STRATEGIES, ("owner", "request_key"), unique=True, where={"request_key": {"$type": "string"}}),
    IndexSpec(DECISIONS, ("strategy", "at", "number")),
    IndexSpec(DECISIONS, ("published",)),
    IndexSpec(DECISIONS, ("decided_at",), ttl=KEPT_DAYS * 86_400),
    IndexSpec(SIGNALS, ("taken_at",), ttl=86_400),
)


class ChangedElsewhereError(RuntimeError):
    """A strategy is not as it was read: another process acts for it."""


class StrategyStore:
    """Strategies by owner and id."""

    def __init__(self, store: Store) -> None:
        self._strategies: Collection = store.collection(STRATEGIES)
        self._decisions: Collection = store.collection(DECISIONS)
        self._signals: Collection = store.collection(SIGNALS)

    async def insert(self, kept: Kept, running: Running) -> None:
        """Keep a new one; AlreadyExistsError where its request made one before."""
        try:
            await self._strategies.insert_one({"_id": kept.id, **_document(kept, running)})
        except AlreadyThereError:
            raise AlreadyExistsError("This request has made a strategy before", id=kept.id) from None

    async def save(self, kept: Kept, running: Running) -> None:
        """Keep it in place of the version before; ChangedElsewhereError where that is not the kept one."""
        wanted = {"_id": kept.id, "saved": kept.saved - 1}
        done = await self._strategies.update_one(wanted, {"$set": _document(kept, running)})
        if not done.matched_count:
            raise ChangedElsewhereError(f"strategy {kept.id} is not as it was read")

    async def find(self, owner: str, strategy_id: str) -> Kept | None:
        """Return a strategy of an owner."""
        return _read(await self._strategies.find_one({"_id": strategy_id, "owner": owner}))

    async def find_id(self, strategy_id: str) -> Kept | None:
        """Return a strategy."""
        return _read(await self._strategies.find_one({"_id": strategy_id}))

    async def find_request(self, owner: str, request_key: str) -> Kept | None:
        """Return the strategy that a request has made."""
        return _read(await self._strategies.find_one({"owner": owner, "request_key": request_key}))

    async def list_at_work(self) -> list[Kept]:
        """Return every strategy that something is to be done about."""
        found = self._strategies.find({"finished": False})
        return [kept async for document in found if (kept := _read(document)) is not None]

    async def count_at_work(self, owner: str) -> int:
        """Return how many of an owner have not ended."""
        return await self._strategies.count_documents({"owner": owner, "status": {"$in": ["running", "paused"]}})

    async def list_strategies(self, query: ListStrategies) -> tuple[list[Kept], int]:
        """Return one page of an owner's strategies, the newest first, and how many there are."""
        wanted: dict[str, Any] = {"owner": query.owner}
        wanted |= {} if query.account is None else {"account": query.account}
        wanted |= {} if query.status is None else {"status": query.status}
        found = self._strategies.find(wanted).sort([("created_ns", -1), ("_id", 1)])
        found = found.skip((query.page - 1) * query.page_size).limit(query.page_size)
        items = [kept async for document in found if (kept := _read(document)) is not None]
        return items, await self._strategies.count_documents(wanted)

    async def save_decision(self, strategy: str, decided: Decided) -> None:
        """Keep a decision before what follows from it is kept: one of the same number was never acted on."""
        document = decision_document(strategy, decided)
        await self._decisions.replace_one({"_id": document["_id"]}, document, upsert=True)

    async def find_decision(self, strategy: str, at_ns: int | None) -> Document | None:
        """Return the last decision that was made by then."""
        wanted: dict[str, Any] = {"strategy": strategy} | ({} if at_ns is None else {"at": {"$lte": at_ns}})
        found = self._decisions.find(wanted).sort([("at", -1), ("number", -1)]).limit(1)
        return next(iter([document async for document in found]), None)

    async def list_unpublished(self, limit: int = 500) -> list[Document]:
        """Return decisions that are to be published, the oldest first."""
        found = self._decisions.find({"published": False}).sort([("at", 1), ("number", 1)]).limit(limit)
        return [document async for document in found]

    async def published(self, decision_id: str) -> None:
        """Note that a decision is on the bus."""
        await self._decisions.update_one({"_id": decision_id}, {"$set": {"published": True}})

    async def check_signal(self, strategy: str, signal_id: str) -> None:
        """Raise ConflictError where a signal was taken before."""
        if await self._signals.find_one({"_id": f"{strategy}.{signal_id}"}) is not None:
            raise ConflictError(f"The signal {signal_id} was taken before", id=signal_id)

    async def take_signal(self, strategy: str, signal_id: str, now_ns: int) -> None:
        """Keep that a signal was taken; ConflictError where it was before."""
        document = {"_id": f"{strategy}.{signal_id}", "taken_at": as_datetime(now_ns)}
        try:
            await self._signals.insert_one(document)
        except AlreadyThereError:
            raise ConflictError(f"The signal {signal_id} was taken before", id=signal_id) from None


def decision_document(strategy: str, decided: Decided) -> Document:
    """Return a decision as it is kept."""
    return {
        "_id": f"{strategy}.{decided.number}",
        "strategy": strategy,
        "number": decided.number,
        "at": decided.now_ns,
        "decided_at": as_datetime(decided.now_ns),
        "kind": kind_of(decided.event),
        "event": decided.event.model_dump_json(),
        "before": decided.before.model_dump_json(),
        "after": decided.after.model_dump_json(),
        "wanted": [one.model_dump_json() for one in decided.wanted],
        "published": not decided.wanted,
    }


def wanted_of(document: Document) -> list[WantedOrder]:
    """Return what a kept decision wanted."""
    return [WantedOrder.model_validate_json(text) for text in document["wanted"]]


def _document(kept: Kept, running: Running) -> Document:
    names: Sequence[str] = [name for name in Kept.__dataclass_fields__ if name not in {"id", "secret"}]
    values = {name: getattr(kept, name) for name in names}
    secret = None if kept.secret is None else kept.secret.model_dump()
    return {**values, "secret": secret, "status": running.control.status, "finished": running.is_finished}


def _read(document: Document | None) -> Kept | None:
    if document is None:
        return None
    values = {name: document[name] for name in Kept.__dataclass_fields__ if name not in {"id", "secret"}}
    secret = document["secret"]
    return Kept(id=document["_id"], secret=None if secret is None else SealedText.model_validate(secret), **values)
