"""Kraken: frames as the vendor's pages describe them, with invented values, and the events they become."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from contracts.codec import EVENTS, decoder, encode
from contracts.errors import FrameError, SymbolSyntaxError
from contracts.instrument import make_instrument
from producers.normalize.events import Makers
from producers.venue import BOOK, CHANNELS, TRADE, Ack, Closing, Pong, Proof, Refused, Subscription
from producers.venues.kraken import VENUE
from runtime.book.keeper import BookKeeper, Change

TIME, TIME_NS = "2026-11-21T20:00:00.123456Z", 1_795_291_200_123_456_000
RECEIVED = TIME_NS + 5_000_000
PAIR = make_instrument("kraken", "BTC/USD", "BTC/USD")


class Socket:
    """One connection's decoder; `send` takes a frame's text and gives events as the bus would carry them."""

    def __init__(self, *, sim: bool = False) -> None:
        self._decoder = VENUE.decoder("spot", lambda name: VENUE.guess("spot", name), makers=Makers(sim=sim))

    def events(self, frame: str) -> list[Any]:
        return list(self._decoder.decode(frame.encode(), RECEIVED))

    def send(self, frame: str) -> list[Any]:
        return [_said(event) for event in self.events(frame)]


def _said(event: Any) -> Any:
    if event.kind not in EVENTS:
        return event
    decoder(EVENTS[event.kind]).decode(encode(event))  # fit for the bus
    return {"kind": event.kind, **json.loads(encode(event))}


def push(channel: str, kind: str, *rows: str) -> str:
    return f'{{"channel":"{channel}","type":"{kind}","data":[{",".join(rows)}]}}'


def trade(number: int, price: str = "91000.10", qty: str = "0.00027000") -> str:
    return (
        f'{{"symbol":"BTC/USD","side":"sell","price":{price},"qty":{qty},"ord_type":"limit",'
        f'"trade_id":{number},"timestamp":"{TIME}"}}'
    )


def book(kind: str, sides: tuple[str, str], checksum: int = 1) -> str:
    bids, asks = sides
    rest = f'"checksum":{checksum},"timestamp":"{TIME}"'
    return push("book", kind, f'{{"symbol":"BTC/USD","bids":[{bids}],"asks":[{asks}],{rest}}}')


def level(price: str, qty: str) -> str:
    return f'{{"price":{price},"qty":{qty}}}'


def test_trade_keeps_the_numbers_digits_and_says_the_taker() -> None:
    assert Socket().send(push("trade", "update", trade(10))) == [
        {
            "kind": "trade",
            "id": "kraken.BTC.USD.spot.trade.10",
            "venue": "kraken",
            "symbol": "BTC/USD",
            "venue_symbol": "BTC/USD",
            "ts_event": TIME_NS,
            "ts_recv": RECEIVED,
            "sim": False,
            "trade_id": "10",
            "price": "91000.10",
            "amount": "0.00027000",
            "contracts": None,
            "side": "sell",
            "seq": 10,
        }
    ]


def test_backlog_of_trades_is_reported_in_order_with_the_ids_of_the_trades() -> None:
    reported = Socket().send(push("trade", "snapshot", trade(12), trade(10), trade(11)))
    assert [event["trade_id"] for event in reported] == ["10", "11", "12"]
    assert reported[0] == Socket().send(push("trade", "update", trade(10)))[0]


def test_number_with_an_exponent_is_written_out() -> None:
    assert Socket().send(push("trade", "update", trade(1, qty="1.50e-7")))[0]["amount"] == "0.000000150"


@pytest.mark.parametrize("wrong", ["-1.5", '"91000"', "null", "true"])
def test_price_that_is_no_number_is_an_error_that_names_it(wrong: str) -> None:
    with pytest.raises(FrameError, match=r"data\.price"):
        Socket().send(push("trade", "update", trade(1, price=wrong)))


def test_book_tells_each_change_and_the_venues_checksum_after_it() -> None:
    socket = Socket()
    whole, proof = socket.events(book("snapshot", (level("90999.9", "1.25"), level("91000.0", "0.80000000")), 77))
    assert (whole.bids, whole.asks) == ([("90999.9", "1.25")], [("91000.0", "0.80000000")])
    assert (whole.is_snapshot, whole.seq, whole.ts_event) == (True, None, TIME_NS)
    assert proof == Proof(PAIR, 77)
    change = socket.events(book("update", (level("90999.9", "0.00000000"), ""), 78))[0]
    assert (change.bids, change.asks, change.is_snapshot) == ([("90999.9", "0")], [], False)


def test_same_book_frame_has_the_same_id_and_another_has_another() -> None:
    frames = [book("update", (level("1.0", amount), "")) for amount in ("2.0", "2.0", "3.0")]
    first, again, other = (Socket().events(frame)[0].id for frame in frames)
    assert first == again != other


def test_snapshot_without_a_time_is_taken() -> None:
    row = '{"symbol":"BTC/USD","bids":[],"asks":[],"checksum":0}'
    assert Socket().events(push("book", "snapshot", row))[0].ts_event is None


def test_checksum_is_of_the_ten_best_levels_without_points_and_leading_zeros() -> None:
    asks = [(f"105.{tenth}", f"0.0100000{tenth}") for tenth in range(1, 10)] + [("106.0", "1.00000000")]
    bids = [(f"104.{9 - place}", f"2.5000000{place}") for place in range(10)]
    assert VENUE.checksum is not None
    assert VENUE.checksum.compute(bids, asks) == 798369583
    deeper = ([*bids, ("103.9", "9.00000000")], [*asks, ("106.1", "9.00000000")])
    assert VENUE.checksum.compute(*deeper) == 798369583


def test_levels_beyond_the_subscribed_depth_are_cut_after_each_change() -> None:
    socket, keeper = Socket(), BookKeeper(VENUE.book)
    bids = ",".join(level(f"{200 - place}.0", "1.0") for place in range(100))
    assert keeper.on_delta(socket.events(book("snapshot", (bids, level("300.0", "1.0"))))[0]).change is Change.APPLIED
    keeper.on_delta(socket.events(book("update", (level("201.0", "1.0"), "")))[0])
    assert (len(keeper.bids), keeper.bids.top()[-1]) == (100, ("102.0", "1.0"))


def test_ticker_says_what_the_frame_says() -> None:
    row = (
        '{"symbol":"BTC/USD","bid":90999.90,"bid_qty":1.2,"ask":91000.00,"ask_qty":0.80000000,"last":91000.00,'
        '"volume":42.5,"vwap":90500.1,"low":89000.00,"high":91500.00,"change":-1000.00,"change_pct":-1.11,'
        f'"timestamp":"{TIME}"}}'
    )
    reported = Socket(sim=True).send(push("ticker", "update", row))[0]
    assert reported.pop("id").startswith(f"kraken.BTC.USD.spot.ticker.{TIME_NS}-")
    assert reported == {
        "kind": "ticker",
        "venue": "kraken",
        "symbol": "BTC/USD",
        "venue_symbol": "BTC/USD",
        "ts_event": TIME_NS,
        "ts_recv": RECEIVED,
        "sim": True,
        "last": "91000.00",
        "bid": "90999.90",
        "bid_amount": "1.2",
        "ask": "91000.00",
        "ask_amount": "0.80000000",
        "open_24h": None,
        "high_24h": "91500.00",
        "low_24h": "89000.00",
        "volume_24h": "42.5",
        "quote_volume_24h": None,
        "change_24h": "-1.11",
        "seq": None,
    }


def test_ticker_of_a_pair_that_nobody_quotes_says_nothing() -> None:
    row = '{"symbol":"ANETx/USD","bid":0,"bid_qty":0,"ask":0,"ask_qty":0,"timestamp":"1970-01-01T00:00:00.000000Z"}'
    assert Socket().send(push("ticker", "update", row)) == []


def test_candle_is_open_and_has_the_time_frames_name() -> None:
    row = (
        '{"symbol":"BTC/USD","open":91000.0,"high":91500.0,"low":90000.0,"close":91200.5,"trades":12,"volume":3.50,'
        '"vwap":91100.1,"interval_begin":"2026-11-21T20:00:00.000000000Z","interval":60,"timestamp":"…"}'
    )
    reported = Socket().send(push("ohlc", "update", row))[0]
    assert (reported["timeframe"], reported["start_ts"], reported["closed"]) == ("1h", TIME_NS // 10**9 * 10**9, False)
    assert (reported["open"], reported["high"], reported["low"], reported["close"]) == (
        "91000.0",
        "91500.0",
        "90000.0",
        "91200.5",
    )
    assert (reported["volume"], reported["trades"]) == ("3.50", 12)
    assert Socket().send(push("ohlc", "update", row.replace('"interval":60', '"interval":10080'))) == []


def test_answers_become_controls() -> None:
    socket = Socket()
    times = f'"time_in":"{TIME}","time_out":"{TIME}"'
    result = '"result":{"channel":"book","symbol":"BTC/USD","depth":100,"snapshot":true},"success":true'
    assert socket.events(f'{{"method":"subscribe",{result},{times},"req_id":30000}}') == [Ack("book:BTC/USD")]
    assert socket.events(f'{{"method":"unsubscribe",{result},{times}}}') == []
    assert socket.events(f'{{"method":"pong","req_id":1,{times}}}') == [Pong()]
    assert socket.events('{"channel":"heartbeat"}') == [Pong()]
    assert socket.events('{"channel":"status","type":"update","data":[{"system":"online"}]}') == []
    assert socket.events('{"Error":"Exceeded msg rate"}') == [Closing("Exceeded msg rate", 1.0)]


def test_refusal_names_the_pair_and_its_request_the_channel() -> None:
    request = VENUE.plan("wss://host", [PAIR], [BOOK])[0].requests[0]
    reason = "Currency pair not supported FOO/USD"
    refusal = f'{{"error":"{reason}","method":"subscribe","success":false,"symbol":"FOO/USD"'
    assert Socket().events(f'{refusal},"req_id":{request.ref}}}') == [Refused("book:FOO/USD", reason)]
    assert len(Socket().events(f"{refusal}}}")) == 3
    unnamed = f'{{"error":"Bad depth","method":"subscribe","success":false,"req_id":{request.ref}}}'
    assert Socket().events(unnamed) == [Refused(request.ref, "Bad depth")]
    assert Socket().events('{"error":"Malformed request","success":false}') == [Refused(None, "Malformed request")]


def test_book_without_a_checksum_is_reported_without_proof() -> None:
    frame = book("snapshot", (level("91000.0", "1.0"), "")).replace('"checksum":1,', "")
    assert [event["kind"] for event in Socket().send(frame)] == ["delta"]


@pytest.mark.parametrize(
    ("frame", "named"),
    [
        ('{"channel":"gossip","type":"update","data":[]}', "gossip"),
        ('{"time_in":"x"}', "channel, method|neither channel nor method"),
        (push("trade", "update", trade(1).replace(TIME, "yesterday")), "timestamp"),
        (push("trade", "update", '{"symbol":"BTC/USD","side":"buy","price":1,"trade_id":1,"timestamp":"x"}'), "qty"),
        (push("book", "delta"), "type"),
        ('{"channel":"trade","type":"update","data":[', "truncated"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_names_it(frame: str, named: str) -> None:
    with pytest.raises((FrameError, msgspec.DecodeError), match=named):
        Socket().events(frame)


def test_plan_asks_for_quotes_of_every_change_and_for_a_deep_book() -> None:
    plan = VENUE.plan("wss://ws.kraken.com", [PAIR, VENUE.guess("spot", "ETH/USD")], CHANNELS)[0]
    assert plan.url == "wss://ws.kraken.com/v2"
    params = {request.ref: json.loads(request.frame)["params"] for request in plan.requests}
    assert list(params.values()) == [
        {"channel": "trade", "symbol": ["BTC/USD", "ETH/USD"], "snapshot": False},
        {"channel": "ticker", "symbol": ["BTC/USD", "ETH/USD"], "event_trigger": "bbo", "snapshot": True},
        {"channel": "book", "symbol": ["BTC/USD", "ETH/USD"], "depth": 100, "snapshot": True},
    ]
    assert frozenset().union(*(request.keys for request in plan.requests)) == {item.key for item in plan.subscriptions}


def test_plan_splits_many_pairs_over_sockets_and_requests() -> None:
    many = [VENUE.guess("spot", f"C{number}/USD") for number in range(120)]
    plans = VENUE.plan("wss://host", many, [TRADE])
    assert [len(plan.subscriptions) for plan in plans] == [50, 50, 20]
    assert [len(request.keys) for request in plans[0].requests] == [25, 25]
    assert VENUE.plan("wss://host", many, ["funding"]) == ()


def test_fresh_snapshot_is_had_by_leaving_and_joining_again() -> None:
    assert VENUE.resubscribe is not None
    frames = [json.loads(frame) for frame in VENUE.resubscribe(Subscription("book:BTC/USD", BOOK, PAIR))]
    assert [frame["method"] for frame in frames] == ["unsubscribe", "subscribe"]
    assert all(frame["params"]["symbol"] == ["BTC/USD"] and frame["params"]["depth"] == 100 for frame in frames)


@pytest.mark.parametrize(
    ("name", "symbol"),
    [("BTC/USD", "BTC/USD"), ("XBT/EUR", "BTC/EUR"), ("ETH/XBT", "ETH/BTC"), ("LUNA2/USD", "LUNA/USD")],
)
def test_pair_is_named_as_everywhere(name: str, symbol: str) -> None:
    assert VENUE.guess("spot", name).symbol == symbol


def test_name_that_is_no_pair_is_refused() -> None:
    with pytest.raises(SymbolSyntaxError):
        VENUE.guess("spot", "XXBTZUSD")


def test_listing_gives_the_pairs_that_are_online_by_the_sockets_names() -> None:
    pairs = {
        "XXBTZUSD": {"altname": "XBTUSD", "wsname": "XBT/USD", "base": "XXBT", "quote": "ZUSD", "status": "online"},
        "XDGUSD": {"altname": "XDGUSD", "wsname": "XDG/USD", "base": "XXDG", "quote": "ZUSD", "status": "online"},
        "ETHUSD.d": {"altname": "ETHUSD.d", "base": "XETH", "quote": "ZUSD", "status": "online"},
        "OLDUSD": {"altname": "OLDUSD", "wsname": "OLD/USD", "base": "OLD", "quote": "ZUSD", "status": "cancel_only"},
    }
    listed, more = VENUE.rest.decode_instruments("spot", json.dumps({"error": [], "result": pairs}).encode())
    assert [(item.symbol, item.venue_symbol) for item in listed] == [("BTC/USD", "BTC/USD"), ("DOGE/USD", "DOGE/USD")]
    assert more is None


def test_book_over_rest_goes_by_another_name() -> None:
    assert VENUE.rest.depth_call(PAIR).params == {"pair": "XBTUSD", "count": "100"}
    sides = {"asks": [["91000.00", "0.800", 1763700000]], "bids": [["90999.90", "1.250", 1763700000.25]]}
    body = json.dumps({"error": [], "result": {"XXBTZUSD": sides}}).encode()
    reported = VENUE.rest.decode_depth(body, PAIR, RECEIVED, sim=False)
    assert (reported.bids, reported.asks, reported.seq) == ([("90999.90", "1.250")], [("91000.00", "0.800")], None)


@pytest.mark.parametrize(
    ("status", "body", "code", "pause"),
    [
        (200, '{"error":["EGeneral:Too many requests"]}', "EGeneral:Too many requests", 5.0),
        (200, '{"error":["EQuery:Unknown asset pair"]}', "EQuery:Unknown asset pair", None),
        (429, "error code: 1015", None, 60.0),
        (502, "<html>", None, None),
    ],
)
def test_refusals_are_reported_with_the_pause_that_they_ask(
    status: int, body: str, code: str | None, pause: float | None
) -> None:
    reported = VENUE.rest.failure(status, {}, body.encode())
    assert reported is not None
    assert (reported.code, reported.retry_after) == (code, pause)
    assert VENUE.rest.failure(200, {}, b'{"error":["WGeneral:Danger"],"result":{}}') is None


def test_trades_of_v1_have_ids_of_what_they_say() -> None:
    row = '["91000.10000","0.00027000","1795291200.123456","b","m",""]'
    first, second = Socket().send(f'[119,[{row},{row}],"trade","XBT/USD"]')
    assert (first["symbol"], first["venue_symbol"], first["side"]) == ("BTC/USD", "XBT/USD", "buy")
    assert (first["price"], first["amount"], first["ts_event"]) == ("91000.10000", "0.00027000", TIME_NS)
    assert first["trade_id"] == "1795291200.123456-b-91000.10000-0.00027000"
    assert second["trade_id"] == f"{first['trade_id']}-1"


def test_book_of_v1_is_a_snapshot_and_then_changes_with_the_checksum_after_them() -> None:
    whole = '{"as":[["5541.3","2.50","1534614248.123"]],"bs":[["5541.2","1.50","1534614248.765567","r"]]}'
    changes = '{"a":[["5541.3","0.00000000","1534614249"]]},{"b":[["5541.2","2","1534614248.9"]],"c":"974942666"}'
    snapshot, delta, proof = Socket().send(f'[1,{whole},"book-100","XBT/USD"]') + Socket().send(
        f'[1,{changes},"book-100","XBT/USD"]'
    )
    assert (snapshot["is_snapshot"], snapshot["bids"], snapshot["asks"]) == (
        True,
        [["5541.2", "1.50"]],
        [["5541.3", "2.50"]],
    )
    assert snapshot["ts_event"] == 1_534_614_248_765_567_000
    assert (delta["is_snapshot"], delta["bids"], delta["asks"]) == (False, [["5541.2", "2"]], [["5541.3", "0"]])
    assert delta["ts_event"] == 1_534_614_249_000_000_000
    assert (proof.kind, proof.checksum) == ("proof", 974_942_666)


def test_tickers_of_v1_give_the_last_24_hours_and_no_best_level_where_it_is_zero() -> None:
    figures = '"v":["1","2"],"p":["3","4"],"t":[5,6],"l":["7","8"],"h":["9","10"],"o":["11","12"]'
    (event,) = Socket().send(
        f'[1,{{"a":["91000.1",1,"1.50"],"b":["91000.0",2,"2.50"],"c":["91000.1","0.1"],{figures}}},"ticker","XBT/USD"]'
    )
    best = ("bid", "bid_amount", "ask", "ask_amount")
    assert [event[name] for name in best] == ["91000.0", "2.50", "91000.1", "1.50"]
    assert [event[name] for name in ("volume_24h", "low_24h", "high_24h", "open_24h")] == ["2", "8", "10", "12"]
    (spread,) = Socket().send('[1,["91000.0","0.0","1795291200.123456","2.5","0.0"],"spread","XBT/USD"]')
    assert [spread[name] for name in (*best, "ts_event")] == ["91000.0", "2.5", None, None, TIME_NS]
    assert Socket().send('[1,["0.00","0.0","0.000000","0.0","0.0"],"spread","XBT/USD"]') == []


def test_candle_of_v1_begins_with_the_interval_of_its_time() -> None:
    row = '["1542057314.748456","1542057600.000000","3586.7","3586.8","3586.6","3586.7","3586.7","0.03",2]'
    (event,) = Socket().send(f'[42,{row},"ohlc-5","XBT/USD"]')
    assert (event["timeframe"], event["start_ts"], event["trades"]) == ("5m", 1_542_057_300_000_000_000, 2)
    assert (event["open"], event["high"], event["low"], event["volume"]) == ("3586.7", "3586.8", "3586.6", "0.03")


def test_answers_of_v1_are_controls() -> None:
    status = '{"channelID":1,"channelName":"book-10","event":"subscriptionStatus","pair":"XBT/USD","status":"%s"}'
    assert Socket().events('{"event":"heartbeat"}') == [Pong()]
    assert Socket().events('{"event":"systemStatus","status":"online","version":"1.9.0"}') == []
    assert Socket().events(status % "subscribed") == [Ack("book-10:XBT/USD")]
    refused = '{"errorMessage":"Bad pair","event":"subscriptionStatus","status":"error"}'
    assert Socket().events(refused) == [Refused(None, "Bad pair")]


@pytest.mark.parametrize(
    ("frame", "named"),
    [
        ('[1,[],"gossip","XBT/USD"]', "gossip"),
        ('["trade","XBT/USD"]', "2 parts"),
        ('[1,[["x","1","1","b"]],"trade","XBT/USD"]', "price"),
        ('[1,[["1","1","1","?"]],"trade","XBT/USD"]', "side"),
        ('{"event":"party","data":[]}', "party"),
    ],
)
def test_what_is_wrong_in_a_frame_of_v1_is_named(frame: str, named: str) -> None:
    with pytest.raises(FrameError, match=named):
        Socket().events(frame)
