"""Binance spot and the kinds of faults of the field."""

from __future__ import annotations

import json
from typing import Any, Final

from contracts.instrument import make_instrument
from producers.registry import VENUES
from producers.venue import CHANNELS
from tests.producers.kinds.asserting import crossing_passes, is_refused
from tests.producers.kinds.driving import START_S, Driven
from tests.producers.kinds.lagging import joins

MS: Final = START_S * 1000
ZEROS: Final = ("0", "0.0", "0.00000000")
MINI: Final = {"e": "24hrMiniTicker", "E": MS, "c": "1.5", "o": "1", "h": "2", "l": "1", "v": "1", "q": "1"}
TRADE: Final = {"e": "trade", "E": MS, "s": "ABCUSDT", "t": 7, "p": "1.5", "q": "2", "T": MS, "m": True, "M": True}
BOOK_TICKER: Final = {"u": 400, "s": "ABCUSDT", "b": "1.4", "B": "3", "a": "1.6", "A": "4"}


def combined(stream: str, data: Any) -> str:
    return json.dumps({"stream": stream, "data": data}, separators=(",", ":"), ensure_ascii=False)


def depth(first: int, last: int, bids: list[list[str]], asks: list[list[str]]) -> str:
    data = {"e": "depthUpdate", "E": MS, "s": "ABCUSDT", "U": first, "u": last, "b": bids, "a": asks}
    return combined("abcusdt@depth@100ms", data)


def snapshot(last: int, bid: str = "90", ask: str = "91") -> str:
    return json.dumps({"lastUpdateId": last, "bids": [[bid, "1"]], "asks": [[ask, "1"]]})


def driven(*channels: str) -> Driven:
    return Driven("binance", ["ABCUSDT", "LMNUSDT"], channels or ("trade", "ticker", "book"))


def lagging_snapshot() -> None:
    joins("binance", "ABCUSDT", lambda n: depth(n, n, [["89", str(n)]], []), snapshot)


def zero_price() -> None:
    for zero in ZEROS:
        drive = driven().feed(
            combined("abcusdt@bookTicker", BOOK_TICKER | {"a": zero}),
            combined("abcusdt@ticker", MINI | {"e": "24hrTicker", "s": "ABCUSDT", "c": zero, "l": zero, "P": "0"}),
            combined("abcusdt@trade", TRADE | {"p": zero}),
            combined("abcusdt@kline_1m", kline(zero)),
            depth(1, 2, [[zero, "1"], ["9", "1"]], []),
        )
        best, day = drive.of("ticker")
        assert (best.bid, best.bid_amount, best.ask, best.ask_amount) == ("1.4", "3", None, None)
        assert (day.last, day.low_24h, day.high_24h) == (None, None, "2")
        assert not drive.of("trade")
        assert not drive.of("candle")
        assert drive.of("delta")[0].bids == [("9", "1")]
        assert len(drive.unread) == 2
    history = VENUES["binance"].rest.history
    assert history is not None
    row = [MS, "1", "2", "0.0", "1", "3", MS + 59_999, "3", 1, "0", "0", "0"]
    body = json.dumps([row, [MS, "1", "2", "1", "1", "3", MS + 59_999, "3", 1, "0", "0", "0"]]).encode()
    found = history.decode_candles(body, driven().find("ABCUSDT"), "1m", ts_recv=MS * 10**6, sim=False)
    assert [candle.low for candle in found if candle.kind == "candle"] == ["1"]


def kline(low: str) -> dict[str, Any]:
    bar = {"t": MS, "i": "1m", "o": "1", "c": "1", "h": "2", "l": low, "v": "1", "q": "1", "n": 1, "x": False}
    return {"e": "kline", "E": MS, "s": "ABCUSDT", "k": bar}


def crossing() -> None:
    drive = driven("book")
    drive.feed(depth(2, 3, [["89", "1"]], []))
    drive.wanted()
    drive.answer("ABCUSDT", snapshot(2))
    frames = (depth(n, n, [["91.5", amount]], []) for n, amount in ((4, "0"), (5, "2"), (6, "0")))
    crossing_passes(drive, *map(json.loads, frames))


def bad_row() -> None:
    odd = [{"s": "XYZQQQ"}, {"s": "XYZUSDT", "c": "1e400"}, {"s": "XYZUSDT", "c": "1_0"}, {"s": None}, {"E": "x"}]
    for bad in odd:
        rows = [MINI | {"s": "ABCUSDT"}, MINI | {"s": "XYZUSDT"} | bad, MINI | {"s": "LMNUSDT"}]
        for frame in (combined("!miniTicker@arr", rows), json.dumps(rows)):
            drive = driven().feed(frame)
            assert [event.symbol for event in drive.of("ticker")] == ["ABC/USDT", "LMN/USDT"], bad
            assert len(drive.unread) == 1
    drive = driven().feed(depth(1, 2, [["9", "1"], ["8", "x"]], []))
    assert not drive.of("delta")
    assert len(drive.unread) == 1
    listed = [
        {"symbol": f"{base}USDT", "status": "TRADING", "baseAsset": base, "quoteAsset": "USDT"}
        for base in ("ABC", "X:Y", "LMN")
    ]
    found, _ = VENUES["binance"].rest.decode_instruments("spot", json.dumps({"symbols": [*listed, 5]}).encode())
    assert [getattr(item, "symbol", None) for item in found] == ["ABC/USDT", None, "LMN/USDT", None]


def omitted_field() -> None:
    none = dict.fromkeys("coh")
    drive = driven().feed(
        combined("abcusdt@ticker", MINI | {"e": "24hrTicker", "s": "ABCUSDT", "b": None, "B": "", "P": ""} | none),
        combined("abcusdt@bookTicker", BOOK_TICKER | {"b": "", "B": "", "a": None, "A": None}),
        combined("!miniTicker@arr", []),
    )
    assert [(event.last, event.bid, event.ask) for event in drive.of("ticker")] == [(None, None, None)] * 2
    assert drive.unread == []


def control_message() -> None:
    drive = driven().feed(
        '{"result":null,"id":1}',
        '{"result":true,"id":null}',
        '{"e":"serverShutdown","E":1}',
        combined("!serverShutdown", {"e": "serverShutdown", "E": 1}),
        '{"e":"somethingNew","E":1,"message":"of no instrument"}',
        '{"code":2,"msg":"Invalid request","id":7}',
    )
    assert drive.unread == []
    assert drive.feed('{"e":"newChannel","s":"ABCUSDT"}').unread == ["unknown event type 'newChannel'"]


def unknown_name() -> None:
    odd = ("XYZQQQ", "BTCUSD_PERP", "BTCUSDT_260327", "BTC-260327-100000-C", "btcusdt", "BTC/USDT", "USDT")
    is_refused("binance", [("spot", name) for name in odd])
    drive = driven().feed(
        combined("abcusdt@depth", json.loads(depth(1, 2, [], []))["data"] | {"pu": 0}),
        combined("abcusdt@aggTrade", TRADE | {"e": "aggTrade", "a": 1, "X": "MARKET"}),
    )
    assert drive.events == []
    assert all("futures" in reason for reason in drive.unread)
    drive = driven().feed(*(combined("abcusdt@trade", TRADE | {"s": name}) for name in ("ABCUSDT", "LMNUSDT")))
    assert [event.symbol for event in drive.of("trade")] == ["ABC/USDT"]
    assert "LMNUSDT" in drive.unread[0]


def shared_id() -> None:
    frames = [
        *(combined("abcusdt@trade", TRADE | {"t": number}) for number in (7, 8)),
        combined("abcusdt@aggTrade", TRADE | {"e": "aggTrade", "a": 7}),
        *(combined(f"{name}@bookTicker", BOOK_TICKER | {"s": name.upper()}) for name in ("abcusdt", "lmnusdt")),
        *(combined("abcusdt@miniTicker", MINI | {"s": "ABCUSDT", "c": last}) for last in ("1", "2")),
        *(combined("abcusdt@kline_1m", kline(low)) for low in ("0.5", "0.4")),
    ]
    check_ids(driven(), frames)


def check_ids(drive: Driven, frames: list[str]) -> None:
    """Feed frames of one event each, twice."""
    events = list(drive.feed(*frames).events)
    assert len(events) == len(frames)
    assert len({event.id for event in events}) == len(frames), "two events share an id"
    again = drive.feed(*frames).events[len(events) :]
    assert [event.id for event in again] == [event.id for event in events]


def subscription_limit() -> None:
    venue = VENUES["binance"]
    many = [make_instrument("binance", f"C{number}/USDT", f"C{number}USDT") for number in range(3000)]
    sockets = venue.plan(venue.ws_url, many, CHANNELS)
    assert sum(len(socket.subscriptions) for socket in sockets) == 4 * len(many)
    assert max(len(socket.subscriptions) for socket in sockets) <= 1024, "streams a connection"
    assert len(sockets) <= 300 <= 300 / venue.policy.connect_pace, "connections in 5 minutes"
    assert venue.policy.pace >= 1 / 5, "messages a second"


KINDS: Final[dict[str, Any]] = {
    "lagging_snapshot": lagging_snapshot,
    "zero_price": zero_price,
    "trade_holes": "no page of Binance says that `t` or `a` count without holes, and nothing else counts its trades",
    "crossing": crossing,
    "bad_row": bad_row,
    "omitted_field": omitted_field,
    "control_message": control_message,
    "unknown_name": unknown_name,
    "shared_id": shared_id,
    "price_kind": "Binance spot has no liquidations",
    "subscription_limit": subscription_limit,
}
