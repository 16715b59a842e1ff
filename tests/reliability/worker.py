"""A process that has an effect for each job, a document under the job's number, and then acknowledges the job.

`python worker.py <bus> <documents> <seed> <die>`: with a chance of `die` it kills itself between the two.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from typing import Final

from faststream.nats import NatsMessage, NatsRouter
from prometheus_client import CollectorRegistry

from contracts.streams import SIGNALS, DurableSpec
from runtime.app.application import make_broker
from runtime.app.service import Service
from runtime.app.serving import serve
from runtime.app.settling import durable
from runtime.nats.bus import Bus, BusOptions
from runtime.store import AlreadyThereError, Store

SUBJECT: Final = "signal.v1.whale.binance.BTC.USDT.spot"
SPEC: Final = DurableSpec(SIGNALS, "effects", SUBJECT, ack_wait=2, max_deliver=1000)


async def as_it_is(message: NatsMessage) -> bytes:
    return message.body


async def main(url: str, documents: str, chance: random.Random, die: float) -> None:
    """Serve until the process is killed."""
    bus = await Bus(BusOptions(servers=(url,), name="effects")).connect()
    effects = Store(documents, timeout=1.0).collection("effects")
    router = NatsRouter()

    @router.subscriber(**durable(SPEC), decoder=as_it_is)
    async def on_job(body: bytes) -> None:
        print(f"try {body.decode()} {asyncio.get_running_loop().time():.3f}", flush=True)
        try:
            await effects.insert_one({"_id": int(body)})
        except AlreadyThereError:
            return  # it was done before the acknowledgement was lost
        if chance.random() < die:
            print("dies", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

    broker = make_broker(bus, "effects", CollectorRegistry())
    await broker.start()
    await serve(router, Service(name="effects", bus=bus, broker=broker, ready=lambda: print("ready", flush=True)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], random.Random(int(sys.argv[3])), float(sys.argv[4])))
