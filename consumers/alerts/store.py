"""The documents of alerts: rules with their states, states to explain from, what has fired, and silences."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from consumers.alerts.core import PriceWatch, Rule, State
from consumers.alerts.everybody import Silence
from contracts.codec import EVENTS, fast
from contracts.services.alerts import FiredQuery
from runtime.store import Collection, Document, IndexSpec, Store, change, upsert

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
RULES: Final = "price_alerts"
STATES: Final = "price_alert_states"
FIRED: Final = "alerts_fired"
SILENCES: Final = "alert_silences"
INDEXES: Final = (
    IndexSpec(STATES, ("rule_id", "-clock")),
    IndexSpec(STATES, ("until",), ttl=0),
    IndexSpec(FIRED, ("-ts", "_id")),
    IndexSpec(FIRED, ("owner", "-ts")),
    IndexSpec(FIRED, ("rule", "-ts")),
    IndexSpec(FIRED, ("published",)),
    IndexSpec(FIRED, ("until",), ttl=0),
)
STATES_KEPT: Final = timedelta(days=8)
FIRED_KEPT: Final = timedelta(days=30)
_FAST_ALERT: Final = fast(EVENTS["alert"])
_EXPLAINED: Final = ("owner", "rule", "state", "clock", "messages", "seq")
_NEWEST: Final = [("ts", -1), ("_id", 1)]


class Fired(NamedTuple):
    """An alert, the stream's message that decided it, and when the bus had it (ns UTC; None: it waits)."""

    alert: FastEvent
    seq: int
    published: int | None


class StaleHolderError(RuntimeError):
    """Another process holds the lease of alerts by now."""


class AlertStore:
    """Documents by their ids; `token` is of the lease: a holder of before changes nothing."""

    def __init__(self, store: Store, token: int) -> None:
        self._token = token
        self._rules: Collection = store.collection(RULES)
        self._states: Collection = store.collection(STATES)
        self._fired: Collection = store.collection(FIRED)
        self._silences: Collection = store.collection(SILENCES)

    async def every(self) -> AsyncIterator[tuple[Rule, State]]:
        """Yield each rule with its state."""
        async for document in self._rules.find({}):
            yield _rule(document)

    async def add(self, watch: PriceWatch, now_ns: int) -> None:
        """Keep a new rule, and that it was so from here on."""
        await self.keep_state(watch, now_ns)
        await self._rules.insert_one({"_id": watch.rule.id, **self._fields(watch)})

    async def save(self, watch: PriceWatch, now_ns: int) -> None:
        """Keep a rule as it is now, and that it was so from here on; StaleHolderError as `save_states`."""
        await self.keep_state(watch, now_ns)
        wanted = {"_id": watch.rule.id, "token": {"$lte": self._token}}
        done = await self._rules.update_one(wanted, {"$set": self._fields(watch)})
        if not done.matched_count:
            raise StaleHolderError(f"rule {watch.rule.id} is another process's by now, or was taken away by it")

    def _fields(self, watch: PriceWatch) -> Document:
        found = dump(watch)
        return {"owner": found["owner"], "rule": found["rule"], "state": found["state"], "token": self._token}

    async def save_states(self, watches: Sequence[Document]) -> None:
        """Keep rules and their states (`dump` of each); StaleHolderError where another process has the lease."""
        if not watches:
            return
        requests = [
            change(
                {"_id": found["_id"], "token": {"$lte": self._token}},
                {"$set": {"rule": found["rule"], "state": found["state"], "token": self._token}},
            )
            for found in watches
        ]
        result = await self._rules.bulk_write(requests, ordered=False)
        if result.matched_count < len(requests):
            raise StaleHolderError("some rules are another process's by now")

    async def delete(self, rule_id: str) -> None:
        """Take a rule away; what it fired stays."""
        await self._rules.delete_one({"_id": rule_id})

    async def keep_state(self, watch: PriceWatch, now_ns: int) -> None:
        """Keep a state to explain from."""
        await self.keep_states([dump(watch)], now_ns)

    async def keep_states(self, watches: Sequence[Document], now_ns: int) -> None:
        """Keep states (`dump` of each) to explain from."""
        if not watches:
            return
        until = _after(now_ns, STATES_KEPT)
        requests = [
            upsert(
                {"_id": f"{found['_id']}.{found['revision']}.{found['clock']}.{found['seq']}"},
                {"$set": {"rule_id": found["_id"], "until": until} | {name: found[name] for name in _EXPLAINED}},
            )
            for found in watches
        ]
        await self._states.bulk_write(requests, ordered=False)

    async def find_state(self, rule_id: str, at: int | None, messages: int | None = None) -> tuple[Rule, State] | None:
        """Return the newest state of a rule at a time (ns UTC), or the newest with less than so many messages."""
        wanted: Document = {"rule_id": rule_id}
        if at is not None:
            wanted["clock"] = {"$lte": at}
        if messages is not None:
            wanted["messages"] = {"$lt": messages}
        order = [("clock", -1), ("messages", -1), ("seq", -1)]
        async for document in self._states.find(wanted).sort(order).limit(1):
            return _rule(document)
        return None

    async def find_states(self, rule_id: str, after: int, until: int) -> list[tuple[Rule, State]]:
        """Return the states of a rule within a span (ns UTC), the oldest first."""
        wanted: Document = {"rule_id": rule_id, "clock": {"$gt": after, "$lte": until}}
        found = self._states.find(wanted).sort([("clock", 1), ("messages", 1), ("seq", 1)])
        return [_rule(document) async for document in found]

    async def add_fired(self, found: Sequence[Fired], now_ns: int) -> None:
        """Keep alerts that are to be published; one that is kept already stays as it is."""
        requests = [upsert({"_id": one.alert.id}, {"$setOnInsert": _fired_document(one, now_ns)}) for one in found]
        if requests:
            await self._fired.bulk_write(requests, ordered=True)

    async def list_waiting(self) -> list[Fired]:
        """Return what is to be published, the oldest first."""
        found = self._fired.find({"published": None}).sort([("ts", 1), ("_id", 1)])
        return [_fired(document) async for document in found]

    async def oldest_waiting(self) -> int | None:
        """Return when the oldest of what waits was kept, ns UTC."""
        kept = [int(document["kept"]) async for document in self._fired.find({"published": None}, {"kept": 1})]
        return min(kept, default=None)

    async def published(self, ids: Sequence[str], now_ns: int) -> None:
        """Take note that the bus has alerts."""
        await self._fired.update_many({"_id": {"$in": list(ids)}}, {"$set": {"published": now_ns}})

    async def find_fired(self, alert_id: str) -> Fired | None:
        """Return an alert that fired."""
        document = await self._fired.find_one({"_id": alert_id})
        return None if document is None else _fired(document)

    async def list_fired(self, query: FiredQuery, bases: Sequence[str] | None) -> tuple[list[Fired], int]:
        """Return a page of what fired, the newest first, and how many there are."""
        wanted = _fired_filter(query, bases)
        found = self._fired.find(wanted).sort(_NEWEST).skip((query.page - 1) * query.page_size).limit(query.page_size)
        return [_fired(document) async for document in found], await self._fired.count_documents(wanted)

    async def find_between(self, kind: str, base: str | None, since: int, until: int) -> list[Fired]:
        """Return the alerts of a kind that were decided within a span, the oldest first."""
        wanted: Document = {"kind": kind, "ts": {"$gt": since, "$lte": until}}
        if base is not None:
            wanted["base"] = base
        return [_fired(document) async for document in self._fired.find(wanted).sort([("ts", 1)])]

    async def load_silences(self, stream: str) -> tuple[int, int, dict[str, Silence]]:
        """Return up to which message of a stream was folded, when the stream took that, and every silence."""
        document = await self._silences.find_one({"_id": stream})
        if document is None:
            return 0, 0, {}
        silences = msgspec.json.decode(document["silences"], type=dict[str, Silence])
        return int(document["seq"]), int(document["seq_ns"]), silences

    async def save_silences(self, stream: str, seq: int, seq_ns: int, silences: str) -> None:
        """Keep how far a stream was folded, and every silence, as JSON: their keys hold dots."""
        update = {"seq": seq, "seq_ns": seq_ns, "silences": silences}
        await self._silences.update_one({"_id": stream}, {"$set": update}, upsert=True)


def dump(watch: PriceWatch) -> Document:
    """Return a rule and its state as they are now, in a document that later folds do not change."""
    rule, state = watch.rule, watch.state
    return {
        "_id": rule.id,
        "owner": rule.owner,
        "revision": rule.revision,
        "clock": max(state.feed.clock, rule.since_ns),
        "messages": state.messages,
        "seq": state.seq,
        "rule": msgspec.json.encode(rule).decode(),
        "state": msgspec.json.encode(state).decode(),
    }


def _rule(document: Document) -> tuple[Rule, State]:
    return msgspec.json.decode(document["rule"], type=Rule), msgspec.json.decode(document["state"], type=State)


def _fired_document(one: Fired, now_ns: int) -> Document:
    alert = one.alert
    return {
        "ts": alert.ts_recv,
        "kind": alert.alert,
        "base": alert.symbol.partition("/")[0],
        "owner": alert.owner,
        "rule": alert.rule_id,
        "seq": one.seq,
        "alert": msgspec.json.encode(alert).decode(),
        "kept": now_ns,
        "published": None,
        "until": _after(now_ns, FIRED_KEPT),
    }


def _fired(document: Document) -> Fired:
    published = document["published"]
    alert = msgspec.json.decode(document["alert"], type=_FAST_ALERT)
    return Fired(alert, int(document["seq"]), None if published is None else int(published))


def _fired_filter(query: FiredQuery, bases: Sequence[str] | None) -> Document:
    wanted: Document = {"owner": {"$in": [None] if query.owner is None else [None, query.owner]}}
    if query.kind is not None:
        wanted["kind"] = query.kind
    if query.rule is not None:
        wanted["rule"] = query.rule
    if bases is not None:
        wanted["base"] = {"$in": list(bases)}
    if query.since is not None:
        wanted["ts"] = {"$gte": int(query.since.timestamp() * 1_000_000) * 1000}
    return wanted


def _after(now_ns: int, span: timedelta) -> datetime:
    return datetime.fromtimestamp(now_ns / 1e9, UTC) + span
