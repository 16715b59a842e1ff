"""What the facts of the bus mean: servers, streams, durables, dead letters, feeds. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from deploy.doctor.facts import DurableFact, FeedFact, ItemFact, ServerFact
from deploy.doctor.faults import Finding, find

SECOND_NS: Final = 1_000_000_000
READERS: Final[Mapping[str, str]] = {"bot_undos": "bot", "audit": "consumers access"}  # the others bear their reader's
_UNSURE: Final = 2  # of a durable's wait for an acknowledgement, since its last delivery: a reader had asked again


def judge_connection(places: str, problem: str) -> list[Finding]:
    """Return why the bus could not be connected to, by the client's words."""
    refused = any(word in problem.lower() for word in ("authorization", "authentication", "user jwt", "nkey"))
    return [find("bus_refused" if refused else "bus_unreachable", places, problem)]


def judge_servers(servers: Sequence[ServerFact], *, trusted: bool) -> list[Finding]:
    """Return the servers that do not sync each write, cannot write, or say nothing."""
    if not servers:
        what = "neither NATS_MONITOR_URLS nor HYDROPHONE_TRUST_SYNC is set"
        return [] if trusted else [find("bus_sync_unknown", "bus", what)]
    found: list[Finding] = []
    for one in servers:
        if one.problem is not None:
            found.append(find("monitor_unreachable", one.url, one.problem))
            continue
        if not one.syncs:
            found.append(find("bus_not_syncing", one.url, "jetstream's sync_interval is not always"))
        if one.write_error is not None:
            found.append(find("bus_cannot_write", one.url, one.write_error))
    return found


def judge_items(items: Iterable[ItemFact]) -> list[Finding]:
    """Return what is missing of the streams, buckets and durables, and what is not as declared."""
    found: list[Finding] = []
    for one in items:
        if one.missing:
            found.append(find("missing", one.place, "it is declared and not there"))
        for words, safe in one.drifts:
            what = words.removeprefix(f"{one.place}: ")
            kind, _, name = one.place.partition(" ")
            words_of = {"stream": "stream", "bucket": "kv", "durable": "consumer"}
            values = {"kind": words_of[kind], "object": name.replace("/", " ")}
            found.append(find("drifted" if safe else "drifted_unsafe", one.place, what, **values))
    return found


def judge_durables(looks: Sequence[Mapping[str, DurableFact]], now_ns: int) -> list[Finding]:
    """Return the durables that have messages and that nobody pulled from in any of the looks, by their place."""
    if not looks:
        return []
    found: list[Finding] = []
    for place, last in looks[-1].items():
        seen = [look[place] for look in looks if place in look]
        if not _is_unread(seen, now_ns):
            continue
        what = f"{last.pending} messages wait, {last.unacked} are unacknowledged, and nobody pulls"
        found.append(find("durable_unread", place, what, part=find_reader(place.partition("/")[2])))
    return found


def _is_unread(seen: Sequence[DurableFact], now_ns: int) -> bool:
    first, last = seen[0], seen[-1]
    if any(one.pulls for one in seen) or first.delivered != last.delivered or not last.pending + last.unacked:
        return False
    if not last.unacked:
        return min(one.pending for one in seen) > 0
    quiet = _UNSURE * last.ack_wait * SECOND_NS
    return last.last_active is not None and now_ns - last.last_active > quiet


def find_reader(durable: str) -> str:
    """Return the part that reads a durable, as `python -m` takes it."""
    return READERS.get(durable) or f"consumers {durable.partition('_')[0]}"


def judge_letters(letters: Mapping[str, int]) -> list[Finding]:
    """Return the consumers with dead letters, by how many."""
    return [
        find("dead_letters", f"consumer {consumer}", f"{count} could not be handled", consumer=consumer)
        for consumer, count in sorted(letters.items())
        if count
    ]


def judge_feeds(feeds: Sequence[FeedFact] | None, followed: Iterable[str]) -> list[Finding]:
    """Return the feeds that are down or stale, and what is followed and never came; None: the core does not answer."""
    if feeds is None:
        return [find("market_away", "market core", "it does not answer how feeds are")]
    found: list[Finding] = []
    for one in feeds:
        if one.state in {"down", "stale"}:
            what = one.reason or f"its state is {one.state}"
            found.append(find(f"feed_{one.state}", one.venue, what, venue=one.venue))
    silent = sorted({*followed} - {one.venue for one in feeds})
    return found + [find("feed_missing", venue, "no event of it came", venue=venue) for venue in silent]


def keep_lasting(before: Iterable[Finding], now: Iterable[Finding]) -> list[Finding]:
    """Return what was found now, and before of the same place too."""
    known = {(one.code, one.where) for one in before}
    return [one for one in now if (one.code, one.where) in known]
