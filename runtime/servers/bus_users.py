"""Who may do what on the embedded bus: each service what it needs, the admin everything, a subscriber what is public.

What the services need is declared in `contracts.users`. The admin is for whoever operates it: no part runs as it.
The subscriber lives in an account of its own into which the public subjects are imported. What it asks for is answered
to a subject of the server's making, so a reply subject of its choice reaches neither a stream nor a part.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from contracts import streams, subjects
from contracts.streams import STREAMS
from contracts.users.declared import USERS
from contracts.users.permissions import DEFAULT_INBOX, PUBLIC_COMMANDS, permissions_of

ACCOUNT: Final = "HYDROPHONE"
OLD_ACCOUNT: Final = "$G"  # of versions that had one token for everybody
PUBLIC_EVENTS: Final = (
    subjects.ALL_MARKET_DATA,
    subjects.ALL_SIGNALS,
    *streams.PUBLIC_ALERTS,
    subjects.ALL_FEEDS,
    subjects.ALL_REPLAYS,
)
_PRIVATE: Final = frozenset(
    {
        *(streams.TRADING, streams.JOBS, streams.REMINDERS, streams.SCHEDULES, streams.BUDGETS, streams.DLQ),
        *(streams.PROBE, streams.AUDIT, streams.LIMITS, streams.ANALYTICS, streams.OWN_ALERTS),
        *(streams.COMMUNITY, streams.TELEGRAM),
        *(streams.PROBE, streams.AUDIT, streams.LIMITS, streams.ANALYTICS, streams.SAMPLES),
    }
)
PUBLIC_STREAMS: Final = tuple(spec.name for spec in STREAMS if spec.name not in _PRIVATE)
ADMIN: Final = "admin"
SUBSCRIBER: Final = "subscriber"
_INBOX: Final = f"{DEFAULT_INBOX}.>"


def _password() -> str:
    return secrets.token_hex(16)


def _passwords() -> dict[str, str]:
    return {user: _password() for user in USERS}


@dataclass(frozen=True, slots=True)
class BusUsers:
    """The password of each user; each is random where none is given. `services` has one for every user of USERS."""

    admin: str = field(default_factory=_password)
    subscriber: str = field(default_factory=_password)
    services: Mapping[str, str] = field(default_factory=_passwords)

    def password(self, user: str) -> str:
        """Return a user's password; KeyError for one that there is not."""
        return {**self.services, ADMIN: self.admin, SUBSCRIBER: self.subscriber}[user]


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
        f"    users: {_listed([_admin(users), *(_service(user, users) for user in USERS)])}\n"
        f"    exports: {_listed([*events, *commands, *batches])}\n"
        "  }\n"
        "  SUBSCRIBERS {\n"
        f'    users: [ {{ user: {SUBSCRIBER}, password: "{users.subscriber}", permissions: {{\n'
        f"      publish: {{ allow: {_listed([_quoted(subject) for subject in (*PUBLIC_COMMANDS, *reads())])} }}\n"
        f"      subscribe: {{ allow: {_listed([_quoted(subject) for subject in (*PUBLIC_EVENTS, _INBOX)])} }}\n"
        "    } } ]\n"
        f"    imports: {_listed([*taken, *asked])}\n"
        "  }\n"
        "}\n"
    )


def _admin(users: BusUsers) -> str:
    return f'{{ user: {ADMIN}, password: "{users.admin}" }}'


def _service(user: str, users: BusUsers) -> str:
    may = permissions_of(user)
    return (
        f'{{ user: "{user}", password: "{users.services[user]}", permissions: {{\n'
        f"      publish: {{ allow: {_listed(map(_quoted, may.publish))} }}\n"
        f"      subscribe: {{ allow: {_listed(map(_quoted, may.subscribe))} }}\n"
        "    } }"
    )


def _source(subject: str) -> str:
    return f"{{ account: {ACCOUNT}, subject: {_quoted(subject)} }}"


def _quoted(text: str) -> str:
    return f'"{text}"'


def _listed(entries: Iterable[str]) -> str:
    return "[\n      " + "\n      ".join(entries) + "\n    ]"
