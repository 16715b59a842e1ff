"""Binance USD-M and the kinds of faults of the field."""

from __future__ import annotations

import json
from typing import Any, Final

from contracts.instrument import make_instrument
from producers.registry import VENUES
from producers.venue import CHANNELS
from tests.producers.kinds.asserting import crossing_passes, is_refused, says
from tests.producers.kinds.binance import BOOK_TICKER, MINI, MS, check_ids, combined, kline
from tests.producers.kinds.driving import Driven
from tests.producers.kinds.lagging import joins

DAY: Final = MINI | {"e": "24hrTicker", "P": "-0.5", "st": 1, "ps": "ABCUSDT"}
AGG: Final = {
    "e": "aggTrade",
    "E": MS,
    "s": "ABCUSDT",
    "a": 7,
    "p": "1.5",
    "q": "2",
    "nq": "1",
    "f": 9,
    "l": 12,
    "T": MS,
    "m": True,
    "st": 1,
}
MARK: Final = {
    "e": "markPriceUpdate",
    "E": MS,
    "s": "ABCUSDT",
    "p": "1.5",
    "ap": "1.4",
    "i": "1.4",
    "r": "-1e-05",
    "T": MS,
}
ORDER: Final = {"s": "ABCUSDT", "S": "SELL", "q": "3", "p": "1.2", "ap": "1.3", "X": "FILLED", "T": MS}
BEST: Final = BOOK_TICKER | {"e": "bookTicker", "T": MS, "E": MS, "st": 1, "ps": "ABCUSDT"}


def depth(number: int, bids: list[list[str]], asks: list[list[str]]) -> str:
    data = {"e": "depthUpdate", "E": MS, "T": MS, "s": "ABCUSDT", "U": number, "u": number, "pu": number - 1}
    return combined("abcusdt@depth@100ms", {**data, "b": bids, "a": asks})


def snapshot(last: int) -> str:
    return json.dumps({"lastUpdateId": last, "E": MS, "T": MS, "bids": [["90", "1"]], "asks": [["91", "1"]]})


def driven(*channels: str) -> Driven:
    return Driven("binanceusdm", ["ABCUSDT", "LMNUSDT"], channels or CHANNELS)


def forced(**fields: Any) -> str:
    return combined("!forceOrder@arr", {"e": "forceOrder", "E": MS, "o": ORDER | fields})


def lagging_snapshot() -> None:
    joins("binanceusdm", "ABCUSDT", lambda n: depth(n, [["89", str(n)]], []), snapshot)


def zero_price() -> None:
    for zero in ("0", "0.0", "0.00000000"):
        drive = driven().feed(
            combined("abcusdt@bookTicker", BEST | {"b": zero}),
            combined("abcusdt@ticker", DAY | {"s": "ABCUSDT", "c": zero, "o": zero}),
            combined("abcusdt@markPrice@1s", MARK | {"i": zero}),
            combined("abcusdt@aggTrade", AGG | {"p": zero}),
            combined("abcusdt@kline_1m", kline(zero)),
            forced(p=zero),
            forced(ap=zero),
            depth(2, [], [[zero, "1"], ["9", "1"]]),
        )
        best, day = drive.of("ticker")
        says(best, bid=None, bid_amount=None, ask="1.6", ask_amount="4")
        says(day, last=None, open_24h=None, high_24h="2", change_24h="-0.5")
        says(drive.of("funding")[0], mark_price="1.5", index_price=None, rate="-0.00001")
        says(drive.of("liquidation")[0], price="1.2", average_price=None)
        assert drive.of("delta")[0].asks == [("9", "1")]
        assert len(drive.events) == 5 + len(drive.of("book"))
        assert len(drive.unread) == 3
    history = VENUES["binanceusdm"].rest.history
    assert history is not None
    rows = [{"a": number, "p": str(number), "q": "1", "f": 1, "l": 2, "T": MS, "m": True} for number in (0, 1)]
    found = history.decode_trades(json.dumps(rows).encode(), drive.find("ABCUSDT"), ts_recv=MS * 10**6, sim=False)
    assert [trade.price for trade in found if trade.kind == "trade"] == ["1"]


def crossing() -> None:
    drive = driven("book").feed(depth(3, [["89", "1"]], []))
    drive.wanted()
    drive.answer("ABCUSDT", snapshot(2))
    frames = (depth(n, [["91.5", amount]], []) for n, amount in ((4, "0"), (5, "2"), (6, "0")))
    crossing_passes(drive, *map(json.loads, frames))


def bad_row() -> None:
    odd = [{"s": "XYZQQQ"}, {"s": "XYZUSDT", "c": "1e400"}, {"s": "XYZUSDT", "v": "-1"}, {"s": None}, {"E": None}]
    for bad in odd:
        rows = [DAY | {"s": "ABCUSDT"}, DAY | {"s": "XYZUSDT"} | bad, DAY | {"s": "LMNUSDT"}]
        for frame in (combined("!ticker@arr", rows), json.dumps(rows)):
            drive = driven().feed(frame)
            assert [event.symbol for event in drive.of("ticker")] == ["ABC/USDT:USDT", "LMN/USDT:USDT"], bad
            assert len(drive.unread) == 1
    marks = [MARK, MARK | {"s": "XYZQQQ"}, MARK | {"s": "XYZUSDT", "r": "x"}, MARK | {"s": "LMNUSDT"}]
    drive = driven().feed(combined("!markPrice@arr@1s", marks))
    assert [event.symbol for event in drive.of("funding")] == ["ABC/USDT:USDT", "LMN/USDT:USDT"]
    assert len(drive.unread) == 2
    drive = driven().feed(depth(2, [["9", "1"], ["8", "1_0"]], []))
    assert not drive.of("delta")
    row = {"status": "TRADING", "contractType": "PERPETUAL", "quoteAsset": "USDT", "marginAsset": "USDT"}
    listed = [{**row, "symbol": f"{base}USDT", "baseAsset": base} for base in ("ABC", "X:Y", "LMN")]
    dated = {**row, "contractType": "CURRENT_QUARTER", "symbol": "ABCUSDT_SOON", "baseAsset": "ABC"}
    body = json.dumps({"symbols": [*listed, dated, {"symbol": 5}]}).encode()
    found, _ = VENUES["binanceusdm"].rest.decode_instruments("linear", body)
    names = [getattr(item, "symbol", None) for item in found]
    assert names == ["ABC/USDT:USDT", None, "LMN/USDT:USDT", None, None]


def omitted_field() -> None:
    drive = driven().feed(
        combined("abcusdt@ticker", DAY | {"s": "ABCUSDT", "st": None, "P": None} | dict.fromkeys("cohlvq")),
        combined("abcusdt@bookTicker", BEST | {"b": "", "B": "", "a": None, "A": None, "T": None}),
        combined("abcusdt_260327@markPrice", MARK | {"s": "ABCUSDT_260327", "r": "", "T": 0, "i": ""}),
        combined("abcusdt@aggTrade", {name: value for name, value in AGG.items() if name not in {"a", "nq", "st"}}),
        combined("!ticker@arr", []),
    )
    assert [(event.last, event.bid, event.ask) for event in drive.of("ticker")] == [(None, None, None)] * 2
    says(drive.of("funding")[0], rate=None, next_ts=None, index_price=None)
    assert drive.of("trade")[0].trade_id == "9-12"
    assert drive.unread == []


def control_message() -> None:
    drive = driven().feed(
        '{"result":null,"id":1}',
        '{"e":"serverShutdown","E":1}',
        '{"e":"somethingNew","E":1,"message":"of no instrument"}',
        combined("tradingSession", {"e": "EquityUpdate", "E": 1}),
    )
    assert drive.unread == []
    assert drive.feed('{"e":"newChannel","s":"ABCUSDT"}').unread == ["unknown event type 'newChannel'"]


def unknown_name() -> None:
    odd = ("XYZQQQ", "BTCUSD_PERP", "BTCUSDT_1", "BTCUSDT_", "BTC-260327-100000-C", "btcusdt", "BTC/USDT", "USDT")
    is_refused("binanceusdm", [("linear", name) for name in odd])
    drive = driven().feed(
        combined("abcusdt@aggTrade", AGG | {"M": True}),
        combined("!ticker@arr", [DAY | {"s": "ABCUSD_PERP", "st": 2}]),
    )
    assert drive.events == []
    assert ["spot" in reason for reason in drive.unread] == [True]
    drive = driven().feed(*(combined("abcusdt@aggTrade", AGG | {"s": name}) for name in ("ABCUSDT", "LMNUSDT")))
    assert [event.symbol for event in drive.of("trade")] == ["ABC/USDT:USDT"]
    assert "LMNUSDT" in drive.unread[0]
    drive = driven().feed(*(combined("abcusdt@trade", AGG | {"e": "trade", "t": 5, "p": "0", "X": kind}) for kind in
                            ("NA", "INSURANCE_FUND", "ADL")))  # fmt: skip
    assert (drive.events, drive.unread) == ([], [])


def shared_id() -> None:
    frames = [
        *(combined("abcusdt@aggTrade", AGG | {"a": number}) for number in (7, 8)),
        combined("abcusdt@trade", AGG | {"e": "trade", "t": 7}),
        *(combined(f"{name}@bookTicker", BEST | {"s": name.upper()}) for name in ("abcusdt", "lmnusdt")),
        *(combined("abcusdt@ticker", DAY | {"s": "ABCUSDT", "c": last}) for last in ("1", "2")),
        *(combined("abcusdt@kline_1m", kline(low)) for low in ("0.5", "0.4")),
        *(combined("abcusdt@markPrice@1s", MARK | {"p": price}) for price in ("1", "2")),
        *(forced(ap=average) for average in ("0", "1.1", "1.2")),
    ]
    check_ids(driven(), frames)


def price_kind() -> None:
    (event,) = driven().feed(forced()).of("liquidation")
    says(event, price="1.2", price_kind="limit", average_price="1.3", position_side="long", order_side="sell")
    assert event.sampled


def subscription_limit() -> None:
    venue = VENUES["binanceusdm"]
    many = [make_instrument("binanceusdm", f"C{n}/USDT:USDT", f"C{n}USDT") for n in range(1000)]
    sockets = venue.plan(venue.ws_url, many, CHANNELS)
    assert sum(len(socket.subscriptions) for socket in sockets) == 6 * len(many)
    assert max(len(socket.subscriptions) for socket in sockets) <= 200, "streams a connection"
    assert len(sockets) <= 300 <= 300 / venue.policy.connect_pace, "connections in 5 minutes"
    assert venue.policy.pace >= 1 / 10, "messages a second"


KINDS: Final[dict[str, Any]] = {
    "lagging_snapshot": lagging_snapshot,
    "zero_price": zero_price,
    "trade_holes": (
        "the page of aggTrade says that fills of the insurance fund and of ADL, which have numbers too, are left out, "
        "and no page says that `a` counts without holes"
    ),
    "crossing": crossing,
    "bad_row": bad_row,
    "omitted_field": omitted_field,
    "control_message": control_message,
    "unknown_name": unknown_name,
    "shared_id": shared_id,
    "price_kind": price_kind,
    "subscription_limit": subscription_limit,
}
