"""Starts processes of the webhooks consumer, one for each line it reads, by fork: a new one costs milliseconds."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import CollectorRegistry

from consumers.webhooks.delivery.rules import DeliveryRules, DigestRules
from consumers.webhooks.handlers import WebhooksPlan, run
from consumers.webhooks.matching.running import MatchingPlan
from consumers.webhooks.transport import TransportRules
from runtime.app.application import make_broker
from runtime.app.service import Service
from runtime.nats.bus import Bus, BusOptions

PEPPER = b"pepper-of-the-tests"
SEED = bytes(range(32))
RETRIES = (0.05, 0.1, 0.2, 0.4, 0.8, 0.8, 0.8)


def make_plan(documents: str) -> WebhooksPlan:
    """Everything as in production, but quicker."""
    return WebhooksPlan(
        documents=documents,
        pepper=lambda: PEPPER,
        key=lambda: Ed25519PrivateKey.from_private_bytes(SEED),
        rules=TransportRules(allow=frozenset({"127.0.0.1"}), seconds=2.0),
        delivery=DeliveryRules(retries=RETRIES, circuit_first=0.2, circuit_longest=1.0),
        matching=MatchingPlan(digests=DigestRules(seconds=0), reconcile_seconds=1.0, notice_seconds=0.2),
    )


async def serve(url: str, documents: str) -> None:
    """Run the consumer, and again where it fails, as its supervisor does."""
    bus = await Bus(BusOptions(servers=(url,), name="webhooks")).connect()
    while True:
        broker = make_broker(bus, "webhooks", CollectorRegistry())
        await broker.start()
        try:
            await run(Service(name="webhooks", bus=bus, broker=broker), make_plan(documents))
        except Exception as error:  # noqa: BLE001  # as the supervisor
            sys.stderr.write(f"{os.getpid()} again: {type(error).__name__}: {error}\n")
            await asyncio.sleep(0.2)
        finally:
            await broker.stop()


def main() -> None:
    """Fork for each line, and write the process's id."""
    url, documents = sys.argv[1:]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        pid = os.fork()
        if not pid:
            os.dup2(2, 1)  # what it logs is not for who reads the ids
            sys.stdout = os.fdopen(1, "w", buffering=1)
            asyncio.run(serve(url, documents))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
