"""Who may do what on the embedded bus: its parts and its admin everything, a subscriber only what is public.

The subscriber lives in an account of its own into which the public subjects are imported. What it asks for is answered
to a subject of the server's making, so a reply subject of its choice reaches neither a stream nor a part.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Final

from contracts import streams, subjects
from contracts.streams import STREAMS

ACCOUNT: Final = "HYDROPHONE"
OLD_ACCOUNT: Final = "$G"  # of versions that had one token for everybody
PUBLIC_EVENTS: Final = (
    subjects.ALL_MARKET_DATA,
    subjects.ALL_SIGNALS,
    *streams.PUBLIC_ALERTS,
    subjects.ALL_FEEDS,
    subjects.ALL_REPLAYS,
)
PUBLIC_COMMANDS: Final = (
    subjects.MARKET_COMMANDS,
    subjects.CANDLES_LIST,
    subjects.HISTORY_CANDLES,
    subjects.HISTORY_TRADES,
)
_PRIVATE: Final = frozenset(
    {
        *(streams.TRADING, streams.JOBS, streams.REMINDERS, streams.SCHEDULES, streams.BUDGETS, streams.DLQ),
        *(streams.PROBE, streams.AUDIT, streams.LIMITS, streams.ANALYTICS, streams.OWN_ALERTS),
        *(streams.COMMUNITY, streams.TELEGRAM, streams.PAST, streams.PAST_TRADES),
        *(streams.PROBE, streams.AUDIT, streams.LIMITS, streams.ANALYTICS, streams.SAMPLES),
    }
)
PUBLIC_STREAMS: Final = tuple(spec.name for spec in STREAMS if spec.name not in _PRIVATE)
_INBOX: Final = "_INBOX.>"


def _password() -> str:
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class BusUsers:
    """The passwords of the three users; each is random where none is given."""

    parts: str = field(default_factory=_password)
    subscriber: str = field(default_factory=_password)
    admin: str = field(default_factory=_password)


def reads() -> tuple[str, ...]:
    """The requests that read one message or a batch of a public stream and can change nothing."""
    return tuple(f"$JS.API.DIRECT.GET.{name}{rest}" for name in PUBLIC_STREAMS for rest in ("", ".>"))


def accounts_text(users: BusUsers) -> str:
    """The accounts of the configuration file."""
    events = [f"{{ stream: {_quoted(subject)} }}" for subject in PUBLIC_EVENTS]
    commands = [f"{{ service: {_quoted(subject)} }}" for subject in PUBLIC_COMMANDS]
    batches = [f"{{ service: {_quoted(subject)}, response_type: stream }}" for subject in reads()]
    taken = [f"{{ stream: {_source(subject)} }}" for subject in PUBLIC_EVENTS]
    asked = [f"{{ service: {_source(subject)} }}" for subject in (*PUBLIC_COMMANDS, *reads())]
    return (
        "accounts {\n"
        f"  {ACCOUNT} {{\n"
        "    jetstream: enabled\n"
        f'    users: [ {{ user: parts, password: "{users.parts}" }}, {{ user: admin, password: "{users.admin}" }} ]\n'
        f"    exports: {_listed([*events, *commands, *batches])}\n"
        "  }\n"
        "  SUBSCRIBERS {\n"
        f'    users: [ {{ user: subscriber, password: "{users.subscriber}", permissions: {{\n'
        f"      publish: {{ allow: {_listed([_quoted(subject) for subject in (*PUBLIC_COMMANDS, *reads())])} }}\n"
        f"      subscribe: {{ allow: {_listed([_quoted(subject) for subject in (*PUBLIC_EVENTS, _INBOX)])} }}\n"
        "    } } ]\n"
        f"    imports: {_listed([*taken, *asked])}\n"
        "  }\n"
        "}\n"
    )


def _source(subject: str) -> str:
    return f"{{ account: {ACCOUNT}, subject: {_quoted(subject)} }}"


def _quoted(text: str) -> str:
    return f'"{text}"'


def _listed(entries: list[str]) -> str:
    return "[\n      " + "\n      ".join(entries) + "\n    ]"
