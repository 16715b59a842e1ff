"""The document store behind one small face; the only file that knows the driver."""
# ruff: noqa: A002, D102 - the face of a collection has the driver's own names and values

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Protocol, TypeVar, cast

from bson import json_util
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne
from pymongo.errors import AutoReconnect, DuplicateKeyError, OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

Document = dict[str, Any]
Filter = Mapping[str, Any]
StoreError = PyMongoError
AlreadyThereError = DuplicateKeyError
UnreachableError = AutoReconnect

DATABASE = "hydrophone"
T = TypeVar("T")
_RAW_BATCH = 500
_RAW = CodecOptions(document_class=RawBSONDocument)
_NOT_ASKED_FOR = frozenset({"v", "ns", "background"})  # of an index: the server decides these itself
_NO_SUCH_INDEX = 27  # IndexNotFound of https://www.mongodb.com/docs/manual/reference/error-codes/


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """One index: fields in order (`-name` descending), unique or not, `ttl` in seconds for a date field."""

    collection: str
    fields: tuple[str, ...]
    unique: bool = False
    ttl: int | None = None
    where: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def model(self) -> IndexModel:
        """The driver's form of it, named after what it holds so that a changed one is another one."""
        keys = [(name.removeprefix("-"), DESCENDING if name.startswith("-") else ASCENDING) for name in self.fields]
        options: dict[str, Any] = {"unique": self.unique, "name": "_".join(self.fields).replace("-", "down_")}
        if self.ttl is not None:
            options["expireAfterSeconds"] = int(timedelta(seconds=self.ttl).total_seconds())
        if self.where:
            options["partialFilterExpression"] = dict(self.where)
        return IndexModel(keys, **options)


class Collection(Protocol):
    """What the rooms use of a collection; documents are plain dictionaries with `_id`."""

    async def insert_one(self, document: Document) -> Any: ...
    async def insert_many(self, documents: Sequence[Document], *, ordered: bool = True) -> Any: ...
    async def find_one(self, filter: Filter, projection: Filter | None = None) -> Document | None: ...
    def find(self, filter: Filter, projection: Filter | None = None) -> Any: ...
    async def update_one(self, filter: Filter, update: Filter, *, upsert: bool = False) -> Any: ...
    async def find_one_and_update(  # no upsert: the embedded server returns None where several begin at once
        self, filter: Filter, update: Filter, *, return_document: bool = False
    ) -> Document | None: ...
    async def update_many(self, filter: Filter, update: Filter) -> Any: ...
    async def replace_one(self, filter: Filter, replacement: Document, *, upsert: bool = False) -> Any: ...
    async def delete_one(self, filter: Filter) -> Any: ...
    async def delete_many(self, filter: Filter) -> Any: ...
    async def count_documents(self, filter: Filter) -> int: ...
    def aggregate(self, pipeline: Sequence[Filter]) -> Any: ...
    async def bulk_write(self, requests: Sequence[Any], *, ordered: bool = True) -> Any: ...


def change(filter: Filter, update: Filter) -> Any:
    """One request of a `bulk_write`: update the document that `filter` names, if there is one."""
    return UpdateOne(filter, update)


def upsert(filter: Filter, update: Filter) -> Any:
    """One request of a `bulk_write`: update the document that `filter` names, or create it."""
    return UpdateOne(filter, update, upsert=True)


Work = Callable[[Callable[[str], Collection]], Awaitable[T]]
"""What is done in one transaction: it takes a function from a collection's name to it."""


class _Bound:
    """A collection whose every call belongs to a transaction."""

    def __init__(self, collection: Any, session: Any) -> None:
        self._collection, self._session = collection, session

    def __getattr__(self, name: str) -> Any:
        return partial(getattr(self._collection, name), session=self._session)


class Store:
    """One database; times are UTC and aware. `timeout` in seconds bounds every operation.

    Without a `database` it is the one that the URL names, or `hydrophone`.
    """

    def __init__(self, url: str, database: str | None = None, *, timeout: float = 10.0) -> None:
        milliseconds = int(timeout * 1000)
        self._client = cast(
            "Any",
            AsyncIOMotorClient(
                url,
                maxPoolSize=50,
                minPoolSize=10,
                serverSelectionTimeoutMS=milliseconds,
                connectTimeoutMS=milliseconds,
                socketTimeoutMS=milliseconds,
                waitQueueTimeoutMS=milliseconds,
                tz_aware=True,
                appname="hydrophone",
            ),
        )
        named = database or str(parse_uri(url).get("database") or DATABASE)
        self._database = self._client.get_database(named, codec_options=CodecOptions(tz_aware=True))

    def collection(self, name: str) -> Collection:
        """A collection of the database; it exists from its first document on."""
        return cast("Collection", self._database[name])

    async def ping(self) -> None:
        """Return when the server answers; StoreError (its message names the server) when it does not in time."""
        await self._client.admin.command("ping")

    async def version(self) -> str:
        """The server's version; MongoDB's that it speaks like, where it is another one."""
        return str((await self._client.admin.command("buildInfo"))["version"])

    async def has_transactions(self) -> bool:
        """Return whether the server has transactions: replica sets and clusters of them do."""
        hello = await self._client.admin.command("hello")
        return "setName" in hello or hello.get("msg") == "isdbgrid"

    async def together(self, work: Work[T], *, transaction: bool) -> T:
        """Return what `work` returns; with `transaction` it is done whole or not at all, and again after a conflict.

        Without one, its writes are done one after the other: they have to be safe to repeat in that order.
        """
        if not transaction:
            return await work(self.collection)
        async with await self._client.start_session() as session:

            async def bound(_session: Any) -> T:
                return await work(lambda name: cast("Collection", _Bound(self._database[name], session)))

            return cast("T", await session.with_transaction(bound))

    async def create_indexes(self, indexes: Sequence[IndexSpec]) -> None:
        """Create what is missing; what is there already is left."""
        for spec in indexes:
            await self._database[spec.collection].create_indexes([spec.model()])

    async def list_indexes(self, collection: str) -> set[str]:
        """The names of a collection's indexes."""
        return set(await self._database[collection].index_information())

    async def drop_index(self, collection: str, name: str) -> None:
        """Drop an index, if it is there still."""
        try:
            await self._database[collection].drop_index(name)
        except OperationFailure as error:
            if error.code != _NO_SUCH_INDEX:
                raise

    async def list_collections(self) -> list[str]:
        """The names of the collections that are there, the server's own left out."""
        names = await self._database.list_collection_names()
        return sorted(name for name in names if not name.startswith("system."))

    async def drop_database(self) -> None:
        """Take everything away."""
        await self._client.drop_database(self._database.name)

    async def close(self) -> None:
        """Close every connection."""
        self._client.close()

    async def find_indexes(self) -> dict[str, list[Document]]:
        """Every collection's indexes but that of `_id`, as extended JSON of what the server says of them."""
        found: dict[str, list[Document]] = {}
        for name in await self.list_collections():
            specs = [spec async for spec in self._database[name].list_indexes()]
            found[name] = [_as_json(spec) for spec in specs if spec["name"] != "_id_"]
        return found

    async def add_index(self, collection: str, described: Document) -> None:
        """Create an index, and its collection where there is none, as `find_indexes` describes it."""
        await self._database.command({"createIndexes": collection, "indexes": [_from_json(described)]})

    @asynccontextmanager
    async def moment(self) -> AsyncGenerator[Callable[[str], AsyncIterator[bytes]]]:
        """Yield what reads a collection's documents as BSON, all of one moment where the server has transactions.

        MongoDB ends a transaction after 60 s (its transactionLifetimeLimitSeconds): StoreError then.
        """
        if not await self.has_transactions():
            yield lambda name: self._read_raw(name, None)
            return
        async with await self._client.start_session() as session, session.start_transaction():
            yield lambda name: self._read_raw(name, session)

    async def _read_raw(self, name: str, session: Any) -> AsyncIterator[bytes]:
        found = self._database.get_collection(name, codec_options=_RAW).find({}, session=session)
        async for document in cast("AsyncIterator[RawBSONDocument]", found.batch_size(_RAW_BATCH)):
            yield bytes(document.raw)

    async def insert_raw(self, collection: str, documents: Sequence[bytes]) -> None:
        """Insert documents as `moment` gave them; AlreadyThereError where one of their `_id` is there."""
        target = self._database.get_collection(collection, codec_options=_RAW)
        await target.insert_many([RawBSONDocument(document) for document in documents])


def _as_json(spec: Mapping[str, Any]) -> Document:
    plain = {name: value for name, value in spec.items() if name not in _NOT_ASKED_FOR}
    return cast("Document", json.loads(json_util.dumps(plain, json_options=json_util.CANONICAL_JSON_OPTIONS)))


def _from_json(described: Document) -> Document:
    return cast("Document", json_util.loads(json.dumps(described)))
