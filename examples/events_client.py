"""`python examples/events_client.py`: whales and liquidations as they happen; after a break it goes on where it was."""

from __future__ import annotations

import sys
import time

import httpx
from place import api

CHANNELS = "whales,liquidations"


def main(symbols: str) -> None:
    url, key = api()
    last = ""
    while True:
        headers = {"Authorization": f"Bearer {key}"} | ({"Last-Event-ID": last} if last else {})
        try:
            last = follow(f"{url}/events?channels={CHANNELS}&symbols={symbols}", headers, last)
        except httpx.TransportError as error:
            print(f"the connection is gone ({type(error).__name__}); going on after event {last or 'none'}", flush=True)
        time.sleep(1)


def follow(address: str, headers: dict[str, str], last: str) -> str:
    """Print events until the connection ends; return the last one's id."""
    kind, data = "", ""
    with httpx.stream("GET", address, headers=headers, timeout=httpx.Timeout(10, read=30)) as answer:
        if answer.is_error:
            sys.exit(f"{answer.status_code}: {answer.read().decode()}")
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name == "id":
                last = value
            elif name == "event":
                kind = value
            elif name == "data":
                data = value
            elif not line and data:
                print(f"{kind}: {data}", flush=True)
                kind, data = "", ""
    return last


if __name__ == "__main__":
    try:
        main(",".join(sys.argv[1:]) or "BTC,ETH")
    except KeyboardInterrupt:
        print()
