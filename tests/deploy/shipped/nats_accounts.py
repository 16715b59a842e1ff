"""Writes deploy/nats/accounts.conf and the chart's values: `python -m tests.deploy.shipped.nats_accounts`.

They have the embedded server's accounts, with passwords from the environment.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from contracts.users.declared import USERS
from runtime.servers.bus_users import ADMIN, SUBSCRIBER, BusUsers, accounts, accounts_text

ACCOUNTS = Path(__file__).parents[3] / "deploy" / "nats" / "accounts.conf"
VALUES = ACCOUNTS.parents[1] / "kubernetes" / "values" / "nats-users.yaml"
VALUES_HEAD = (
    "# Users of the NATS chart, beside nats.yaml. Written by `python -m tests.deploy.shipped.nats_accounts`.\n"
)
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


def values() -> str:
    """The same for the chart, which takes `<< … >>` as it is."""
    found = {"config": {"merge": {"accounts": accounts(WITH_VARIABLES)}}}
    plain = re.sub(r"(\$\w+_PASSWORD)", r"<< \1 >>", yaml.safe_dump(found, sort_keys=False, width=120))
    return VALUES_HEAD + plain


if __name__ == "__main__":
    ACCOUNTS.write_text(text())
    VALUES.write_text(values())
