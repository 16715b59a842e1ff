"""A stretch of a simulated market, published in real time while consumers run: prices, trades and liquidations."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from contracts import codec
from runtime.clock import now_ns
from runtime.nats.bus import Bus
from tests.consumers.conftest import make_liquidation, make_ticker, make_trade

BASES = ("BTC", "SOL", "PEPE")
VENUES = ("binance", "okx", "kraken")
STEP = 0.02  # seconds


@dataclass
class Stretch:
    """Publishes until it is told to stop; `start` and `end` are ns UTC."""

    bus: Bus
    seed: int = 1
    start: int = field(default_factory=now_ns)
    end: int = 0
    number: int = 0

    async def play(self, seconds: float) -> None:
        """Publish for so long; every step some trades, some liquidations, and what a USDT is worth."""
        dice, steps = random.Random(self.seed), int(seconds / STEP)
        for step in range(steps):
            if step % 5 == 0:
                await self._publish_dollar(dice)
            for _ in range(dice.randrange(4)):
                await self._publish_trades(dice)
            if dice.random() < 0.1:
                await self._publish_liquidation(dice)
            await asyncio.sleep(STEP)
        self.end = now_ns()

    async def _publish_dollar(self, dice: random.Random) -> None:
        last = str(Decimal(dice.randrange(9900, 10100)) / 10000)
        ticker = make_ticker(now_ns(), venue="kraken", symbol="USDT/USD", last=last)
        await self._publish("md.v1.ticker.kraken.USDT.USD.spot", ticker)

    async def _publish_trades(self, dice: random.Random) -> None:
        venue, base = dice.choice(VENUES), dice.choice(BASES)
        quote = "BTC" if base == "SOL" and venue == "okx" else "USD" if venue == "kraken" else "USDT"
        price, ts = "60000" if base == "BTC" else "2" if quote == "BTC" else "100", now_ns()
        side = dice.choice(("buy", "sell"))
        for _ in range(dice.choice((1, 1, 1, 3))):
            self.number += 1
            large = dice.random() < 0.04
            count = dice.choice((1200, 4000) if large else (1, 2, 5))
            amount = str(count * (1 if base != "BTC" else Decimal("0.01")))
            trade = make_trade(
                self.number,
                ts,
                id=f"{venue}.{base}.{quote}.spot.trade.{self.number}",
                venue=venue,
                symbol=f"{base}/{quote}",
                side=side,
                price=price,
                amount=amount,
                ts_recv=now_ns(),
                sim=True,
            )
            await self._publish(f"md.v1.trade.{venue}.{base}.{quote}.spot", trade)

    async def _publish_liquidation(self, dice: random.Random) -> None:
        base = dice.choice(BASES)
        self.number += 1
        event = make_liquidation(
            self.number,
            now_ns(),
            id=f"bybit.{base}.USDT.perp.liquidation.{self.number}",
            symbol=f"{base}/USDT:USDT",
            price="100",
            amount=str(dice.randrange(1, 900)),
            sim=True,
        )
        await self._publish(f"md.v1.liquidation.bybit.{base}.USDT.perp", event)

    async def _publish(self, subject: str, event: Any) -> None:
        await self.bus.jetstream().publish(subject, codec.encode(event))
