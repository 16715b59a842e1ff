"""Load for a running API: `locust -f tests/load/locustfile.py --host URL`, with KEY in the environment.

Locust is no dependency of the project: `pip install locust` beside it. Docs: docs/OPERATIONS.md, "Load".
Most readers ask for prices again and again; some look at everything; a few watch health.
"""

from __future__ import annotations

import os
import random

from locust import HttpUser, between, task

SYMBOLS = os.environ.get("SYMBOLS", "BTC,ETH").split(",")
KEY = os.environ.get("KEY", "")


class Reader(HttpUser):
    """A program that asks about the market."""

    weight = 20
    wait_time = between(0.5, 2)

    def on_start(self) -> None:
        if KEY:
            self.client.headers["Authorization"] = f"Bearer {KEY}"

    def ask(self, path: str, **params: object) -> None:
        """One question about a symbol; all symbols of a path are one row of the report."""
        symbol = random.choice(SYMBOLS)
        if "{symbol}" in path:
            self.client.get(path.replace("{symbol}", symbol), params=params, name=path)
        else:
            self.client.get(path, params={"symbol": symbol, **params}, name=path)

    @task(10)
    def price(self) -> None:
        self.ask("/multi/ticker/{symbol}")

    @task(5)
    def snapshot(self) -> None:
        self.ask("/gpt/raw")

    @task(5)
    def book(self) -> None:
        self.ask("/gpt/orderbook", depth=20)

    @task(3)
    def whales(self) -> None:
        self.ask("/gpt/whale", limit=20)

    @task(3)
    def liquidations(self) -> None:
        self.ask("/gpt/liq", limit=20)

    @task(2)
    def candles(self) -> None:
        self.ask("/api/market/ohlc", timeframe="1m", limit=100)

    @task(1)
    def map(self) -> None:
        self.ask("/gpt/liqmap")

    @task(2)
    def graphql(self) -> None:
        query = "query($s: String!) { price(symbol: $s) { price } orderbook(symbol: $s) { spread } }"
        body = {"query": query, "variables": {"s": random.choice(SYMBOLS)}}
        self.client.post("/graphql", json=body, name="/graphql")


class Watcher(HttpUser):
    """A probe: its answers are to take less than 5 ms."""

    weight = 1
    wait_time = between(1, 2)

    @task(3)
    def alive(self) -> None:
        self.client.get("/health")

    @task(1)
    def ready(self) -> None:
        self.client.get("/health/ready")
