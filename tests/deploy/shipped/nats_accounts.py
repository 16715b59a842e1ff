"""Writes deploy/nats/accounts.conf: `python -m tests.deploy.shipped.nats_accounts`.

It has the embedded server's accounts, with passwords from the environment.
"""

from __future__ import annotations

import re
from pathlib import Path

from contracts.users.declared import USERS
from runtime.servers.bus_users import ADMIN, SUBSCRIBER, BusUsers, accounts_text

ACCOUNTS = Path(__file__).parents[3] / "deploy" / "nats" / "accounts.conf"
HEAD = "# Written by `python -m tests.deploy.shipped.nats_accounts` from what the embedded server has.\n"


def variable(user: str) -> str:
    """The name of the environment's variable that has a user's password."""
    return f"{user.upper().replace('-', '_')}_PASSWORD"


VARIABLES = [variable(user) for user in (ADMIN, SUBSCRIBER, *USERS)]
WITH_VARIABLES = BusUsers(
    admin=f"${variable(ADMIN)}",
    subscriber=f"${variable(SUBSCRIBER)}",
    services={user: f"${variable(user)}" for user in USERS},
)


def text() -> str:
    return HEAD + re.sub(r'"(\$\w+_PASSWORD)"', r"\1", accounts_text(WITH_VARIABLES))


if __name__ == "__main__":
    ACCOUNTS.write_text(text())
