"""Deribit: frames as the vendor's pages describe them, with invented values, and the events they become."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from contracts.codec import EVENTS, decoder, encode
from contracts.errors import FrameError, SymbolSyntaxError
from producers.normalize.events import Makers
from producers.venue import BOOK, CHANNELS, LIQUIDATION, TRADE, Ack, Answered, Closing, Pong, Refused, Reply, Unreadable
from producers.venues.deribit import VENUE
from tests.producers.playing import named

MS, TIME_NS = 1_795_291_200_123, 1_795_291_200_123_000_000
RECEIVED = TIME_NS + 5_000_000
INVERSE = "BTC-PERPETUAL"
LISTED = {INVERSE: "1"}


class Socket:
    """One connection's decoder, with what a dollar's contract is worth known for the listed."""

    def __init__(self, *, sim: bool = False, listed: bool = True) -> None:
        self._listed = LISTED if listed else {}
        self._decoder = VENUE.decoder("public", self._find, makers=Makers(sim=sim))

    def _find(self, name: str) -> Any:
        return replace(VENUE.guess("public", name), contract_size=self._listed.get(name))

    def send(self, frame: str) -> list[Any]:
        return [_said(event) for event in self._decoder.decode(frame.encode(), RECEIVED)]


def _said(event: Any) -> Any:
    if event.kind not in EVENTS:
        return event
    decoder(EVENTS[event.kind]).decode(encode(event))  # fit for the bus
    return {"kind": event.kind, **json.loads(encode(event))}


def push(channel: str, data: str) -> str:
    return f'{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"{channel}","data":{data}}}}}'


def trades(*rows: str, name: str = INVERSE) -> str:
    return push(f"trades.{name}.100ms", f"[{','.join(rows)}]")


def trade(number: int, direction: str, extra: str = "", price: str = "80000.0") -> str:
    return (
        f'{{"trade_seq":{number},"trade_id":"{number}","timestamp":{MS},"tick_direction":2,"price":{price},'
        f'"instrument_name":"BTC-PERPETUAL","index_price":80001.5,"direction":"{direction}","amount":4000.0,'
        f'"contracts":400.0,"mark_price":80000.1{extra}}}'
    )


def book(kind: str, ids: str, bids: str, asks: str, name: str = "BTC_USDC-PERPETUAL") -> str:
    head = f'"type":"{kind}","timestamp":{MS},"instrument_name":"{name}","change_id":{ids}'
    data = f'{{{head},"bids":[{bids}],"asks":[{asks}]}}'
    return push(f"book.{name}.100ms", data)


def ticker(name: str, extra: str = "") -> str:
    data = (
        f'{{"timestamp":{MS},"state":"open","stats":{{"high":81000.0,"low":79000.5,"price_change":-1.25,"volume":12.5,'
        f'"volume_usd":1000000.0,"volume_notional":1000000.5}},"index_price":80001.5,"instrument_name":"{name}",'
        f'"last_price":80000.5,"mark_price":80000.0,"best_bid_price":80000.0,"best_bid_amount":8000.0,'
        f'"best_ask_price":0.0,"best_ask_amount":0.0{extra}}}'
    )
    return push(f"ticker.{name}.100ms", data)


COMMON = {
    "venue": "deribit",
    "symbol": "BTC/USD:BTC",
    "venue_symbol": INVERSE,
    "ts_event": TIME_NS,
    "ts_recv": RECEIVED,
    "sim": False,
}


def test_trade_of_an_inverse_contract_counts_dollars_and_coins() -> None:
    assert Socket().send(trades(trade(20, "sell"))) == [
        {
            "kind": "trade",
            "id": "deribit.BTC.USD.inverse.trade.20",
            **COMMON,
            "trade_id": "20",
            "price": "80000.0",
            "amount": "0.05",
            "contracts": "4000.0",
            "side": "sell",
            "seq": 20,
        }
    ]


def test_coins_are_null_where_the_listing_is_not_known_and_linear_ones_count_coins() -> None:
    [unknown] = Socket(listed=False).send(trades(trade(20, "buy")))
    [linear] = Socket().send(trades(trade(20, "buy"), name="BTC_USDC-PERPETUAL"))
    assert (unknown["amount"], unknown["contracts"]) == (None, "4000.0")
    assert (linear["amount"], linear["contracts"], linear["symbol"]) == ("4000.0", None, "BTC/USDC:USDC")


@pytest.mark.parametrize(
    ("direction", "mark", "closed"),
    [
        ("sell", "T", [("long", "sell")]),
        ("buy", "T", [("short", "buy")]),
        ("sell", "M", [("short", "buy")]),
        ("buy", "M", [("long", "sell")]),
        ("buy", "MT", [("long", "sell"), ("short", "buy")]),
    ],
)
def test_marked_trade_is_a_trade_and_the_liquidations_of_its_parties(
    direction: str, mark: str, closed: list[tuple[str, str]]
) -> None:
    first, *forced = Socket().send(trades(trade(7, direction, f',"liquidation":"{mark}"')))
    assert (first["kind"], first["side"]) == ("trade", direction)
    assert [(event["position_side"], event["order_side"]) for event in forced] == closed
    assert len({event["id"] for event in forced}) == len(mark)
    for event in forced:
        assert (event["price"], event["price_kind"], event["amount"]) == ("80000.0", "fill", "0.05")
        assert (event["contracts"], event["sampled"], event["kind"]) == ("4000.0", False, "liquidation")


def test_book_snapshot_and_change_keep_their_chain_and_texts() -> None:
    socket = Socket()
    [first] = socket.send(book("snapshot", "11", '["new",80000.0,1.50]', '["new",80000.5,2.0],["new",80001.0,1e-4]'))
    [second] = socket.send(
        book("change", '12,"prev_change_id":11', '["change",80000.0,0.25]', '["delete",80000.5,0.0]')
    )
    assert (first["seq"], first["prev_seq"], first["is_snapshot"], first["unit"]) == (11, None, True, "base")
    assert (first["bids"], first["asks"]) == ([["80000.0", "1.50"]], [["80000.5", "2.0"], ["80001.0", "0.0001"]])
    assert (second["seq"], second["prev_seq"], second["is_snapshot"]) == (12, 11, False)
    assert (second["bids"], second["asks"]) == ([["80000.0", "0.25"]], [["80000.5", "0"]])
    assert second["ts_event"] == TIME_NS


def test_change_that_continues_nothing_is_a_whole_book() -> None:
    [event] = Socket().send(book("change", '12,"prev_change_id":0', '["new",80000.0,1.0]', ""))
    assert (event["is_snapshot"], event["prev_seq"]) == (True, None)


def test_book_of_an_inverse_contract_is_in_coins_where_its_worth_is_known() -> None:
    frame = book("snapshot", "11", '["new",80000.0,4000.0]', "", name=INVERSE)
    [known], [unknown] = Socket().send(frame), Socket(listed=False).send(frame)
    assert (known["bids"], known["unit"]) == ([["80000.0", "0.05"]], "base")
    assert (unknown["bids"], unknown["unit"]) == ([["80000.0", "4000.0"]], "contracts")


def test_grouped_book_is_whole_each_time() -> None:
    data = f'{{"timestamp":{MS},"instrument_name":"BTC_USDC","change_id":5,"bids":[[80000.0,1.0]],"asks":[]}}'
    [event] = Socket().send(push("book.BTC_USDC.none.20.100ms", data))
    assert (event["is_snapshot"], event["bids"], event["symbol"]) == (True, [["80000.0", "1.0"]], "BTC/USDC")


def test_ticker_tells_best_day_funding_and_interest() -> None:
    extra = ',"open_interest":8000000,"current_funding":1e-05,"funding_8h":0.0002'
    best, funding, interest = Socket().send(ticker(INVERSE, extra))
    assert {name: best[name] for name in ("bid", "bid_amount", "ask", "ask_amount", "last")} == {
        "bid": "80000.0",
        "bid_amount": "0.1",
        "ask": None,
        "ask_amount": None,
        "last": "80000.5",
    }
    assert (best["high_24h"], best["low_24h"], best["change_24h"]) == ("81000.0", "79000.5", "-1.25")
    assert (best["volume_24h"], best["quote_volume_24h"]) == ("12.5", "1000000.5")
    assert (funding["rate"], funding["next_ts"], funding["mark_price"]) == ("0.00001", None, "80000.0")
    assert funding["index_price"] == "80001.5"
    assert (interest["contracts"], interest["value"], interest["amount"]) == ("8000000", "8000000", "100")


def test_spot_ticker_and_quote_tell_no_positions() -> None:
    [spot] = Socket().send(ticker("BTC_USDC"))
    assert (spot["bid_amount"], spot["symbol"]) == ("8000.0", "BTC/USDC")
    data = (
        f'{{"timestamp":{MS},"instrument_name":"BTC_USDC","best_bid_price":1.5,"best_bid_amount":2.0,"best_ask_price":'
    )
    [quote] = Socket().send(push("quote.BTC_USDC", data + '1.6,"best_ask_amount":3.0}'))
    assert (quote["bid"], quote["ask"], quote["ask_amount"], quote["last"]) == ("1.5", "1.6", "3.0", None)


def test_candle_is_open_until_the_venue_says_otherwise() -> None:
    row = f'{{"volume":0.05,"tick":{MS},"open":8789.5,"low":8789.0,"high":8791.5,"cost":460.0,"close":8791.0}}'
    [candle] = Socket().send(push("chart.trades.BTC_USDC.60", row))
    assert (candle["timeframe"], candle["start_ts"], candle["closed"]) == ("1h", TIME_NS, False)
    assert [candle[name] for name in ("open", "high", "low", "close", "volume", "quote_volume")] == [
        *("8789.5", "8791.5", "8789.0", "8791.0", "0.05", "460.0")
    ]


def test_test_request_is_answered_and_heartbeats_ask_for_nothing() -> None:
    beat = '{{"jsonrpc":"2.0","method":"heartbeat","params":{{"type":"{}"}}}}'
    pong, reply = Socket().send(beat.format("test_request"))
    assert pong == Pong()
    assert isinstance(reply, Reply)
    assert json.loads(reply.frame)["method"] == "public/test"
    assert Socket().send(beat.format("heartbeat")) == [Pong()]
    answer = json.dumps({"jsonrpc": "2.0", "id": json.loads(reply.frame)["id"], "result": {"version": "1.2.26"}})
    assert Socket().send(answer) == [Pong()]


def test_answer_confirms_only_what_it_lists() -> None:
    [plan] = VENUE.plan("ws://x", [VENUE.guess("public", INVERSE)], {TRADE, BOOK})
    beat, request = plan.requests
    asked = json.loads(request.frame)
    assert asked["params"]["channels"] == ["trades.BTC-PERPETUAL.100ms", "book.BTC-PERPETUAL.100ms"]
    answer = {"jsonrpc": "2.0", "id": asked["id"], "result": asked["params"]["channels"][:1]}
    assert Socket().send(json.dumps(answer)) == [Answered(request.ref, frozenset({"trades.BTC-PERPETUAL.100ms"}))]
    assert json.loads(beat.frame)["params"] == {"interval": 10}
    ok = {"jsonrpc": "2.0", "id": json.loads(beat.frame)["id"], "result": "ok"}
    assert Socket().send(json.dumps(ok)) == [Ack(beat.ref)]


def test_errors_are_refusals_and_too_many_requests_a_reason_to_leave() -> None:
    error = '{{"jsonrpc":"2.0","id":100,"error":{{"code":{},"message":"{}","data":null}}}}'
    assert Socket().send(error.format(-32602, "Invalid params")) == [Refused("100", "-32602: Invalid params")]
    [leaving] = Socket().send(error.format(10028, "too_many_requests"))
    assert isinstance(leaving, Closing)


@pytest.mark.parametrize("channel", ["ticker.BTC-FS-27MAR26_PERP.100ms", "perpetual.BTC-PERPETUAL.raw"])
def test_combos_and_other_known_channels_are_not_carried(channel: str) -> None:
    assert Socket().send(push(channel, '{"timestamp":1}')) == []


@pytest.mark.parametrize(
    ("frame", "named"),
    [
        (push("tea.BTC-PERPETUAL.100ms", "{}"), "tea"),
        (push("trades.BTC-PERPETUAL.100ms", '[{"trade_id":"1"}]'), "trade_seq"),
        (trades(trade(1, "buy", price='"80000"')), "data.price"),
        (trades(trade(1, "buy", price="-1")), "negative"),
        ('{"jsonrpc":"2.0","method":"surprise","params":{"data":1}}', "surprise"),
        ("{", "truncated"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_names_it(frame: str, named: str) -> None:
    with pytest.raises((FrameError, ValueError), match=named):
        Socket().send(frame)


@pytest.mark.parametrize(
    ("name", "symbol", "tail"),
    [
        ("BTC-PERPETUAL", "BTC/USD:BTC", "deribit.BTC.USD.inverse"),
        ("BTC_USDC-PERPETUAL", "BTC/USDC:USDC", "deribit.BTC.USDC.perp"),
        ("BTC-27MAR26", "BTC/USD:BTC-260327", "deribit.BTC.USD.i260327"),
        ("ETH_USDC-5JUN26", "ETH/USDC:USDC-260605", "deribit.ETH.USDC.260605"),
        ("BTC_USDC", "BTC/USDC", "deribit.BTC.USDC.spot"),
        ("BTC-27MAR26-90000-C", "BTC/USD:BTC-260327-90000-C", "deribit.BTC.USD.i260327-90000-C"),
        ("XRP_USDC-27MAR26-0d5-P", "XRP/USDC:USDC-260327-0.5-P", "deribit.XRP.USDC.260327-0d5-P"),
    ],
)
def test_names_say_what_they_are(name: str, symbol: str, tail: str) -> None:
    found = VENUE.guess("public", name)
    assert (found.symbol, found.tail) == (symbol, tail)


@pytest.mark.parametrize("name", ["BTC", "BTC-27XYZ26", "BTC-FS-27MAR26_PERP", "BTC-STRD-30SEP22-20000"])
def test_what_is_no_instrument_is_refused(name: str) -> None:
    with pytest.raises(SymbolSyntaxError, match=name):
        VENUE.guess("public", name)


def test_one_channel_serves_several_of_ours() -> None:
    [plan] = VENUE.plan("ws://x", [VENUE.guess("public", INVERSE), VENUE.guess("public", "BTC_USDC")], CHANNELS)
    assert plan.url == "ws://x/ws/api/v2"
    inverse = [item.channel for item in plan.subscriptions if item.instrument and item.instrument.is_inverse]
    assert inverse == ["trade", "liquidation", "ticker", "funding", "interest", "book"]
    assert all(item.silence is None for item in plan.subscriptions if item.channel == LIQUIDATION)
    assert len(plan.requests[1].keys) == 6
    assert VENUE.resubscribe is not None
    leave, again = VENUE.resubscribe(plan.subscriptions[-1])
    assert [json.loads(frame)["method"] for frame in (leave, again)] == ["public/unsubscribe", "public/subscribe"]


def test_many_instruments_are_split_into_requests_and_sockets() -> None:
    names = [VENUE.guess("public", f"C{number}_USDC") for number in range(120)]
    plans = VENUE.plan("ws://x", names, {TRADE, BOOK})
    assert [len(plan.subscriptions) for plan in plans] == [240]
    assert [len(request.keys) for request in plans[0].requests] == [0, 50, 50, 50, 50, 40]
    assert len(VENUE.plan("ws://x", names, CHANNELS)) == 2


def test_listing_keeps_what_trades_and_settles_as_its_name_says() -> None:
    def row(name: str, **changes: Any) -> dict[str, Any]:
        return {"instrument_name": name, "kind": "future", "is_active": True, **changes}

    rows = [
        row("BTC-PERPETUAL", settlement_currency="BTC", contract_size=10.0),
        row("BTC_USDC-27MAR26", settlement_currency="USDC"),
        row("ETH-PERPETUAL", settlement_currency="USDC"),
        row("ETH_USDC", kind="spot"),
        row("SOL_USDC-PERPETUAL", is_active=False),
        row("BTC-27MAR26-90000-C", kind="option"),
    ]
    found, further = VENUE.rest.decode_instruments("public", json.dumps({"jsonrpc": "2.0", "result": rows}).encode())
    (odd,) = (item for item in found if isinstance(item, Unreadable))
    assert str(odd.error) == "ETH-PERPETUAL settles in USDC"
    assert [(item.symbol, item.contract_size) for item in named(found)] == [
        ("BTC/USD:BTC", "1"),
        ("BTC/USDC:USDC-260327", None),
        ("ETH/USDC", None),
    ]
    assert further is None


def test_depth_is_a_book_of_the_same_chain() -> None:
    item = VENUE.guess("public", "BTC_USDC")
    assert VENUE.rest.depth_call(item).params["instrument_name"] == "BTC_USDC"
    body = f'{{"jsonrpc":"2.0","result":{{"timestamp":{MS},"change_id":9,"bids":[[1.5,2.0]],"asks":[[1.6,0.5]]}}}}'
    depth = _said(VENUE.rest.decode_depth(body.encode(), item, RECEIVED, sim=True))
    assert (depth["seq"], depth["bids"], depth["asks"], depth["quality"]) == (
        9,
        [["1.5", "2.0"]],
        [["1.6", "0.5"]],
        "sim",
    )


@pytest.mark.parametrize(
    ("status", "body", "code", "pause"),
    [
        (400, '{"error":{"code":-32602,"message":"Invalid params"}}', "-32602", None),
        (429, '{"error":{"code":10028,"message":"too_many_requests"}}', "10028", 2.0),
        (503, '{"error":{"code":11051,"message":"system_maintenance"}}', "11051", 30.0),
        (502, "<html>", None, None),
    ],
)
def test_failures_are_reported_with_their_code(status: int, body: str, code: str | None, pause: float | None) -> None:
    failure = VENUE.rest.failure(status, {}, body.encode())
    assert failure is not None
    assert (failure.code, failure.retry_after) == (code, pause)
    assert VENUE.rest.failure(200, {}, b'{"jsonrpc":"2.0","result":[]}') is None


def test_trades_of_a_kind_name_their_instruments() -> None:
    combo = trade(3, "buy").replace("BTC-PERPETUAL", "BTC-FS-27MAR26_PERP")
    future = trade(2, "sell", ',"liquidation":"T"').replace("BTC-PERPETUAL", "BTC-27MAR26")
    frame = push("trades.any.BTC.100ms", f"[{trade(1, 'buy')},{future},{combo}]")
    socket = Socket(listed=False)
    assert socket.send(frame) == socket.send(frame)
    assert [(event["kind"], event["symbol"], event["contracts"]) for event in socket.send(frame)] == [
        ("trade", "BTC/USD:BTC", "4000.0"),
        ("trade", "BTC/USD:BTC-260327", "4000.0"),
        ("liquidation", "BTC/USD:BTC-260327", "4000.0"),
    ]
    with pytest.raises(FrameError, match="names none"):
        socket.send(push("trades.future.BTC.100ms", f"[{trade(1, 'buy').replace('instrument_name', 'other')}]"))
