"""Who may do what on the embedded bus: each service what it needs, the admin everything, a subscriber what is public.

What the services need is declared in `contracts.users`. The admin is for whoever operates it: no part runs as it.
The subscriber lives in an account of its own into which the public subjects are imported. What it asks for is answered
to a subject of the server's making, so a reply subject of its choice reaches neither a stream nor a part.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from contracts import streams, subjects
from contracts.streams import STREAMS
from contracts.users.declared import USERS
from contracts.users.permissions import DEFAULT_INBOX, PUBLIC_COMMANDS, Permissions, permissions_of

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
        *(streams.COMMUNITY, streams.TELEGRAM, streams.SAMPLES),
        *(streams.PAST, streams.PAST_BOOKS, streams.PAST_TRADES),
    }
)
PUBLIC_STREAMS: Final = tuple(spec.name for spec in STREAMS if spec.name not in _PRIVATE)
ADMIN: Final = "admin"
SUBSCRIBER: Final = "subscriber"


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


def accounts(users: BusUsers) -> dict[str, Any]:
    """The accounts as the server's configuration has them."""
    asked = (*PUBLIC_COMMANDS, *reads())
    return {
        ACCOUNT: {
            "jetstream": "enabled",
            "users": [
                {"user": ADMIN, "password": users.admin},
                *(_user(name, users.services[name], permissions_of(name)) for name in USERS),
            ],
            "exports": [
                *({"stream": subject} for subject in PUBLIC_EVENTS),
                *({"service": subject} for subject in PUBLIC_COMMANDS),
                *({"service": subject, "response_type": "stream"} for subject in reads()),
            ],
        },
        "SUBSCRIBERS": {
            "users": [_user(SUBSCRIBER, users.subscriber, Permissions(asked, (*PUBLIC_EVENTS, f"{DEFAULT_INBOX}.>")))],
            "imports": [
                *({"stream": {"account": ACCOUNT, "subject": subject}} for subject in PUBLIC_EVENTS),
                *({"service": {"account": ACCOUNT, "subject": subject}} for subject in asked),
            ],
        },
    }


def accounts_text(users: BusUsers) -> str:
    """The accounts of the configuration file."""
    return f"accounts: {json.dumps(accounts(users), indent=1)}\n"


def _user(name: str, password: str, may: Permissions) -> dict[str, Any]:
    allowed = {"publish": {"allow": [*may.publish]}, "subscribe": {"allow": [*may.subscribe]}}
    return {"user": name, "password": password, "permissions": allowed}
