"""The compiled reader: frames, damaged ones too, give by tables what they give without; random tables break nothing."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from functools import cache, partial
from types import ModuleType
from typing import Any, Final
from zlib import crc32

NOW: Final = 1_800_000_000_000_000_000
_TICK: Final = '"best_bid_price":84644.8,"best_bid_amount":26980.0,"best_ask_price":84644.9,"best_ask_amount":7760.0'
FRAMES: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("binance", "spot"): (
        (
            '{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1723161255343,"s":"BTCUSDT","a":37,"p":"61837.63000000",'
            '"q":"0.02000000","T":1723161255342,"m":true,"M":true}}'
        ),
        '{"stream":"btcusdt@bookTicker","data":{"u":50,"s":"BTCUSDT","b":"61837.6","B":"3.7","a":"61838","A":"1.5"}}',
    ),
    ("okx", "public"): (
        (
            '{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"33","px":"30236",'
            '"sz":"0.0002","side":"buy","ts":"1652459224818"}]}'
        ),
        (
            '{"arg":{"channel":"tickers","instId":"BTC-USDT"},"data":[{"last":"30236","askPx":"3.7","askSz":"1.5","bidPx":"0",'
            '"bidSz":"0.2","open24h":"29700.4","high24h":"","low24h":"2","volCcy24h":"5.6","vol24h":"1","ts":"1652459224956"}]}'
        ),
    ),
    ("bybit", "linear"): (
        (
            '{"topic":"publicTrade.BTCUSDT","ts":1789299660724,"data":[{"i":"21","T":1789299660688,"p":"77140.5","v":"0.003",'
            '"S":"Sell","seq":21,"BT":false},{"i":"22","T":1789299660689,"p":"7","v":"0","S":"Buy"}]}'
        ),
        (
            '{"topic":"tickers.BTCUSDT","type":"snapshot","data":{"symbol":"BTCUSDT","price24hPcnt":"-0.017103","lastPrice":'
            '"17216.00","markPrice":"17217.33","openInterest":"68744.761","fundingRate":"-0.000212","nextFundingTime":'
            '"1673280000000","bid1Price":"17215.50","bid1Size":"84.489"},"cs":24,"ts":1673272861686}'
        ),
        '{"topic":"tickers.BTCUSDT","type":"delta","data":{"ask1Price":"17216.50","ask1Size":"8.4"},"cs":25,"ts":16732728616}',
    ),
    ("bybit", "inverse"): (
        (
            '{"topic":"tickers.BTCUSD","type":"snapshot","data":{"bid1Price":"17215.50","bid1Size":"84","openInterest":"7",'
            '"openInterestValue":"0.5","volume24h":"91","turnover24h":"0.1","indexPrice":""},"cs":24,"ts":1673272861686}'
        ),
    ),
    ("coinbase", "spot"): (
        (
            '{"type":"match","trade_id":15,"side":"sell","size":"450","price":"0.791","product_id":"SKL-USD","sequence":20,'
            '"time":"2021-04-17T16:43:37.121358Z"}'
        ),
        (
            '{"type":"ticker","sequence":33,"product_id":"SKL-USD","price":"14.7","open_24h":"14.6","volume_24h":"94.2",'
            '"best_bid":"14.7","best_ask":"14.8","time":"2024-02-29T16:43:30Z"}'
        ),
        (
            '{"channel":"market_trades","timestamp":"2026-09-30T02:39:59.615767928Z","sequence_num":249,"events":[{"type":'
            '"update","trades":[{"product_id":"SKL-USD","trade_id":"11","price":"8.6","size":"0.4","time":'
            '"2026-09-30T02:39:59.416138Z","side":"SELL"}]}]}'
        ),
        (
            '{"channel":"ticker","timestamp":"2026-09-30T02:39:59.615767928Z","events":[{"type":"update","tickers":[{'
            '"product_id":"SKL-USD","price":"14.7","best_bid":"14.7","best_bid_quantity":"1","best_ask":"0","best_ask_quantity'
            '":"2","low_24_h":"","volume_24_h":"5","price_percent_chg_24_h":"-0.5"}]}]}'
        ),
    ),
    ("kraken", "spot"): (
        (
            '{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":84655.2,"qty":7.5e-6,'
            '"trade_id":11,"timestamp":"2026-09-21T14:13:21.897590123Z"}]}'
        ),
        (
            '{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":84654.0,"bid_qty":0.3,"ask":0,"ask_qty":1,'
            '"last":84650.1,"volume":12248.09,"low":83972.8,"change_pct":-2.15,"timestamp":"2026-09-21T14:13:21Z"}]}'
        ),
    ),
    ("gate", "spot"): (
        (
            '{"time":1,"channel":"spot.trades","event":"update","result":{"id":46,"id_market":46,"create_time_ms":"1790000001518'
            '.065","side":"sell","currency_pair":"ETH_USDT","amount":"0.5","price":"2671.23","range":"46-46"}}'
        ),
    ),
    ("krakenfutures", "futures"): (
        (
            '{"feed":"trade","product_id":"PF_XBTUSD","uid":"05af","side":"buy","type":"fill","seq":11,"time":1790000003600,'
            '"qty":0.0342,"price":84651}'
        ),
    ),
    ("htx", "spot"): (
        (
            '{"ch":"market.btcusdt.trade.detail","ts":1790000001800,"tick":{"id":8,"data":[{"id":89,"ts":1790000001774,'
            '"tradeId":11,"amount":0.00045,"price":84663.31,"direction":"sell"}]}}'
        ),
    ),
    ("deribit", "public"): (
        (
            '{"method":"subscription","params":{"channel":"ticker.BTC-PERPETUAL.100ms","data":{"timestamp":1790000001200,'
            f'{_TICK},"last_price":84646.0,"mark_price":84644.8,"index_price":84644.8,"stats":{{"high":85327.2,"low":82550.1,'
            '"price_change":1.7046,"volume":12248.6,"volume_notional":1036801620.0},"open_interest":345600000.0,'
            '"current_funding":9.40e-07}}}'
        ),
    ),
}
ODD: Final = (
    *("1e400", "9.4e-07", "0e-3", "-1", "-0", "0", "0.0", "00012", "5.", "9" * 80, "0." + "1" * 80, "12e5", "null"),
    *(
        "true",
        "[]",
        "{}",
        '""',
        '"-0.00"',
        '"00012"',
        '"0"',
        '"0.000"',
        '"NaN"',
        '"' + "9" * 80 + '"',
        '"é"',
        '"\\u0031"',
    ),
    *(
        str(2**63),
        str(10**18),
        '"x"',
        '"' + "x" * 300 + '"',
        '"7-8"',
        '"2021-02-30T16:43:37Z"',
        '"1970-01-01T00:00:00Z"',
    ),
)
KEYS: Final = (b"a", b"b", b"c", b"rows")
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|null|true|false')
Decode = Callable[[bytes, int], Any]


class _Pair:
    """A venue's connection, decoded by tables and without."""

    def __init__(self, venue: str, market: str, frames: Iterable[str]) -> None:
        from producers.normalize import tables  # noqa: PLC0415 - it takes what is played with, which is loaded before
        from producers.normalize.events import Makers  # noqa: PLC0415
        from producers.registry import VENUES  # noqa: PLC0415

        find = cache(partial(VENUES[venue].guess, market))
        self.frames = tuple(frames)
        self.ways: list[Decode] = []
        is_compiled = tables.is_compiled
        for chosen in (is_compiled, lambda: False):
            tables.is_compiled = chosen
            decode = VENUES[venue].decoder(market, find, makers=Makers(sim=False, written=True)).decode
            for frame in self.frames:
                decode(frame.encode(), NOW)
            self.ways.append(decode)
        tables.is_compiled = is_compiled


def _damaged(text: str, rng: random.Random) -> bytes:
    """Change a value, a character, or the end of a frame, up to three times."""
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        at = rng.randrange(len(text) + 1)
        tokens = list(_TOKEN.finditer(text))
        if tokens and rng.random() < 0.7:
            token = rng.choice(tokens)
            text = text[: token.start()] + rng.choice(ODD) + text[token.end() :]
        elif rng.random() < 0.5:
            text = text[:at] + rng.choice(('"', "\\", ",", "{", "]", ":", " ", "\x00", "9", "[" * 50)) + text[at:]
        else:
            text = text[:at] + text[at + rng.choice((1, 2, 500)) :]
    return text.encode("utf-8", "surrogatepass")


def _said(decode: Decode, frame: bytes) -> Any:
    """Return the bytes of a frame's events, or its error."""
    try:
        events = decode(frame, NOW)
    except Exception as error:  # noqa: BLE001 - both are to raise the same
        return type(error), str(error)
    return [
        (b"".join(event.parts), event.detail) if hasattr(event, "parts") else str(getattr(event, "error", type(event)))
        for event in events
    ]


def play(module: ModuleType, rounds: Iterable[int], seed: int) -> None:
    """Read a frame each round; raises AssertionError where both ways differ."""
    rng = random.Random(seed)
    pairs = [_Pair(venue, market, frames) for (venue, market), frames in FRAMES.items()]
    for done in rounds:
        pair = rng.choice(pairs)
        frame = _damaged(rng.choice(pair.frames), rng)
        found = [_said(way, frame) for way in pair.ways]
        assert found[0] == found[1], (seed, done, frame, found)
        if done % 20 == 0:
            _try_table(module, rng)
        if done % 1000 == 999:  # a merged ticker that was once unusual stays with the venue's decoder
            pairs = [_Pair(venue, market, frames) for (venue, market), frames in FRAMES.items()]


def _try_table(module: Any, rng: random.Random) -> None:
    """Make a reader of random keys and steps, most of which are none, and read with it."""
    number = lambda most: rng.choice((-2, -1, most, 99)) if rng.random() < 0.05 else rng.randrange(most)  # noqa: E731
    kinds = 15
    writer = module.Writer(
        lambda *_given, **_named: "left",
        lambda *parts: parts,
        "route",
        (b"HPUB s ", b"NATS/1.0\r\nNats-Msg-Id: ", (b'{"id":', b',"v":', b"}"), b"\r\n"),
        (("id", "ts_event", "ts_recv", "v"), (..., None, ..., None), (0, 3), rng.choice((None, b"a."))),
        (None, (0, 3)),
        100,
        -1,
    )
    fields = rng.randint(1, 6)
    words: tuple[Any, ...] = tuple(
        (rng.choice((b"", b"1", b"x")), rng.choice((None, b"t"))) for _ in range(rng.randint(0, 3))
    )
    parts: tuple[Any, ...] = tuple((number(4), number(fields)) for _ in range(rng.randint(0, 4)))
    steps = tuple(
        (number(kinds), number(4), number(fields), rng.randint(0, 1), rng.choice((115, 110, 98)), number(fields),
         rng.choice((0, 1, 2, 1000, 10**6, 10**9)), rng.choice((words, parts, ())))
        for _ in range(rng.randint(0, 5))
    )  # fmt: skip
    keys = tuple(
        tuple(
            (rng.choice((b"a", b"b", b"c", b"rows")), number(4), number(max(fields, 3)))
            for _ in range(rng.randint(0, 4))
        )
        for _ in range(rng.randint(0, 3))
    )
    merging = (lambda _said: None, number(fields), rng.choice((0, 1, 7, 2**32 - 1)))
    outer = rng.randint(0, fields)
    try:
        plan = module.Plan(((writer, b"p.", rng.choice((0, 1, 4)), steps),) * rng.randint(0, 5))
        read = module.Reader(
            lambda *_given: "left", lambda _name: plan, crc32, keys, outer, fields, number(fields), merging
        ).read
    except (TypeError, ValueError):
        return
    value = lambda: rng.choice((*ODD, '{"a":"1","b":2,"c":"2024-02-29T16:43:30Z"}', '"1"', "5", "5", '"snapshot"'))  # noqa: E731
    for _ in range(5):
        row = ",".join(f'"{name}":{value()}' for name in ("a", "b", "c"))
        rows = rng.choice((f"{{{row}}}", f"{{{row}}},{{{row}}}", ""))
        frame = rng.choice((f"{{{row}}}", f'{{"a":{value()},"rows":[{rows}],"b":{value()}}}'))
        try:
            read(frame.encode(), rng.choice((NOW, 0, -1, 2**70)))
        except (TypeError, ValueError):
            continue
