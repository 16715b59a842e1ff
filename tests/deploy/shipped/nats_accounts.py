"""Writes deploy/nats/accounts.conf: `python -m tests.deploy.shipped.nats_accounts`.

It has the embedded server's accounts, with passwords from the environment.
"""

from __future__ import annotations

import re
from pathlib import Path

from runtime.servers.bus_users import BusUsers, accounts_text

ACCOUNTS = Path(__file__).parents[3] / "deploy" / "nats" / "accounts.conf"
HEAD = "# Written by `python -m tests.deploy.shipped.nats_accounts` from what the embedded server has.\n"
USERS = BusUsers(parts="$PARTS_PASSWORD", subscriber="$SUBSCRIBER_PASSWORD", admin="$ADMIN_PASSWORD")


def text() -> str:
    return HEAD + re.sub(r'"(\$\w+_PASSWORD)"', r"\1", accounts_text(USERS))


if __name__ == "__main__":
    ACCOUNTS.write_text(text())
