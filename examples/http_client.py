"""REST in one file: `python examples/http_client.py demo` asks everything once, without `demo` there is a prompt."""

from __future__ import annotations

import json
import sys
from typing import Any

import httpx
from place import api

LINES = 18
QUESTIONS = {
    "raw": ("/gpt/raw", "symbol"),
    "whales": ("/gpt/whale", "symbol"),
    "liquidations": ("/gpt/liq", "symbol"),
    "book": ("/gpt/orderbook", "symbol"),
    "price": ("/api/market/price", "symbol"),
    "candles": ("/api/market/ohlc", "symbol"),
    "ticker": ("/multi/ticker/{}", None),
    "symbols": ("/multi/symbols", "symbol"),
    "health": ("/multi/health", None),
}


def main() -> None:
    url, key = api()
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=35) as client:
        if sys.argv[1:] == ["demo"]:
            for name in QUESTIONS:
                show(name, ask(client, name, "BTC"))
            show("a wrong symbol", ask(client, "raw", "NOSUCHCOIN"))
        else:
            talk(client)


def ask(client: httpx.Client, name: str, symbol: str) -> httpx.Response:
    path, parameter = QUESTIONS[name]
    return client.get(path.format(symbol), params={parameter: symbol} if parameter else {})


def show(title: str, answer: httpx.Response) -> None:
    body: dict[str, Any] = answer.json()
    text = json.dumps(body, indent=2, ensure_ascii=False).splitlines()
    print(f"\n=== {title}: {answer.status_code}, {answer.elapsed.total_seconds() * 1000:.0f} ms")
    print("\n".join(text[:LINES] + (["  …"] if len(text) > LINES else [])))


def talk(client: httpx.Client) -> None:
    print(f"Ask: {', '.join(QUESTIONS)}, each with a symbol (`raw BTC`); `quit` ends.")
    for line in iter(lambda: input("> ").split(), ["quit"]):
        if not line:
            continue
        if line[0] not in QUESTIONS:
            print(f"There is no {line[0]}: {', '.join(QUESTIONS)}")
            continue
        show(line[0], ask(client, line[0], line[1] if len(line) > 1 else "BTC"))


if __name__ == "__main__":
    try:
        main()
    except (EOFError, KeyboardInterrupt):
        print()
