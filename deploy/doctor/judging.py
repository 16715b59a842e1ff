"""What the facts mean: each function takes what was seen and returns what is wrong of it. Pure; a clock is given in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Final

from deploy.doctor.facts import (
    ApiFact,
    CertificateFact,
    ClockFact,
    CopyFact,
    DataFact,
    DocumentsFact,
    KeyFact,
    PortFact,
    TelegramFact,
    VenueFact,
)
from deploy.doctor.faults import Finding, find

SECOND_NS: Final = 1_000_000_000
DAY_NS: Final = 86_400 * SECOND_NS
MB: Final = 1_000_000
ROOM: Final = 64 * MB  # with less than that free the launcher does not start the bus again
SHARE: Final = 20  # or than the twentieth part of a small disk
SOON_NS: Final = 14 * DAY_NS
SOON_SHARE: Final = 5  # a certificate of a day is renewed in its last fifth
CLOCK_SECONDS: Final = 2.0
REFUSALS: Final = frozenset({403, 418, 429, 451})  # forbidden, a ban, too many, for legal reasons
UNAUTHORIZED: Final = frozenset({401, 404})  # what the Bot API answers to a token that it does not know
OK: Final = 200
FAILING: Final = 500


def judge_settings(problems: Sequence[str], warnings: Sequence[str]) -> list[Finding]:
    """Return each wrong setting, and each name that no part reads."""
    wrong = [find("setting_wrong", "settings", problem, name=problem.partition(":")[0]) for problem in problems]
    unread = [line for line in warnings if " is no setting" in line]
    return wrong + [find("setting_unknown", "settings", line, name=line.partition(" ")[0]) for line in unread]


def judge_needed(*, documents: bool, keys: bool) -> list[Finding]:
    """Return what a bus of one's own needs beside NATS_URL: documents, and a key that opens the API."""
    found: list[Finding] = []
    if not documents:
        why = "accounts, alerts, webhooks and keys do not work"
        found.append(find("setting_missing", "settings", "MONGO_URL is not set", name="MONGO_URL", why=why))
    if not keys:
        what = "HYDROPHONE_ADMIN_KEYS and GPT_API_API_KEYS are not set, and GPT_API_REQUIRE_AUTH is true"
        found.append(find("setting_missing", "settings", what, name="HYDROPHONE_ADMIN_KEYS", why="nobody is let in"))
    return found


def judge_data(data: DataFact) -> list[Finding]:
    """Return why the data directory cannot be used."""
    if data.problem is not None:
        return [find("data_not_writable", data.path, data.problem, path=data.path, user=data.user)]
    least = min(ROOM, data.total // SHARE)
    if data.free < least:
        what = f"{data.free // MB} MB are free"
        return [find("disk_full", data.path, what, path=data.path, needed=(least - data.free) // MB + 1)]
    if data.needed is not None and data.free + data.held < data.needed:
        what = f"room for {(data.free + data.held) // MB} MB, and the streams may keep {data.needed // MB} MB"
        return [find("disk_small", data.path, what)]
    return []


def judge_ports(ports: Iterable[PortFact]) -> list[Finding]:
    """Return the ports that are taken."""
    return [
        find("port_taken", f"{one.host}:{one.port}", f"{one.setting} names a port that another program has",
             port=one.port, name=one.setting)
        for one in ports if not one.free
    ]  # fmt: skip


def judge_copy(copy: CopyFact) -> list[Finding]:
    """Return the parts that are dead, or that the whole copy is."""
    if not any(copy.parts.values()):
        return [find("copy_dead", copy.path, "none of its parts runs", path=copy.path, mode=copy.mode)]
    dead = [name for name, lives in copy.parts.items() if not lives]
    return [find("part_dead", name, "its process is gone", log=f"{copy.logs}/{name}.log", mode=copy.mode)
            for name in dead]  # fmt: skip


def judge_certificates(certificates: Iterable[CertificateFact], now_ns: int) -> list[Finding]:
    """Return what is expired, expires within 14 days or the last fifth of a shorter life, or cannot be read."""
    found: list[Finding] = []
    for one in certificates:
        if one.problem is not None:
            found.append(find("certificate_unreadable", one.where, one.problem, name=one.setting))
            continue
        left = one.not_after - now_ns
        soon = min(SOON_NS, (one.not_after - one.not_before) // SOON_SHARE)
        if left <= 0:
            what = f"it ended {-left // DAY_NS} days ago"
            found.append(find("certificate_expired", one.where, what, name=one.setting))
        elif left < soon:
            what = f"it ends in {left // DAY_NS} days"
            found.append(find("certificate_expiring", one.where, what, name=one.setting))
    return found


def judge_clock(clocks: Sequence[ClockFact]) -> list[Finding]:
    """Return that our clock is off, where more than half of the others say so by more than they may be wrong."""
    if not clocks:
        return []
    sure = [one for one in clocks if abs(one.ahead) - one.error > CLOCK_SECONDS]
    same = [one for one in sure if (one.ahead > 0) == (sure[0].ahead > 0)]
    if 2 * len(same) <= len(clocks):
        return []
    by = median(one.ahead for one in same)
    names = ", ".join(sorted(one.where for one in same)[:3])
    what = f"it is {abs(by):.1f} s {'ahead of' if by > 0 else 'behind'} {names}"
    return [find("clock_off", "clock", what)]


def judge_venues(venues: Iterable[VenueFact]) -> list[Finding]:
    """Return the exchanges that cannot be reached, and those that refuse us."""
    found: list[Finding] = []
    for one in venues:
        if one.problem is not None:
            found.append(find("venue_unreachable", one.venue, one.problem, url=one.url, venue=one.venue))
        elif one.status in REFUSALS or (one.refusal is not None and one.pause is not None):
            until = "" if one.pause is None else f", for {one.pause:.0f} s"
            what = f"it answers {one.status}: {one.refusal or 'refused'}{until}"
            found.append(find("venue_banned", one.venue, what, venue=one.venue))
        elif one.refusal is not None:
            what = f"it answers {one.status}: {one.refusal}"
            found.append(find("venue_unreachable", one.venue, what, url=one.url, venue=one.venue))
    return found


def judge_unknown_venues(venues: Iterable[str], known: Iterable[str]) -> list[Finding]:
    """Return the venues of the settings that nobody can follow."""
    strange = sorted({*venues} - {*known})
    return [find("venue_unknown", venue, "no producer is written for it", venue=venue) for venue in strange]


def judge_telegram(telegram: TelegramFact, *, groups: bool = True) -> list[Finding]:
    """Return what keeps the bot from working; privacy mode counts where it has groups to moderate."""
    if telegram.problem is not None:
        return [find("telegram_unreachable", telegram.url, telegram.problem, name=telegram.url)]
    if telegram.status in UNAUTHORIZED:
        what = f"getMe answers {telegram.status} {telegram.description}"
        return [find("telegram_refused", "TELEGRAM_BOT_TOKEN", what)]
    if telegram.status != OK:
        what = f"getMe answers {telegram.status} {telegram.description}"
        return [find("telegram_unreachable", telegram.url, what, name=telegram.url)]
    if groups and not telegram.reads_groups:
        name = f"@{telegram.name}"
        return [find("telegram_privacy", name, "can_read_all_group_messages is false", name=name)]
    return []


def judge_documents(documents: DocumentsFact) -> list[Finding]:
    """Return why the document server cannot be used."""
    if documents.problem is None:
        return []
    code = "documents_refused" if documents.refused else "documents_unreachable"
    return [find(code, documents.where, documents.problem)]


def judge_api(api: ApiFact) -> list[Finding]:
    """Return why the API answers nothing."""
    if api.problem is not None:
        return [find("api_unreachable", api.url, api.problem)]
    if api.status is None or api.status < FAILING:  # it answers, be it that we may not ask
        return []
    what = f"/health/ready answers {api.status}"
    return [find("api_not_ready", api.url, what, waits=", ".join(api.waits) or "see its log")]


def judge_keys(keys: Iterable[KeyFact]) -> list[Finding]:
    """Return the linked accounts whose key cannot be used, or can do too much."""
    found: list[Finding] = []
    for one in keys:
        if one.problem is None:
            continue
        code = "key_sealed" if one.sealed else "key_withdraws" if "withdraw" in one.problem.lower() else "key_wrong"
        found.append(find(code, f"account {one.account} at {one.venue}", one.problem, venue=one.venue))
    return found


def judge_pauses(pauses: Mapping[str, int], now_ns: int, least: float = 60.0) -> list[Finding]:
    """Return the exchanges whose REST is not called for longer than `least` seconds from now, until ns UTC."""
    found: list[Finding] = []
    for venue, until in sorted(pauses.items()):
        seconds = (until - now_ns) / SECOND_NS
        if seconds > least:
            what = f"it demanded a pause, of which {seconds:.0f} s are left"
            found.append(find("venue_banned", venue, what, venue=venue))
    return found
