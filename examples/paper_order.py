"""A first order on paper, without any account anywhere: `python examples/paper_order.py [buy|sell] [AMOUNT] [SYMBOL]`.

It is previewed, placed once (its client id names it), and shown with what it executed and what there is afterwards.
"""

from __future__ import annotations

import sys
import time
from typing import Any
from uuid import uuid4

import httpx
from place import run_facts

BOOK_SECONDS = 30.0  # a copy that has just started has no live book yet


def main() -> None:
    side, amount, symbol = (sys.argv[1:] + ["buy", "0.01", "BTC/USDT"][len(sys.argv[1:]) :])[:3]
    url, key = access()
    order = {"account": "paper", "symbol": symbol, "side": side, "type": "market", "amount": amount}
    with httpx.Client(base_url=f"{url}/api/trading", headers={"Authorization": f"Bearer {key}"}, timeout=35) as client:
        print("preview:", ask(client, "POST", "/preview", order))
        placed = ask(client, "POST", "/orders", {**order, "client_id": uuid4().hex})
        print("order:", placed)
        print("executions:", [one for one in ask(client, "GET", "/fills")["items"] if one["order_id"] == placed["id"]])
        for account in ask(client, "GET", "/accounts")["items"]:
            print(f"{account['name']}:", {one["currency"]: one["free"] for one in account["balances"]})


def access() -> tuple[str, str]:
    """Return the API's URL and a key with the scope `trade`."""
    found = run_facts().get("api", {})
    if not found:
        sys.exit("No running copy was found: start `make demo`")
    return found["url"], found["admin_key"]


def ask(client: httpx.Client, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return an answer; waits while there is no live book yet, and ends the program where it is refused."""
    deadline = time.monotonic() + BOOK_SECONDS
    while True:
        answer = client.request(method, path, json=body)
        found: dict[str, Any] = answer.json()
        if answer.is_success:
            return found
        if found.get("error") not in {"NO_DATA", "NOT_READY"} or time.monotonic() > deadline:
            sys.exit(f"{answer.status_code}: {found}")
        time.sleep(1)


if __name__ == "__main__":
    main()
