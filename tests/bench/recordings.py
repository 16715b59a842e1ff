"""The frames that every side is measured on: jobs cut out of the recordings, written as one JSON file each.

A job holds, for each side, `frames` (measured) and `seed` (fed before, not measured), a REST depth answer for each
symbol where the venue's book needs one, and the instruments' names.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from producers.registry import VENUES
from tests.bench.sides.worker import BASE64

_BESIDE = Path("shared", "frames", "dev")  # beside the repository, or beside the folder that worktrees are in
RECORDED = next((at / _BESIDE for at in Path(__file__).resolve().parents[3:] if (at / _BESIDE).is_dir()), _BESIDE)


@dataclass(kw_only=True)
class Job:
    """`rest`: venue symbol -> depth answer. `symbols`: [venue symbol, base, quote]. `address`: the socket's."""

    id: str
    venue: str
    market: str
    channel: str
    label: str
    frames: list[str]
    seed: list[str] = field(default_factory=list[str])
    peer_frames: list[str] | None = None
    peer_seed: list[str] | None = None
    rest: dict[str, str] = field(default_factory=dict[str, str])
    symbols: list[list[str]] = field(default_factory=list[list[str]])
    ccxt: str = ""
    perp: bool = False
    peers: tuple[str, ...] = ("cryptofeed", "ccxt")  # who reads these frames
    compared: bool = True  # not where frames were made up: ratios on them are no claim

    def save(self, folder: Path) -> Path:
        path = folder / f"{self.id}.json"
        body = asdict(self)
        body["peer_frames"] = self.frames if self.peer_frames is None else self.peer_frames
        body["peer_seed"] = self.seed if self.peer_seed is None else self.peer_seed
        body["perp"] = self.perp or self.market == "linear"
        path.write_text(json.dumps(body), encoding="utf-8")
        return path


def as_text(frame: bytes) -> str:
    """A frame as a job holds it (`worker.read_job` reads it again): what is no text in base64."""
    try:
        return frame.decode()
    except UnicodeDecodeError:
        return BASE64 + base64.b64encode(frame).decode()


def available() -> bool:
    return (RECORDED / "binance").is_dir()


def _rows(name: str) -> list[dict[str, Any]]:
    with (RECORDED / name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _named(job: Job, venue_symbols: Iterable[str]) -> Job:
    guess = VENUES[job.venue].guess
    for name in venue_symbols:
        instrument = guess(job.market, name)
        job.symbols.append([name, instrument.base, instrument.quote])
    return job


def as_agg_trade(raw: str) -> str:
    """A recorded `trade` as the `aggTrade` that cryptofeed reads; the same values."""
    text = raw.replace("@trade", "@aggTrade").replace('"e":"trade"', '"e":"aggTrade"')
    return re.sub(r'"t":(\d+)', r'"a":\1,"f":\1,"l":\1', text)


def _binance(venue: str, file: str, symbol: str) -> list[Job]:
    rows = _rows(file)
    at = next(number for number, row in enumerate(rows) if row["channel"] == "rest_depth")
    snapshot = json.loads(rows[at]["raw"])
    last = snapshot["lastUpdateId"]
    depth = [row["raw"] for row in rows if row["channel"].startswith("depth@")]
    depth = [raw for raw in depth if json.loads(raw)["data"]["u"] > last]
    market = VENUES[venue].markets[0]
    known: dict[str, Any] = {"venue": venue, "market": market, "label": venue, "ccxt": venue}
    jobs = [
        Job(
            id=f"{venue}-trade",
            channel="trade",
            frames=[as_agg_trade(row["raw"]) for row in rows if row["channel"] == "trade"][:1500],
            **known,
        ),
        Job(
            id=f"{venue}-ticker",
            channel="ticker",
            frames=[row["raw"] for row in rows if row["channel"] == "bookTicker"][:1500],
            **known,
        ),
        Job(id=f"{venue}-book", channel="book", frames=depth, rest={symbol: rows[at]["raw"]}, **known),
    ]
    return [_named(job, [symbol]) for job in jobs]


def _bybit() -> list[Job]:
    rows = _rows("bybit/fastmm_v5_spot_testnet_btcusdt.jsonl")
    book = [row["raw"] for row in rows if row["channel"] == "orderbook.50"]
    tickers = _rows("bybit/nautilus_single_frames.jsonl") + _rows("bybit/community_tickers_delta.jsonl")
    tickers = [row["raw"] for row in tickers if "tickers.BTCUSDT" in row["raw"]]
    known: dict[str, Any] = {"venue": "bybit", "label": "bybit", "ccxt": "bybit"}
    jobs = [
        Job(
            id="bybit-trade",
            channel="trade",
            market="spot",
            frames=[row["raw"] for row in rows if row["channel"] == "publicTrade"],
            **known,
        ),
        Job(id="bybit-ticker", channel="ticker", market="linear", frames=tickers, **known),
        Job(id="bybit-book", channel="book", market="spot", seed=book[:1], frames=book[1:], **known),
    ]
    return [_named(job, ["BTCUSDT"]) for job in jobs]


def _okx() -> list[Job]:
    rows = [row for row in _rows("okx/cryptofeed_ws1.jsonl") if '"data"' in row["raw"]]
    known: dict[str, Any] = {"venue": "okx", "market": "public", "label": "okx", "ccxt": "okx"}
    book = [row["raw"] for row in rows if row["channel"] == "books"]
    jobs = [
        Job(
            id=f"okx-{channel}",
            channel=channel,
            frames=[row["raw"] for row in rows if row["channel"] == name],
            **known,
        )
        for channel, name in (("trade", "trades"), ("ticker", "tickers"))
    ]
    jobs.append(Job(id="okx-book", channel="book", seed=book[:1], frames=book[1:], **known))
    return [_named(job, ["BTC-USDT"]) for job in jobs]


def _advanced(raw: str) -> str:
    """What an Exchange frame says, as Advanced Trade's feed would: the one that cryptofeed 3 and CCXT read."""
    row = json.loads(raw)
    product, time = row["product_id"], row.get("time") or "2021-04-17T16:43:30.244075Z"
    if row["type"] == "match":
        trade = {
            "product_id": product,
            "trade_id": str(row["trade_id"]),
            "price": row["price"],
            "size": row["size"],
            "time": time,
            "side": row["side"].upper(),
        }
        channel, event = "market_trades", {"type": "update", "trades": [trade]}
    elif row["type"] == "ticker":
        ticker = {
            "type": "ticker",
            "product_id": product,
            "price": row["price"],
            "volume_24_h": row["volume_24h"],
            "low_24_h": row["low_24h"],
            "high_24_h": row["high_24h"],
            "price_percent_chg_24_h": "1.5",
            "best_bid": row["best_bid"],
            "best_bid_quantity": "1.5",
            "best_ask": row["best_ask"],
            "best_ask_quantity": "0.5",
        }
        channel, event = "ticker", {"type": "update", "tickers": [ticker]}
    else:
        is_whole = row["type"] == "snapshot"
        changes = (
            [("buy", *level) for level in row["bids"]] + [("sell", *level) for level in row["asks"]]
            if is_whole
            else row["changes"]
        )
        updates = [
            {
                "side": "bid" if side == "buy" else "offer",
                "event_time": time,
                "price_level": price,
                "new_quantity": "0" if amount.strip("0.") == "" else amount,
            }
            for side, price, amount in changes
        ]
        channel = "l2_data"
        event = {"type": "snapshot" if is_whole else "update", "product_id": product, "updates": updates}
    head = {"channel": channel, "client_id": "", "timestamp": time, "events": [event]}
    return json.dumps(head, separators=(",", ":"))


def _coinbase() -> list[Job]:
    rows = _rows("coinbase/cryptofeed_ws28.jsonl")
    products = sorted({row["symbol"] for row in rows if row["symbol"] and row["channel"] == "snapshot"})
    jobs: list[Job] = []
    known: dict[str, Any] = {"venue": "coinbase", "market": "spot", "ccxt": "coinbase"}
    for channel, name in (("trade", "match"), ("ticker", "ticker"), ("book", "l2update")):
        frames = [row["raw"] for row in rows if row["channel"] == name][:1500]
        seed = [row["raw"] for row in rows if row["channel"] == "snapshot"] if channel == "book" else []
        theirs, their_seed = [_advanced(raw) for raw in frames], [_advanced(raw) for raw in seed]
        jobs += [
            Job(
                id=f"coinbase-{channel}",
                channel=channel,
                label="coinbase",
                frames=frames,
                seed=seed,
                peer_frames=theirs,
                peer_seed=their_seed,
                **known,
            ),
            Job(
                id=f"coinbase-advanced-{channel}",
                channel=channel,
                label="coinbase, Advanced Trade frames",
                compared=False,
                frames=theirs,
                seed=their_seed,
                **known,
            ),
        ]
    return [_named(job, products) for job in jobs]


def decode_jobs() -> list[Job]:
    """Every venue and channel of the recordings."""
    spot = _binance("binance", "binance/hftbacktest_spot_btcusdt_20240808.jsonl", "BTCUSDT")
    usdm = _binance("binanceusdm", "binance_futures/hftbacktest_usdm_ethusdt_20240808.jsonl", "ETHUSDT")
    return [*spot, *usdm, *_bybit(), *_okx(), *_coinbase()]


def _cloned(frames: Iterable[str], symbols: list[str]) -> list[str]:
    """Each frame for each of the symbols in turn: more instruments on one connection, each with the recorded day."""
    return [
        frame.replace("BTCUSDT", symbol).replace("btcusdt", symbol.lower()) for frame in frames for symbol in symbols
    ]


def chain_jobs() -> list[Job]:
    """Binance spot as one connection carries it: trades, everything as recorded, and books, for several instruments."""
    rows = _rows("binance/hftbacktest_spot_btcusdt_20240808.jsonl")
    trade, _ticker, book = _binance("binance", "binance/hftbacktest_spot_btcusdt_20240808.jsonl", "BTCUSDT")
    kept = set(book.frames)
    mix = [
        as_agg_trade(row["raw"]) if row["channel"] == "trade" else row["raw"]
        for row in rows
        if row["channel"] in {"trade", "bookTicker"} or row["raw"] in kept
    ]
    jobs: list[Job] = []
    for name, frames, clones in (("trades", trade.frames, 10), ("mix", mix, 2), ("books", book.frames, 10)):
        symbols = [f"{chr(65 + number) * 3}USDT" for number in range(clones)]
        job = Job(
            id=f"chain-{name}",
            venue="binance",
            market="spot",
            channel=name,
            label=name,
            frames=_cloned(frames, symbols),
            rest={} if name == "trades" else dict.fromkeys(symbols, book.rest["BTCUSDT"]),
            ccxt="binance",
        )
        jobs.append(_named(job, symbols))
    return jobs


def _names(count: int) -> list[str]:
    return [f"{chr(65 + number // 26)}{chr(65 + number % 26)}ZUSDT" for number in range(count)]


def many_books(count: int = 200) -> Job:
    """So many instruments, each with a recorded book of 1000 levels a side."""
    book = _binance("binance", "binance/hftbacktest_spot_btcusdt_20240808.jsonl", "BTCUSDT")[2]
    names = _names(count)
    rest = dict.fromkeys(names, book.rest["BTCUSDT"])
    job = Job(id=f"books-{count}", venue="binance", market="spot", channel="book", label="books", frames=[], rest=rest)
    return _named(job, names)


def spread(instruments: int, frames: int = 8000) -> Job:
    """As many trades and tickers, in turn over so many instruments."""
    trade, ticker, _ = _binance("binance", "binance/hftbacktest_spot_btcusdt_20240808.jsonl", "BTCUSDT")
    both = [frame for pair in zip(trade.frames, ticker.frames, strict=False) for frame in pair]
    names = _names(instruments)
    chosen = [both[number % len(both)] for number in range(frames)]
    told = [_cloned([frame], [names[number % instruments]])[0] for number, frame in enumerate(chosen)]
    job = Job(id=f"spread-{instruments}", venue="binance", market="spot", channel="mix", label="spread", frames=told)
    return _named(job, names)
