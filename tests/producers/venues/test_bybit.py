"""Bybit: frames as the vendor's pages describe them, with invented values, and the events they become."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from contracts.codec import EVENTS, decoder, encode
from contracts.errors import FrameError, SymbolSyntaxError
from contracts.instrument import Instrument, make_instrument
from producers.normalize.events import Makers
from producers.venue import BOOK, CHANNELS, FUNDING, INTEREST, LIQUIDATION, TICKER, TRADE, Ack, Pong, Refused
from producers.venues.bybit import VENUE
from tests.producers.playing import named

TS = 1_795_291_200_123
TS_NS = TS * 1_000_000
RECEIVED = TS_NS + 5_000_000
INVERSE = make_instrument("bybit", "BTC/USD:BTC", "BTCUSD", contract_size="1")
TRADE_ROW = {"T": TS, "s": "BTCUSDT", "S": "Sell", "v": "0.010", "p": "91000.50", "i": "20f4-a", "BT": False, "seq": 17}


class Socket:
    """One connection's decoder; `send` takes a frame as a dictionary and gives events as the bus would carry them."""

    def __init__(self, market: str = "linear", *, sim: bool = False, known: tuple[Instrument, ...] = ()) -> None:
        listed = {item.venue_symbol: item for item in known}
        self._decoder = VENUE.decoder(
            market, lambda name: listed.get(name) or VENUE.guess(market, name), makers=Makers(sim=sim)
        )

    def send(self, frame: dict[str, Any]) -> list[Any]:
        return [
            _said(event) for event in self._decoder.decode(json.dumps(frame, separators=(",", ":")).encode(), RECEIVED)
        ]


def _said(event: Any) -> Any:
    if event.kind not in EVENTS:
        return event
    decoder(EVENTS[event.kind]).decode(encode(event))  # fit for the bus
    return {"kind": event.kind, **json.loads(encode(event))}


def trades(symbol: str, *rows: dict[str, Any]) -> dict[str, Any]:
    return {"topic": f"publicTrade.{symbol}", "type": "snapshot", "ts": TS + 1, "data": list(rows)}


def book(depth: str, kind: str, u: int, sides: tuple[list[Any], list[Any]]) -> dict[str, Any]:
    data = {"s": "BTCUSDT", "b": sides[0], "a": sides[1], "u": u, "seq": 9000 + u}
    return {"topic": f"orderbook.{depth}.BTCUSDT", "type": kind, "ts": TS, "data": data, "cts": TS - 3}


def ticker(kind: str, cs: int, **fields: str) -> dict[str, Any]:
    return {"topic": "tickers.BTCUSDT", "type": kind, "data": {"symbol": "BTCUSDT", **fields}, "cs": cs, "ts": TS}


def test_trade_says_the_taker_and_the_match_time() -> None:
    assert Socket().send(trades("BTCUSDT", TRADE_ROW)) == [
        {
            "kind": "trade",
            "id": "bybit.BTC.USDT.perp.trade.20f4-a",
            "venue": "bybit",
            "symbol": "BTC/USDT:USDT",
            "venue_symbol": "BTCUSDT",
            "ts_event": TS_NS,
            "ts_recv": RECEIVED,
            "sim": False,
            "trade_id": "20f4-a",
            "price": "91000.50",
            "amount": "0.010",
            "contracts": None,
            "side": "sell",
            "seq": 17,
        }
    ]


def test_market_of_the_socket_decides_what_a_symbol_means() -> None:
    assert Socket("spot").send(trades("BTCUSDT", TRADE_ROW))[0]["symbol"] == "BTC/USDT"
    assert Socket("linear").send(trades("BTCUSDT", TRADE_ROW))[0]["symbol"] == "BTC/USDT:USDT"


def test_block_and_retail_improvement_trades_are_kept() -> None:
    rows = [{**TRADE_ROW, "i": "a", "BT": True}, {**TRADE_ROW, "i": "b", "RPI": True}]
    assert [event["trade_id"] for event in Socket().send(trades("BTCUSDT", *rows))] == ["a", "b"]


def test_older_topic_name_of_trades_is_read() -> None:
    frame = {**trades("BTCUSDT", TRADE_ROW), "topic": "trade.linear.BTCUSDT"}
    assert Socket().send(frame)[0]["trade_id"] == "20f4-a"


def test_key_order_does_not_matter() -> None:
    socket = Socket()
    frame = trades("BTCUSDT", TRADE_ROW)
    assert socket.send(dict(reversed(frame.items()))) == socket.send(frame) == socket.send(frame)


def test_events_of_a_simulated_socket_are_marked() -> None:
    assert Socket(sim=True).send(trades("BTCUSDT", TRADE_ROW))[0]["sim"] is True


def test_inverse_trade_is_divided_by_its_price_half_even_to_12_decimals() -> None:
    rows = [{**TRADE_ROW, "v": "100", "p": "30000"}, {**TRADE_ROW, "v": "5", "p": "20000"}]
    found = Socket("inverse", known=(INVERSE,)).send(trades("BTCUSD", *rows))
    assert [(event["amount"], event["contracts"]) for event in found] == [("0.003333333333", "100"), ("0.00025", "5")]


def test_inverse_trade_without_listing_has_contracts_only() -> None:
    event = Socket("inverse").send(trades("BTCUSD", {**TRADE_ROW, "v": "100"}))[0]
    assert (event["symbol"], event["amount"], event["contracts"]) == ("BTC/USD:BTC", None, "100")


def test_snapshot_and_delta_are_chained_by_the_update_id() -> None:
    socket = Socket()
    first = socket.send(book("200", "snapshot", 177, ([["91000", "0.5"]], [["91001", "0.20"]])))[0]
    second = socket.send(book("200", "delta", 178, ([["91000", "0.000"]], [["91002", "1"]])))[0]
    assert first == {
        "kind": "delta",
        "id": f"bybit.BTC.USDT.perp.delta.200-177-{TS}",
        "venue": "bybit",
        "symbol": "BTC/USDT:USDT",
        "venue_symbol": "BTCUSDT",
        "ts_event": TS_NS,
        "ts_recv": RECEIVED,
        "sim": False,
        "bids": [["91000", "0.5"]],
        "asks": [["91001", "0.20"]],
        "seq": 177,
        "prev_seq": None,
        "is_snapshot": True,
        "unit": "base",
    }
    assert (second["seq"], second["prev_seq"], second["is_snapshot"]) == (178, 177, False)
    assert second["bids"] == [["91000", "0"]]


def test_update_id_1_is_a_restart_whatever_the_type_says() -> None:
    event = Socket().send(book("50", "delta", 1, ([["91000", "0.5"]], [["91001", "0.2"]])))[0]
    assert (event["is_snapshot"], event["prev_seq"]) == (True, None)


@pytest.mark.parametrize("level", [["91000", "-0.5"], ["91001", ""], ["9_1", "1"], ["1e400", "1"], ["", "1"]])
def test_malformed_level_is_dropped_from_a_snapshot_and_refuses_a_delta(level: list[str]) -> None:
    event = Socket().send(book("50", "snapshot", 7, ([level, ["90999", "1"]], [["91002", "0.3"]])))[0]
    assert (event["bids"], event["asks"]) == ([["90999", "1"]], [["91002", "0.3"]])
    with pytest.raises(FrameError, match=r"data\.b"):
        Socket().send(book("50", "delta", 8, ([["90999", "1"], level], [])))
    with pytest.raises(FrameError, match=r"data\.b"):
        Socket().send(book("50", "snapshot", 7, ([level], [])))


def test_level_at_a_price_of_zero_is_left_out() -> None:
    event = Socket().send(book("50", "snapshot", 7, ([["90999", "1"], ["0.00", "5"]], [["91002", "0.3"]])))[0]
    assert (event["bids"], event["asks"]) == ([["90999", "1"]], [["91002", "0.3"]])


def test_frame_that_cannot_be_read_changes_no_ticker() -> None:
    socket = Socket()
    socket.send(ticker("snapshot", 1, lastPrice="91000", bid1Price="90999", bid1Size="1"))
    for bad in ({"bid1Price": "-1"}, {"fundingRate": "x"}, {"nextFundingTime": "tomorrow"}):
        for kind in ("snapshot", "delta"):
            with pytest.raises(FrameError):
                socket.send(ticker(kind, 2, lastPrice="5", **bad))
    event = socket.send(ticker("delta", 3, ask1Price="91001"))[0]
    assert (event["last"], event["bid"], event["ask"]) == ("91000", "90999", "91001")


def test_inverse_book_is_converted_where_the_contract_is_known() -> None:
    data = {"s": "BTCUSD", "b": [["20000", "5"], ["10000", "0"]], "a": [], "u": 9, "seq": 1}
    frame = {"topic": "orderbook.50.BTCUSD", "type": "delta", "ts": TS, "data": data}
    known, unknown = Socket("inverse", known=(INVERSE,)).send(frame)[0], Socket("inverse").send(frame)[0]
    assert (known["bids"], known["unit"]) == ([["20000", "0.00025"], ["10000", "0"]], "base")
    assert (unknown["bids"], unknown["unit"]) == ([["20000", "5"], ["10000", "0"]], "contracts")


def test_book_of_one_level_is_a_ticker_and_tells_repeats_apart() -> None:
    socket = Socket("spot")
    frame = book("1", "snapshot", 5, ([["91000", "0.5"]], [["91001", "0.2"]]))
    first, again = socket.send(frame)[0], socket.send({**frame, "ts": TS + 3000})[0]
    assert {name: first[name] for name in ("bid", "bid_amount", "ask", "ask_amount", "last", "seq")} == {
        "bid": "91000",
        "bid_amount": "0.5",
        "ask": "91001",
        "ask_amount": "0.2",
        "last": None,
        "seq": 9005,
    }
    assert first["id"] != again["id"]


def test_delta_of_one_level_changes_only_the_side_that_it_names() -> None:
    socket = Socket("spot")
    socket.send(book("1", "snapshot", 5, ([["91000", "0.5"]], [["91001", "0.2"]])))
    event = socket.send(book("1", "delta", 6, ([["91000", "0"], ["90999", "2"]], [])))[0]
    assert (event["bid"], event["bid_amount"], event["ask"]) == ("90999", "2", "91001")


def test_ticker_deltas_are_merged_and_the_fraction_becomes_percent() -> None:
    socket = Socket()
    socket.send(
        ticker(
            "snapshot", 1, lastPrice="91000", price24hPcnt="-0.017103", volume24h="10", turnover24h="9", bid1Price="1"
        )
    )
    event = socket.send(ticker("delta", 2, bid1Price="90999", bid1Size="2"))[0]
    assert event["id"].startswith(f"bybit.BTC.USDT.perp.ticker.2-{TS}-")
    assert (event["last"], event["bid"], event["bid_amount"], event["ask"]) == ("91000", "90999", "2", None)
    assert (event["change_24h"], event["volume_24h"], event["quote_volume_24h"]) == ("-1.7103", "10", "9")


def test_ticker_snapshot_forgets_what_was_reported_before() -> None:
    socket = Socket()
    socket.send(ticker("snapshot", 1, lastPrice="91000", bid1Price="90999"))
    assert socket.send(ticker("snapshot", 2, lastPrice="91001"))[0]["bid"] is None


def test_funding_and_interest_come_with_the_frames_that_tell_them() -> None:
    socket = Socket()
    whole = {"fundingRate": "0.0001", "nextFundingTime": "1795305600000", "markPrice": "91000.1", "indexPrice": "91000"}
    interest = {"openInterest": "52000.5", "openInterestValue": "4732000000"}
    assert [event["kind"] for event in socket.send(ticker("snapshot", 1, **whole, **interest))] == [
        "ticker",
        "funding",
        "interest",
    ]
    changed = socket.send(ticker("delta", 2, markPrice="91002", openInterest="52001"))
    assert [event["kind"] for event in socket.send(ticker("delta", 3, lastPrice="1"))] == ["ticker"]
    funding = {name: changed[1][name] for name in ("rate", "next_ts", "mark_price", "index_price")}
    assert funding == {
        "rate": "0.0001",
        "next_ts": 1_795_305_600_000_000_000,
        "mark_price": "91002",
        "index_price": "91000",
    }
    assert (changed[2]["amount"], changed[2]["value"], changed[2]["contracts"]) == ("52001", "4732000000", None)


def test_dated_future_has_no_funding() -> None:
    frame = {
        **ticker("snapshot", 1, fundingRate="", nextFundingTime="0", markPrice="9"),
        "topic": "tickers.BTC-25DEC26",
    }
    assert [event["kind"] for event in Socket().send(frame)] == ["ticker"]


def test_inverse_ticker_swaps_volume_and_turnover() -> None:
    reported = {
        "volume24h": "661543991",
        "turnover24h": "23389.18",
        "openInterest": "449736676",
        "openInterestValue": "15747",
    }
    frame = {**ticker("snapshot", 1, **reported), "topic": "tickers.BTCUSD"}
    found = Socket("inverse", known=(INVERSE,)).send(frame)
    assert (found[0]["volume_24h"], found[0]["quote_volume_24h"]) == ("23389.18", "661543991")
    interest = found[1]
    assert (interest["amount"], interest["value"], interest["contracts"]) == ("15747", "449736676", "449736676")


def test_liquidation_side_is_the_position() -> None:
    rows = [{"T": TS, "s": "BTCUSDT", "S": side, "v": "0.5", "p": "90800"} for side in ("Buy", "Sell", "Sell")]
    found = Socket().send({"topic": "allLiquidation.BTCUSDT", "type": "snapshot", "ts": TS + 400, "data": rows})
    assert [(event["position_side"], event["order_side"]) for event in found] == [
        ("long", "sell"),
        ("short", "buy"),
        ("short", "buy"),
    ]
    assert len({event["id"] for event in found}) == 3
    first = found[0]
    assert (first["price"], first["price_kind"], first["amount"]) == ("90800", "bankruptcy", "0.5")
    assert (first["sampled"], first["ts_event"]) == (False, TS_NS)


def test_former_liquidation_topic_is_a_sample() -> None:
    data = {"updatedTime": TS, "symbol": "BTCUSDT", "side": "Buy", "size": "0.5", "price": "90800"}
    event = Socket().send({"data": data, "topic": "liquidation.BTCUSDT", "ts": TS, "type": "snapshot"})[0]
    assert (event["position_side"], event["order_side"], event["sampled"]) == ("long", "sell", True)


def test_candle_is_closed_when_the_venue_confirms() -> None:
    row = {"start": TS, "end": TS + 1, "interval": "60", "open": "1", "close": "2", "high": "3", "low": "0.5"}
    row |= {"volume": "7", "turnover": "12", "confirm": True, "timestamp": TS + 9}
    event = Socket().send({"topic": "kline.60.BTCUSDT", "data": [row], "ts": TS, "type": "snapshot"})[0]
    assert (event["timeframe"], event["closed"], event["start_ts"]) == ("1h", True, TS_NS)
    assert (event["close"], event["volume"], event["quote_volume"]) == ("2", "7", "12")


def test_answers_become_controls() -> None:
    socket = Socket()
    answer = {"success": True, "ret_msg": "", "conn_id": "c", "req_id": "spot.0.1", "op": "subscribe"}
    assert socket.send(answer) == [Ack("spot.0.1")]
    assert socket.send({**answer, "ret_msg": "pong", "req_id": "", "op": "ping"}) == [Pong()]
    assert socket.send({"op": "pong", "args": ["1795291200123"], "conn_id": "c"}) == [Pong()]
    assert socket.send({**answer, "success": False, "ret_msg": "no"}) == [Refused("spot.0.1", "no")]
    assert socket.send({"success": False, "ret_msg": "Parse failed", "op": ""}) == [Refused(None, "Parse failed")]


def test_topic_without_symbol_is_an_error_that_names_it() -> None:
    with pytest.raises(FrameError, match="unknown topic 'publicTrade'"):
        Socket().send({"topic": "publicTrade", "type": "snapshot", "ts": TS, "data": [TRADE_ROW]})


def test_refusal_without_request_names_its_topic() -> None:
    said = "Invalid symbol :[orderbook.200.NO-SUCH]"
    frame = {"success": False, "ret_msg": said, "conn_id": "c", "op": "subscribe"}
    assert Socket().send(frame) == [Refused("orderbook.200.NO-SUCH", said)]
    assert Socket().send({**frame, "ret_msg": "busy"}) == [Refused(None, "busy")]


def test_partly_failed_request_acks_and_refuses_each_topic() -> None:
    data = {"failTopics": ["tickers.NO"], "successTopics": ["tickers.YES"]}
    found = Socket().send({"success": True, "conn_id": "c", "data": data, "type": "COMMAND_RESP"})
    assert found[0] == Ack("tickers.YES")
    assert (found[1].kind, found[1].ref) == ("refused", "tickers.NO")


@pytest.mark.parametrize(
    "topic", ["orderbook.full.BTCUSDT", "orderbook.rpi.BTCUSDT", "adlAlert.USDT", "insurance.USDT"]
)
def test_known_topics_that_are_not_carried_give_nothing(topic: str) -> None:
    assert Socket().send({"topic": topic, "type": "delta", "ts": TS, "data": {}}) == []


def test_unknown_topic_and_missing_field_are_named() -> None:
    with pytest.raises(FrameError, match=r"moonPhase\.BTCUSDT"):
        Socket().send({"topic": "moonPhase.BTCUSDT", "data": []})
    with pytest.raises(msgspec.ValidationError, match="`p`"):
        Socket().send(trades("BTCUSDT", {key: value for key, value in TRADE_ROW.items() if key != "p"}))
    with pytest.raises(FrameError, match=r"data\.p"):
        Socket().send(trades("BTCUSDT", {**TRADE_ROW, "p": "9_4"}))


@pytest.mark.parametrize(
    ("market", "name", "symbol"),
    [
        ("spot", "BTCUSDT", "BTC/USDT"),
        ("spot", "USDCUSDT", "USDC/USDT"),
        ("linear", "1000PEPEUSDT", "1000PEPE/USDT:USDT"),
        ("linear", "WBTCPERP", "WBTC/USDC:USDC"),
        ("linear", "BTC-25DEC26", "BTC/USDC:USDC-261225"),
        ("linear", "BTCUSDT-4DEC26", "BTC/USDT:USDT-261204"),
        ("inverse", "BTCUSD", "BTC/USD:BTC"),
        ("inverse", "BTCUSDZ26", "BTC/USD:BTC-261225"),
    ],
)
def test_symbols_are_guessed_from_their_spelling(market: str, name: str, symbol: str) -> None:
    found = VENUE.guess(market, name)
    assert (found.symbol, found.contract_size, found.sized_in_contracts) == (symbol, None, market == "inverse")


def test_symbol_without_known_quote_is_refused() -> None:
    with pytest.raises(SymbolSyntaxError, match="no known quote"):
        VENUE.guess("spot", "XYZZY")
    with pytest.raises(SymbolSyntaxError):
        VENUE.guess("linear", "BTCXYZ")


@pytest.mark.parametrize(
    ("market", "name"),
    [
        *(("linear", "BTC-26DEC25-90000-C"), ("linear", "BTC-26DEC25-90000-C-USDT"), ("linear", "BTC-USDT")),
        *(("linear", "BTCUSDT-X"), ("linear", "BTCUSDT-31FEB26"), ("linear", "BTC-1FOO26"), ("linear", "PERP")),
        *(("spot", "BTC-USDT"), ("spot", "btcUSDT"), ("spot", "USDT"), ("spot", "BTC_USDT"), ("inverse", ".BTCUSD")),
    ],
)
def test_name_that_follows_no_rule_of_the_venue_is_refused_by_that_name(market: str, name: str) -> None:
    with pytest.raises(SymbolSyntaxError, match=name):
        VENUE.guess(market, name)


def test_plan_holds_a_socket_a_market_with_its_own_topics() -> None:
    instruments = [VENUE.guess("spot", "BTCUSDT"), VENUE.guess("linear", "BTCUSDT")]
    spot, linear = VENUE.plan("ws://sim", instruments, CHANNELS)
    assert (spot.name, spot.market, spot.url) == ("spot.0", "spot", "ws://sim/v5/public/spot")
    assert {item.key: item.channel for item in spot.subscriptions} == {
        "publicTrade.BTCUSDT": TRADE,
        "tickers.BTCUSDT": TICKER,
        "orderbook.1.BTCUSDT": TICKER,
        "orderbook.200.BTCUSDT": BOOK,
    }
    assert {item.key: item.channel for item in linear.subscriptions} == {
        "publicTrade.BTCUSDT": TRADE,
        "tickers.BTCUSDT": TICKER,
        "orderbook.200.BTCUSDT": BOOK,
        "allLiquidation.BTCUSDT": LIQUIDATION,
    }


def test_funding_alone_still_subscribes_the_ticker_of_contracts() -> None:
    instruments = [VENUE.guess("spot", "BTCUSDT"), VENUE.guess("linear", "BTCUSDT")]
    (linear,) = VENUE.plan("ws://sim", instruments, [FUNDING, INTEREST])
    assert [(item.key, item.channel, item.silence) for item in linear.subscriptions] == [
        ("tickers.BTCUSDT", FUNDING, None)
    ]


def test_plan_keeps_the_venues_limits() -> None:
    instruments = [make_instrument("bybit", f"C{number}/USDT", f"C{number}USDT") for number in range(500)]
    plans = VENUE.plan("ws://sim", instruments, CHANNELS)
    keys = [item.key for plan in plans for item in plan.subscriptions]
    assert len(keys) == len(set(keys)) == 2000
    for plan in plans:
        sent = [json.loads(request.frame) for request in plan.requests]
        assert sum(len(json.dumps(frame["args"])) for frame in sent) <= 21_000
        assert all(len(frame["args"]) <= 10 for frame in sent)
        assert [(frame["op"], frame["req_id"]) for frame in sent] == [("subscribe", item.ref) for item in plan.requests]
        assert [set(frame["args"]) for frame in sent] == [item.keys for item in plan.requests]


def _page(*rows: dict[str, Any], cursor: str = "") -> bytes:
    return json.dumps({"retCode": 0, "retMsg": "OK", "result": {"list": rows, "nextPageCursor": cursor}}).encode()


def test_instruments_are_named_and_paged() -> None:
    row = {"symbol": "BTCUSDT", "status": "Trading", "baseCoin": "BTC", "quoteCoin": "USDT", "settleCoin": "USDT"}
    row |= {"contractType": "LinearPerpetual", "deliveryTime": "0"}
    dated = {**row, "symbol": "BTCUSDT-25DEC26", "contractType": "LinearFutures", "deliveryTime": "1798185600000"}
    body = _page(row, dated, {**row, "symbol": "OLDUSDT", "status": "Closed"}, cursor="next")
    found, following = VENUE.rest.decode_instruments("linear", body)
    assert [item.symbol for item in named(found)] == ["BTC/USDT:USDT", "BTC/USDT:USDT-261225"]
    assert following is not None
    assert (following.params["cursor"], following.params["category"]) == ("next", "linear")
    assert VENUE.rest.decode_instruments("linear", _page(row))[1] is None


def test_inverse_contracts_are_worth_one_dollar() -> None:
    row = {"symbol": "BTCUSD", "status": "Trading", "baseCoin": "BTC", "quoteCoin": "USD", "settleCoin": "BTC"}
    row |= {"contractType": "InversePerpetual", "deliveryTime": "0"}
    (found,) = named(VENUE.rest.decode_instruments("inverse", _page(row))[0])
    assert (found.symbol, found.contract_size, found.sized_in_contracts) == ("BTC/USD:BTC", "1", True)


def test_rest_book_is_a_book_event() -> None:
    instrument = VENUE.guess("spot", "BTCUSDT")
    call = VENUE.rest.depth_call(instrument)
    assert call.params == {"category": "spot", "symbol": "BTCUSDT", "limit": "200"}
    result = {"s": "BTCUSDT", "b": [["91000", "0.5"]], "a": [["91001", "0.2"]], "ts": TS, "u": 77, "seq": 9}
    body = json.dumps({"retCode": 0, "retMsg": "OK", "result": result, "time": TS}).encode()
    event = _said(VENUE.rest.decode_depth(body, instrument, RECEIVED, sim=True))
    assert (event["bids"], event["asks"], event["seq"]) == ([["91000", "0.5"]], [["91001", "0.2"]], 77)
    assert (event["quality"], event["sim"], event["ts_event"]) == ("sim", True, TS_NS)


def test_failures_tell_how_long_to_wait() -> None:
    failure = VENUE.rest.failure
    assert failure(200, {}, b'{"retCode":0,"retMsg":"OK","result":{},"time":1}') is None
    banned = failure(403, {}, b"<html>")
    assert banned is not None
    assert banned.retry_after == 600
    body = json.dumps({"retCode": 10006, "retMsg": "Too many visits!", "time": TS}).encode()
    limited = failure(200, {"x-bapi-limit-reset-timestamp": str(TS + 2500)}, body)
    assert limited is not None
    assert (limited.code, limited.retry_after) == ("10006", 2.5)
    wrong = failure(200, {}, b'{"retCode":10001,"retMsg":"params error","time":1}')
    assert wrong is not None
    assert (wrong.reason, wrong.code, wrong.retry_after) == ("params error", "10001", None)
    broken = failure(502, {}, b"<html>")
    assert broken is not None
    assert "502" in broken.reason
