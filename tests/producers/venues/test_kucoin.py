"""KuCoin spot: pushes as the vendor's pages describe them, with invented values, and the events they become."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from contracts.codec import EVENTS, decoder, encode
from contracts.errors import FrameError, SymbolSyntaxError
from contracts.instrument import make_instrument
from producers.normalize.events import Makers
from producers.venue import BOOK, CHANNELS, TICKER, TRADE, Ack, Closing, Pong, Refused
from producers.venues.kucoin import VENUE
from runtime.book.keeper import BookKeeper, Change

TS = 1_795_291_200_123
TS_NS = TS * 1_000_000
RECEIVED = TS_NS + 5_000_000
MATCH = {
    "makerOrderId": "671b5007389355000701b1d3",
    "price": "91000.1",
    "sequence": "11067996711960577",
    "side": "buy",
    "size": "0.003",
    "symbol": "BTC-USDT",
    "takerOrderId": "671b50161777ff00074c168d",
    "time": "1795291200123456789",
    "tradeId": "11067996711960579",
    "type": "match",
}


class Socket:
    """One connection's decoder; `send` takes a frame as a dictionary and gives events as the bus would carry them."""

    def __init__(self, *, sim: bool = False) -> None:
        self._decoder = VENUE.decoder("spot", lambda name: VENUE.guess("spot", name), makers=Makers(sim=sim))

    def events(self, frame: Any) -> list[Any]:
        text = frame if isinstance(frame, str) else json.dumps(frame, separators=(",", ":"))
        return list(self._decoder.decode(text.encode(), RECEIVED))

    def send(self, frame: Any) -> list[Any]:
        return [_said(event) for event in self.events(frame)]


def _said(event: Any) -> Any:
    if event.kind not in EVENTS:
        return event
    decoder(EVENTS[event.kind]).decode(encode(event))  # fit for the bus
    return {"kind": event.kind, **json.loads(encode(event))}


def push(topic: str, subject: str, data: Any) -> dict[str, Any]:
    return {"topic": topic, "type": "message", "subject": subject, "data": data}


def level2(span: tuple[int, int], bids: list[Any], asks: list[Any]) -> dict[str, Any]:
    data = {"changes": {"asks": asks, "bids": bids}, "sequenceEnd": span[1], "sequenceStart": span[0]}
    return push("/market/level2:BTC-USDT", "trade.l2update", {**data, "symbol": "BTC-USDT", "time": TS})


def test_match_is_a_trade_of_the_taker_at_its_nanosecond() -> None:
    assert Socket().send(push("/market/match:BTC-USDT", "trade.l3match", MATCH)) == [
        {
            "kind": "trade",
            "id": "kucoin.BTC.USDT.spot.trade.11067996711960579",
            "venue": "kucoin",
            "symbol": "BTC/USDT",
            "venue_symbol": "BTC-USDT",
            "ts_event": 1_795_291_200_123_456_789,
            "ts_recv": RECEIVED,
            "sim": False,
            "trade_id": "11067996711960579",
            "price": "91000.1",
            "amount": "0.003",
            "contracts": None,
            "side": "buy",
            "seq": 11067996711960577,
        }
    ]


def test_second_push_of_a_topic_is_decoded_like_the_first_wherever_its_topic_stands() -> None:
    socket = Socket()
    frame = push("/market/match:BTC-USDT", "trade.l3match", MATCH)
    assert socket.send(frame) == socket.send(frame) == socket.send(dict(reversed(frame.items())))
    assert socket.send(json.dumps(frame)) == socket.send(frame)  # with spaces
    other = push("/market/match:ETH-USDT", "trade.l3match", MATCH)
    assert socket.send(other)[0]["symbol"] == "ETH/USDT"


def test_numbers_may_stand_for_text_and_exponents_are_written_out() -> None:
    odd = {**MATCH, "price": 91000.1, "size": "5e-7", "tradeId": 11067996711960579, "time": 1_795_291_200_123_456_789}
    [event] = Socket().send(push("/market/match:BTC-USDT", "trade.l3match", odd))
    assert (event["price"], event["amount"]) == ("91000.1", "0.0000005")
    assert (event["trade_id"], event["ts_event"]) == ("11067996711960579", 1_795_291_200_123_456_789)
    [change] = Socket().send(level2((1, 2), [["9e-7", "1.5", "1"], ["8e-7", "0", "2"]], []))
    assert change["bids"] == [["0.0000009", "1.5"], ["0.0000008", "0"]]


def test_events_of_a_simulated_socket_are_marked() -> None:
    assert Socket(sim=True).send(push("/market/match:BTC-USDT", "trade.l3match", MATCH))[0]["sim"] is True


def test_ticker_has_the_best_levels_and_the_last_price() -> None:
    data = {"bestAsk": "91000.2", "bestAskSize": "1.5", "bestBid": "91000.1", "bestBidSize": "0.04", "price": "91000.2"}
    data |= {"sequence": "1621383371852", "size": "0.002", "time": TS}
    (event,) = Socket().send(push("/market/ticker:BTC-USDT", "trade.ticker", data))
    assert (event["bid"], event["bid_amount"], event["ask"], event["ask_amount"], event["last"]) == (
        *("91000.1", "0.04", "91000.2", "1.5", "91000.2"),
    )
    assert (event["ts_event"], event["seq"], event["open_24h"]) == (TS_NS, 1621383371852, None)
    spelt = {**data, "Time": data["time"]}
    del spelt["time"]
    (other,) = Socket().send(push("/market/ticker:BTC-USDT", "trade.ticker", spelt))
    assert other | {"id": ""} == event | {"id": ""}


def test_ticker_of_all_pairs_names_the_pair_in_its_subject() -> None:
    socket, data = Socket(), {"price": "1", "sequence": "5", "time": TS, "bestBid": None}
    found = [socket.send(push("/market/ticker:all", name, data))[0] for name in ("BTC-USDT", "ETH-BTC")]
    assert [(event["symbol"], event["bid"]) for event in found] == [("BTC/USDT", None), ("ETH/BTC", None)]


def test_best_level_topic_may_lack_a_side() -> None:
    data = {"asks": [], "bids": ["91000", "3"], "timestamp": TS}
    (event,) = Socket().send(push("/spotMarket/level1:BTC-USDT", "level1", data))
    assert (event["bid"], event["bid_amount"], event["ask"], event["ts_event"]) == ("91000", "3", None, TS_NS)


DAY = (
    '{"topic":"/market/snapshot:%s","type":"message","subject":"trade.snapshot","data":{"sequence":"14691517895","data":'
    '{"askSize":1.15955795,"buy":67158.1,"bidSize":0.5,"changeRate":-0.0047,"datetime":1795291200123,'
    '"high":67611.80000000000000000000,"lastTradedPrice":6.71581E+4,"low":65257.1,"open":66842.9,"sell":0,'
    '"symbol":"BTC-USDT","vol":2227.69895852000000000000,"volValue":147972941.07857507300000000000}}}'
)


def test_day_figures_keep_every_digit_and_have_no_exponent() -> None:
    for topic in ("BTC-USDT", "USDS"):  # of one pair, and of a whole market
        (event,) = Socket().send(DAY % topic)
        assert (event["symbol"], event["last"], event["high_24h"]) == (
            *("BTC/USDT", "67158.1", "67611.80000000000000000000"),
        )
        assert event["quote_volume_24h"] == "147972941.07857507300000000000"
        assert (event["volume_24h"], event["open_24h"]) == ("2227.69895852000000000000", "66842.9")
        assert (event["change_24h"], event["ts_event"]) == ("-0.47", TS_NS)
        assert (event["bid"], event["bid_amount"], event["ask"], event["ask_amount"]) == ("67158.1", "0.5", None, None)


def test_changes_come_in_the_order_of_their_sequence_and_price_zero_only_moves_it_on() -> None:
    bids = [["82003.8", "0.5", "17"], ["82003.8", "0.7", "16"], ["1", "0.00000000", "15"]]
    (event,) = Socket().send(level2((15, 18), bids, [["0", "0", "18"]]))
    assert event == {
        "kind": "delta",
        "id": "kucoin.BTC.USDT.spot.delta.18",
        "venue": "kucoin",
        "symbol": "BTC/USDT",
        "venue_symbol": "BTC-USDT",
        "ts_event": TS_NS,
        "ts_recv": RECEIVED,
        "sim": False,
        "bids": [["1", "0"], ["82003.8", "0.7"], ["82003.8", "0.5"]],
        "asks": [],
        "seq": 18,
        "prev_seq": 14,
        "is_snapshot": False,
        "unit": "base",
    }


def test_changed_level_that_is_no_number_refuses_the_push() -> None:
    with pytest.raises(FrameError, match=r"data\.changes|changed level"):
        Socket().send(level2((1, 1), [["91000", "-1", "1"]], []))


def test_book_is_seeded_over_rest_by_the_venues_rule() -> None:
    socket, keeper = Socket(), BookKeeper(VENUE.book)
    for span, size in (((90, 99), "1"), ((100, 103), "2"), ((104, 104), "3")):
        keeper.on_delta(socket.events(level2(span, [["91000", size, str(span[1])]], []))[0])
    instrument = VENUE.guess("spot", "BTC-USDT")
    call = VENUE.rest.depth_call(instrument)
    assert (call.path, call.params) == ("/api/v1/market/orderbook/level2_100", {"symbol": "BTC-USDT"})
    book = {
        "time": TS,
        "sequence": "101",
        "bids": [["90999", "5"], ["91000", "9"], ["0", "1"]],
        "asks": [["91001", "4"]],
    }
    body = json.dumps({"code": "200000", "data": book}).encode()
    snapshot = VENUE.rest.decode_depth(body, instrument, RECEIVED, sim=True)
    assert (snapshot.seq, snapshot.ts_event, snapshot.quality) == (101, TS_NS, "sim")
    assert keeper.on_snapshot(snapshot).change is Change.APPLIED
    assert keeper.seq == 104
    assert keeper.bids.top() == [("91000", "3"), ("90999", "5")]
    late = socket.events(level2((106, 106), [["91000", "4", "106"]], []))[0]
    assert keeper.on_delta(late).change is Change.GAP


def test_whole_tops_are_snapshots_without_sequence() -> None:
    data = {"asks": [["91001", "1"]], "bids": [["91000", "0.0"], ["x", "1"], ["90999", "2"]], "timestamp": TS}
    (event,) = Socket().send(push("/spotMarket/level2Depth50:BTC-USDT", "level2", data))
    assert (event["is_snapshot"], event["seq"], event["bids"]) == (True, None, [["91000", "0"], ["90999", "2"]])


def test_candle_columns_are_open_close_high_low() -> None:
    row = ["1795291200", "1", "2", "3", "0.5", "44.88", "3027.99"]
    data = {"symbol": "BTC-USDT", "candles": row, "time": TS_NS + 7}
    for subject in ("trade.candles.update", "trade.candles.add"):
        (event,) = Socket().send(push("/market/candles:BTC-USDT_1hour", subject, data))
        assert [event[name] for name in ("open", "high", "low", "close")] == ["1", "3", "0.5", "2"]
        assert (event["timeframe"], event["volume"], event["quote_volume"]) == ("1h", "44.88", "3027.99")
        assert (event["start_ts"], event["ts_event"], event["closed"]) == (1795291200 * 10**9, TS_NS + 7, False)
    with pytest.raises(FrameError, match="7min"):
        Socket().send(push("/market/candles:BTC-USDT_7min", "trade.candles.update", data))


def test_answers_become_controls() -> None:
    socket = Socket()
    assert socket.send({"id": "spot.0", "type": "welcome"}) == [Ack("welcome")]
    assert socket.send({"id": 7, "type": "ack"}) == [Ack("7")]
    assert socket.send({"id": "ping", "type": "pong", "timestamp": 1}) == [Pong()]
    refused = {"id": "2", "type": "error", "code": 404, "data": "topic /foo is not found"}
    assert socket.send(refused) == [Refused("2", "404: topic /foo is not found")]
    expired = {"id": "3", "type": "error", "code": 401, "data": "token is expired"}
    assert socket.send(expired) == [Closing("token is expired", 0.0)]


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (push("/market/moonPhase:BTC-USDT", "x", {}), "moonPhase"),
        ({"id": "1", "type": "party", "data": {"guests": 3}}, "party"),
        ({"type": "ack"}, "id"),
        (push("/market/match:BTC-USDT", "trade.l3match", {**MATCH, "price": ""}), r"data\.price"),
        (push("/market/match:BTC-USDT", "trade.l3match", {**MATCH, "size": "-1"}), r"data\.size"),
        ({"T": "trade.SPOT", "d": {}}, "without topic"),
    ],
)
def test_what_is_wrong_is_named(frame: Any, reason: str) -> None:
    with pytest.raises(FrameError, match=reason):
        Socket().send(frame)


def test_missing_field_is_named() -> None:
    short = {key: value for key, value in MATCH.items() if key != "tradeId"}
    with pytest.raises(msgspec.ValidationError, match="`tradeId`"):
        Socket().send(push("/market/match:BTC-USDT", "trade.l3match", short))


def test_known_topics_that_are_not_carried_give_nothing() -> None:
    for topic in ("/indicator/index:USDT-BTC", "/callauction/level2Depth50:BTC-USDT", "/account/balance"):
        assert Socket().send(push(topic, "x", {"anything": 1})) == []


@pytest.mark.parametrize(
    ("name", "symbol"), [("BTC-USDT", "BTC/USDT"), ("BCHSV-USDT", "BSV/USDT"), ("XBT-USD1", "BTC/USD1")]
)
def test_pairs_are_named_by_their_spelling(name: str, symbol: str) -> None:
    assert VENUE.guess("spot", name).symbol == symbol


@pytest.mark.parametrize("name", ["BTCUSDT", "BTC-", "A-B-C"])
def test_what_is_no_pair_is_refused(name: str) -> None:
    with pytest.raises(SymbolSyntaxError, match=name):
        VENUE.guess("spot", name)


def test_plan_waits_for_the_welcome_and_keeps_the_venues_limits() -> None:
    instruments = [make_instrument("kucoin", f"C{number}/USDT", f"C{number}-USDT") for number in range(120)]
    plans = VENUE.plan(VENUE.ws_url, instruments, CHANNELS)
    keys = [item.key for plan in plans for item in plan.subscriptions]
    assert len(keys) == len(set(keys)) == 480
    for plan in plans:
        greeting, *asked = plan.requests
        assert (greeting.ref, greeting.frame, greeting.gate) == ("welcome", "", True)
        assert len(plan.subscriptions) <= 300
        assert frozenset().union(*(request.keys for request in asked)) == {item.key for item in plan.subscriptions}
        for request in asked:
            sent = json.loads(request.frame)
            topic, _, symbols = sent["topic"].partition(":")
            assert len(symbols.split(",")) <= (1 if topic == "/market/snapshot" else 100)
            assert request.keys == {f"{topic}:{symbol}" for symbol in symbols.split(",")}
            assert (sent["id"], sent["type"], sent["response"]) == (request.ref, "subscribe", True)
    assert VENUE.plan(VENUE.ws_url, instruments, []) == ()


def test_plan_has_the_topics_of_its_channels() -> None:
    (plan,) = VENUE.plan("ws://sim", [VENUE.guess("spot", "BTC-USDT")], [TRADE, TICKER, BOOK])
    names = ("match", "ticker", "snapshot", "level2")
    assert [item.key for item in plan.subscriptions] == [f"/market/{name}:BTC-USDT" for name in names]


def bullet(**server: Any) -> bytes:
    terms = {"endpoint": "wss://of-today.example/", "encrypt": True, "protocol": "websocket", **server}
    return json.dumps({"code": "200000", "data": {"token": "2neA+/U==.WN", "instanceServers": [terms]}}).encode()


def test_token_gives_the_address_and_the_pings_of_one_connection() -> None:
    assert VENUE.ticket is not None
    (plan,) = VENUE.plan(VENUE.ws_url, [VENUE.guess("spot", "BTC-USDT")], [TRADE])
    call = VENUE.ticket.call(plan)
    assert (call.method, call.path) == ("POST", "/api/v1/bullet-public")
    body = bullet(pingInterval=20000, pingTimeout=9000)
    url, policy = VENUE.ticket.admit(plan, VENUE.policy, body)
    assert url == "wss://of-today.example/?token=2neA%2B%2FU==.WN&connectId=spot.0"
    assert policy == replace(VENUE.policy, ping_every=20.0, quiet=29.0)
    assert policy.ping is not None
    assert json.loads(policy.ping)["type"] == "ping"
    assert policy.max_age is not None
    assert policy.max_age < 24 * 3600
    elsewhere, _ = VENUE.ticket.admit(replace(plan, url="ws://sim/kucoin"), VENUE.policy, body)
    assert elsewhere.startswith("ws://sim/kucoin?token=2neA")
    with pytest.raises(msgspec.ValidationError, match="`pingTimeout`"):
        VENUE.ticket.admit(plan, VENUE.policy, bullet(pingInterval=20000))
    with pytest.raises(FrameError, match="server"):
        VENUE.ticket.admit(plan, VENUE.policy, b'{"code":"200000","data":{"token":"t","instanceServers":[]}}')


def test_pairs_that_trade_are_listed() -> None:
    row = {"symbol": "BCHSV-USDT", "name": "BSV-USDT", "baseCurrency": "BCHSV", "quoteCurrency": "USDT"}
    rows = [{**row, "enableTrading": True}, {**row, "symbol": "OLD-USDT", "enableTrading": False}]
    body = json.dumps({"code": "200000", "data": rows}).encode()
    found, following = VENUE.rest.decode_instruments("spot", body)
    assert following is None
    assert [(item.symbol, item.venue_symbol) for item in found] == [("BSV/USDT", "BCHSV-USDT")]


def test_failures_tell_how_long_to_wait() -> None:
    failure = VENUE.rest.failure
    assert failure(200, {}, b'{"code":"200000","data":null}') is None
    limited = failure(429, {"gw-ratelimit-reset": "2500"}, b'{"code":"429000","msg":"Too many requests"}')
    assert limited is not None
    assert (limited.reason, limited.code, limited.retry_after) == ("Too many requests", "429000", 2.5)
    body = failure(200, {}, b'{"code":"429000","msg":"Too many requests"}')
    assert body is not None
    assert body.retry_after == 30.0
    wrong = failure(200, {}, b'{"code":"400100","msg":"symbol is required"}')
    assert wrong is not None
    assert (wrong.reason, wrong.retry_after) == ("symbol is required", None)
    broken = failure(502, {}, b"<html>")
    assert broken is not None
    assert "502" in broken.reason
