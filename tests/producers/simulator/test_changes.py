"""Books that a plain client keeps by each venue's rules: nothing is removed that was never sent, checksums hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import pytest

from producers.simulator.config import SimulatorConfig
from producers.simulator.hub import Session, Tick
from producers.simulator.market.market import Market, MarketConfig
from producers.simulator.venue import Snapshots, find_seq, level_texts

BEGIN_US = 1_795_650_000_000_000
STEP_MS, SECONDS = 50, 60
Rows = list[tuple[str, float, float]]


@dataclass
class Kept:
    """A client's book; `unknown` are the rows that removed what was not there."""

    sides: dict[str, dict[float, float]] = field(default_factory=lambda: {"bid": {}, "ask": {}})
    numbers: list[int] = field(default_factory=list[int])
    unknown: list[tuple[str, float, float]] = field(default_factory=list[tuple[str, float, float]])
    rows: int = 0

    def apply(self, rows: Rows) -> None:
        """Apply rows one after the other."""
        for side, price, amount in rows:
            self.rows += 1
            levels = self.sides[side]
            if amount:
                levels[price] = amount
            elif levels.pop(price, None) is None:
                self.unknown.append((side, price, amount))


class Player:
    """One venue without sockets: a market that is moved by hand, one socket, and its frames."""

    def __init__(self, name: str, path: str = "/", seed: int = 7) -> None:
        config = SimulatorConfig(seed=seed, venues=(name,), bases=("BTC",), enforce_limits=False)
        self.market = Market(MarketConfig(seed, (name,), ("BTC",), 8.0, (5.0, 10.0), (30.0, 60.0)), BEGIN_US)
        self.listings = self.market.list_of(name)
        self.venue: Any = config.open_venue(name, self.listings, Snapshots())
        tokens = getattr(self.venue, "tokens", None)
        query = {} if tokens is None else {"token": tokens.issue(BEGIN_US)}
        self.session = Session(1, path, query, BEGIN_US)
        self.venue.on_open(self.session, BEGIN_US)

    def send(self, message: object) -> None:
        """Send one request."""
        self.venue.on_text(self.session, json.dumps(message), BEGIN_US)

    def play(self, read: Callable[[Any], None]) -> None:
        """Move the market for a minute; `read` gets every frame of the book. Ends with everything published."""
        steps = SECONDS * 1000 // STEP_MS
        for step in range(1, steps + 1):
            now_us = BEGIN_US + step * STEP_MS * 1000
            self.market.step(now_us, STEP_MS * 1000)
            for frame in self.venue.list_frames(Tick(now_us, step * STEP_MS, STEP_MS, flush=step == steps)):
                if frame.channel == "depth":
                    read(json.loads(frame.text))


def _sided(frame: dict[str, Any]) -> tuple[str, float, float]:
    return "bid" if frame["side"] == "buy" else "ask", frame["price"], frame["qty"]


def _read_krakenfutures(kept: Kept, frame: Any) -> None:
    kept.numbers.append(frame["seq"])
    if frame["feed"] == "book":
        kept.apply([_sided(frame)])
        return
    kept.apply([("bid", row["price"], row["qty"]) for row in frame["bids"]])
    kept.apply([("ask", row["price"], row["qty"]) for row in frame["asks"]])


def _read_kucoinfutures(kept: Kept, frame: Any) -> None:
    data = frame["data"]
    price, side, size = data["change"].split(",")
    kept.numbers.append(data["sequence"])
    kept.apply([("bid" if side == "buy" else "ask", float(price), float(size))])


def _read_deribit(kept: Kept, frame: Any) -> None:
    for side, name in (("bid", "bids"), ("ask", "asks")):
        for action, price, amount in frame["params"]["data"][name]:
            assert (price in kept.sides[side]) == (action in ("change", "delete"))
            kept.apply([(side, price, amount)])


def _read_bitfinex(kept: Kept, frame: Any) -> None:
    body = frame[1]
    if not isinstance(body, list):
        return
    for price, count, amount in body if isinstance(body[0], list) else [body]:
        kept.apply([("bid" if amount > 0 else "ask", price, abs(amount) if count else 0.0)])


READERS = {
    "krakenfutures": (
        "/ws/v1",
        {"event": "subscribe", "feed": "book", "product_ids": ["PF_XBTUSD"]},
        _read_krakenfutures,
    ),
    "kucoinfutures": (
        "/",
        {"id": 1, "type": "subscribe", "topic": "/contractMarket/level2:XBTUSDTM"},
        _read_kucoinfutures,
    ),
    "deribit": (
        "/ws/api/v2",
        {"id": 1, "method": "public/subscribe", "params": {"channels": ["book.BTC_USDC-PERPETUAL.100ms"]}},
        _read_deribit,
    ),
    "bitfinex": (
        "/ws/2",
        {"event": "subscribe", "channel": "book", "symbol": "tBTCUST", "len": "100"},
        _read_bitfinex,
    ),
}


@pytest.mark.parametrize("name", READERS)
def test_nothing_is_removed_that_was_never_sent(name: str) -> None:
    path, order, read = READERS[name]
    player, kept = Player(name, path), Kept()
    if name == "kucoinfutures":  # seeded by REST
        book = player.listings[0].book
        kept.sides = {"bid": {float(p): float(a) for p, a in book.bids.items()}, "ask": {}}
        kept.sides["ask"] = {float(p): float(a) for p, a in book.asks.items()}
    player.send(order)
    player.play(lambda frame: read(kept, frame))
    assert kept.rows > 400
    assert kept.unknown == []


@pytest.mark.parametrize("name", ["krakenfutures", "kucoinfutures"])
def test_every_change_has_a_number_of_its_own_one_apart_and_makes_the_true_book(name: str) -> None:
    path, order, read = READERS[name]
    player, kept = Player(name, path), Kept()
    listing = player.listings[0]
    if name == "kucoinfutures":
        kept.sides = {
            "bid": {float(p): float(a) for p, a in listing.book.bids.items()},
            "ask": {float(p): float(a) for p, a in listing.book.asks.items()},
        }
    player.send(order)
    player.play(lambda frame: read(kept, frame))
    assert kept.numbers == list(range(kept.numbers[0], kept.numbers[0] + len(kept.numbers)))
    assert kept.numbers[-1] == find_seq(player.venue, listing)
    for side, levels in (("bid", listing.book.list_bids()), ("ask", listing.book.list_asks())):
        assert kept.sides[side] == {float(p): float(a) for p, a in level_texts(listing, levels)}


@pytest.mark.parametrize("is_cut_by_row", [True, False], ids=["cut after each row", "cut after each message"])
@pytest.mark.parametrize("depth", [10, 25, 100])
def test_krakens_checksums_hold_however_a_client_cuts(depth: int, *, is_cut_by_row: bool) -> None:
    player, kept = Player("kraken", "/v2"), Kept()
    terms = player.listings[0].instrument
    sums: list[bool] = []

    def cut() -> None:
        for side, is_bid in (("bid", True), ("ask", False)):
            for price in sorted(kept.sides[side], reverse=is_bid)[depth:]:
                del kept.sides[side][price]

    def read(frame: Any) -> None:
        data = frame["data"][0]
        for side, name in (("bid", "bids"), ("ask", "asks")):
            for row in data[name]:
                kept.apply([(side, row["price"], row["qty"])])
                if is_cut_by_row:
                    cut()
        cut()
        best = [*sorted(kept.sides["ask"].items())[:10], *sorted(kept.sides["bid"].items(), reverse=True)[:10]]
        texts = (f"{price:.{terms.price_decimals}f} {amount:.{terms.amount_decimals}f}" for price, amount in best)
        digits = "".join(part.replace(".", "").lstrip("0") for text in texts for part in text.split())
        sums.append(crc32(digits.encode()) == data["checksum"])

    player.send({"method": "subscribe", "params": {"channel": "book", "symbol": ["BTC/USD"], "depth": depth}})
    player.play(read)
    assert (len(sums) > 200, sums.count(False)) == (True, 0)


def test_okx_book_seeded_between_two_pushes_keeps_no_level_that_is_gone() -> None:
    player, found = Player("okx", "/ws/v5/public"), list[Kept]()
    player.send({"op": "subscribe", "args": [{"channel": "books", "instId": "BTC-USDT-SWAP"}]})
    listing = next(item for item in player.listings if item.instrument.symbol == "BTC-USDT-SWAP")
    text = listing.instrument.price_text

    def rows(levels: Any) -> Rows:
        return [(side, float(p), float(a)) for side, part in zip(("bid", "ask"), levels, strict=True) for p, a in part]

    def read(frame: Any) -> None:
        data = frame["data"][0]
        for kept in found:
            kept.apply(rows(([row[:2] for row in data["bids"]], [row[:2] for row in data["asks"]])))

    def seed() -> None:
        book, kept = listing.book, Kept()
        for side, levels in (("bid", book.bids), ("ask", book.asks)):
            kept.sides[side] = {float(text(p)): float(listing.instrument.amount_text(a)) for p, a in levels.items()}
        found.append(kept)

    for step in range(1, 401):  # pushes come every 100 ms, the book is taken after each 50 ms
        now_us = BEGIN_US + step * STEP_MS * 1000
        player.market.step(now_us, STEP_MS * 1000)
        for frame in player.venue.list_frames(Tick(now_us, step * STEP_MS, STEP_MS, flush=step == 400)):
            if frame.channel == "depth" and frame.symbol == "BTC-USDT-SWAP":
                read(json.loads(frame.text))
        if step % 2 and step < 400:
            seed()
    own = {
        side: {float(text(p)) for p in levels}
        for side, levels in (("bid", listing.book.bids), ("ask", listing.book.asks))
    }
    assert len(found) > 100
    assert [kept for kept in found if any(set(kept.sides[side]) != own[side] for side in own)] == []
