"""Bitfinex: frames as the vendor's pages describe them, with invented values, and the events they become."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest

from contracts.codec import EVENTS, decoder, encode
from contracts.errors import FrameError, SymbolSyntaxError
from producers.normalize.events import Makers
from producers.venue import BOOK, CHANNELS, LIQUIDATION, TRADE, Ack, Closing, Gap, Pong, Proof, Refused, Unreadable
from producers.venues.bitfinex import VENUE
from producers.venues.bitfinex.decoder import inherit
from runtime.book.checksums import sum_bitfinex, write_bitfinex
from runtime.book.keeper import BookKeeper, Change

MS, TIME_NS = 1_795_291_200_123, 1_795_291_200_123_000_000
RECEIVED = TIME_NS + 5_000_000
PERPETUAL = "tBTCF0:USTF0"


def find(name: str) -> Any:
    return VENUE.guess("public", name)


class Socket:
    """One connection's decoder."""

    def __init__(self, *, sim: bool = False) -> None:
        self.decoder = VENUE.decoder("public", find, makers=Makers(sim=sim))

    def events(self, frame: str) -> list[Any]:
        return list(self.decoder.decode(frame.encode(), RECEIVED))

    def send(self, frame: str) -> list[Any]:
        return [_said(event) for event in self.events(frame)]

    def follow(self, channel: str, name: str = "tBTCUSD", number: int = 17, **more: Any) -> Socket:
        what = "key" if channel in {"status", "candles"} else "symbol"
        said = {"event": "subscribed", "channel": channel, "chanId": number, what: name, **more}
        assert self.events(json.dumps(said)) == [Ack(f"{channel}:{name}")]
        return self


def _said(event: Any) -> Any:
    if event.kind not in EVENTS:
        return event
    decoder(EVENTS[event.kind]).decode(encode(event))  # fit for the bus
    return {"kind": event.kind, **json.loads(encode(event))}


def test_te_is_the_trade_and_tu_repeats_it() -> None:
    socket = Socket().follow("trades")
    [sold] = socket.send(f'[17,"te",[669899159,{MS},-0.5,91000.1],1,{MS}]')
    assert sold == {
        "kind": "trade",
        "id": "bitfinex.BTC.USD.spot.trade.669899159",
        "venue": "bitfinex",
        "symbol": "BTC/USD",
        "venue_symbol": "tBTCUSD",
        "ts_event": TIME_NS,
        "ts_recv": RECEIVED,
        "sim": False,
        "trade_id": "669899159",
        "price": "91000.1",
        "amount": "0.5",
        "contracts": None,
        "side": "sell",
        "seq": None,
    }
    assert socket.send(f'[17,"tu",[669899159,{MS},-0.5,91000.1],2,{MS}]') == []
    [bought] = socket.send(f'[17,"te",[669899160,{MS},5e-7,91000],3,{MS}]')
    assert (bought["side"], bought["amount"]) == ("buy", "0.0000005")


def test_what_a_connection_received_is_handed_to_the_next() -> None:
    assert VENUE.inherit is inherit


def test_trades_before_the_first_connection_of_a_feed_are_history() -> None:
    socket = Socket()
    inherit(socket.decoder, None)
    assert socket.follow("trades").send(f"[17,[[12,{MS},1,91000],[11,{MS},1,91000]],1,{MS}]") == []


def test_recording_tells_the_trades_with_which_a_channel_begins() -> None:
    found = Socket().follow("trades").send(f"[17,[[12,{MS},-1,91001],[11,{MS},2,91000]],1,{MS}]")
    assert [(event["trade_id"], event["price"], event["amount"], event["side"]) for event in found] == [
        ("12", "91001", "1", "sell"),
        ("11", "91000", "2", "buy"),
    ]


def test_trades_that_a_lost_connection_missed_are_reported_oldest_first() -> None:
    last = Socket().follow("trades")
    last.send(f'[17,"te",[11,{MS},1,91000],1]')
    socket = Socket()
    inherit(socket.decoder, last.decoder)
    found = socket.follow("trades").send(f"[17,[[13,{MS},1,91002],[12,{MS},-1,91001],[11,{MS},1,91000]],1]")
    assert [(event["trade_id"], event["price"]) for event in found] == [("12", "91001"), ("13", "91002")]


def test_more_missed_trades_than_are_repeated_are_a_gap() -> None:
    last = Socket()
    inherit(last.decoder, None)
    last.follow("trades").send(f"[17,[[11,{MS},1,91000]],1]")
    socket = Socket()
    inherit(socket.decoder, last.decoder)
    gap, trade = socket.follow("trades").send(f"[17,[[20,{MS},1,91000]],1]")
    assert isinstance(gap, Gap)
    assert (gap.channel, gap.instrument) == (TRADE, find("tBTCUSD"))
    assert trade["trade_id"] == "20"


def test_book_rows_are_bids_and_asks_and_no_orders_remove_a_level() -> None:
    socket = Socket().follow("book", prec="P0", freq="F0", len="100")
    [whole] = socket.send(f"[17,[[91000,3,1.5],[5e-7,1,2],[91001,1,-2.25]],1,{MS}]")
    assert (whole["bids"], whole["asks"]) == ([["91000", "1.5"], ["0.0000005", "2"]], [["91001", "2.25"]])
    assert (whole["is_snapshot"], whole["seq"], whole["prev_seq"], whole["ts_event"]) == (True, 1, None, TIME_NS)
    [ask] = socket.send(f"[17,[91002,2,-0.5],2,{MS}]")
    [gone] = socket.send(f"[17,[91000,0,1],3,{MS}]")
    assert (ask["bids"], ask["asks"], ask["seq"], ask["prev_seq"]) == ([], [["91002", "0.5"]], 2, 1)
    assert (gone["bids"], gone["asks"], gone["is_snapshot"]) == ([["91000", "0"]], [], False)


def test_numbers_of_other_channels_continue_a_book_and_a_missing_one_breaks_it() -> None:
    socket = Socket().follow("book").follow("trades", number=18)
    keeper = BookKeeper(VENUE.book)
    for frame in ("[17,[[91000,1,1],[91001,1,-1]],1]", "[17,[90999,1,1],2]"):
        assert keeper.on_delta(socket.events(frame)[0]).change is Change.APPLIED
    assert socket.events('[18,"hb",3]') == [Pong()]
    assert keeper.on_delta(socket.events("[17,[90998,1,1],4]")[0]).change is Change.APPLIED
    gap, late = socket.events("[17,[90997,1,1],6]")
    assert (gap.kind, gap.channel) == ("gap", TRADE)
    assert keeper.on_delta(late).change is Change.GAP


def test_repeated_and_late_frames_change_nothing() -> None:
    socket, keeper = Socket().follow("book"), BookKeeper(VENUE.book)
    keeper.on_delta(socket.events("[17,[[91000,1,1],[91001,1,-1]],1]")[0])
    first = "[17,[90999,1,1],2]"
    assert keeper.on_delta(socket.events(first)[0]).change is Change.APPLIED
    assert keeper.on_delta(socket.events(first)[0]).change is Change.IGNORED
    assert keeper.on_delta(socket.events("[17,[90998,1,1],3]")[0]).change is Change.APPLIED
    assert keeper.on_delta(socket.events(first)[0]).change is Change.IGNORED
    assert keeper.on_delta(socket.events("[17,[90997,1,1],4]")[0]).change is Change.APPLIED


def test_book_without_numbers_is_followed_by_order() -> None:
    socket, keeper = Socket().follow("book"), BookKeeper(VENUE.book)
    for frame in ("[17,[[91000,1,1],[91001,1,-1]]]", f"[17,[90999,1,1],{MS}]"):
        [event] = socket.events(frame)
        assert event.seq is None
        assert keeper.on_delta(event).change is Change.APPLIED
    assert event.ts_event == TIME_NS


def test_checksum_sums_price_and_amount_as_the_venue_writes_them() -> None:
    bids, asks = [("91000", "0.5"), ("0.0000005", "2")], [("91001", "0.00000012")]
    crc = zlib.crc32(b"91000:0.5:91001:-1.2e-7:5e-7:2")
    assert sum_bitfinex(bids, asks) == crc - (1 << 32) * (crc >= 1 << 31)
    assert [write_bitfinex(text) for text in ("0.000001", "0.0000001", "0.00000123", "12")] == [
        *("0.000001", "1e-7", "0.00000123", "12")
    ]
    assert VENUE.checksum is not None
    assert (VENUE.checksum.depth, VENUE.checksum.compute) == (25, sum_bitfinex)


def test_checksum_frame_is_a_proof_of_its_book() -> None:
    socket = Socket().follow("book")
    socket.events("[17,[[91000,1,1]],1]")
    assert socket.events(f'[17,"cs",-1855196175,2,{MS}]') == [Proof(find("tBTCUSD"), -1855196175)]


def test_ticker_sizes_are_sums_and_the_change_is_a_fraction() -> None:
    row = "[91000,60.5,91001,48.25,-1292,-0.0209,91000.5,901.25,92000,90000,null]"
    [event] = Socket().follow("ticker").send(f"[17,{row},1,{MS}]")
    assert (event["bid"], event["ask"], event["last"]) == ("91000", "91001", "91000.5")
    assert (event["bid_amount"], event["ask_amount"]) == (None, None)
    assert (event["high_24h"], event["low_24h"], event["volume_24h"]) == ("92000", "90000", "901.25")
    assert (event["change_24h"], event["ts_event"]) == ("-2.09", TIME_NS)


def forced(number: int, amount: str, is_match: int, price: str) -> str:
    return f'["pos",{number},{MS}.25,null,"{PERPETUAL}",{amount},91.5,null,{is_match},1,null,{price}]'


def test_liquidation_is_one_event_a_position_with_its_side() -> None:
    rows = ",".join((forced(1, "-2.5", 0, "112.27"), forced(1, "-2.5", 1, "112.27"), forced(2, "0.5", 0, "90")))
    short, long = Socket().follow("status", "liq:global").send(f"[17,[{rows}],1,{MS}]")
    assert (short["position_side"], short["order_side"], short["amount"]) == ("short", "buy", "2.5")
    assert (short["price"], short["price_kind"], short["ts_event"]) == ("112.27", "fill", TIME_NS + 250_000)
    assert (long["position_side"], long["order_side"], long["amount"]) == ("long", "sell", "0.5")
    assert (short["symbol"], short["sampled"]) == ("BTC/USDT:USDT", False)


def test_liquidation_waits_for_the_price_at_which_the_position_was_acquired() -> None:
    socket = Socket().follow("status", "liq:global")
    assert socket.send(f"[17,[{forced(3, '0.5', 0, 'null')}],1,{MS}]") == []
    following = Socket()
    inherit(following.decoder, socket.decoder)
    following.follow("status", "liq:global")
    [event] = following.send(f"[17,[{forced(3, '0.25', 1, '90')}],1,{MS}]")
    assert (event["price"], event["price_kind"], event["amount"]) == ("90", "fill", "0.5")
    assert following.send(f"[17,[{forced(3, '0.25', 1, '90')}],2,{MS}]") == []


def test_frame_that_cannot_be_read_is_counted_and_breaks_its_book_only() -> None:
    socket, keeper, other = (
        Socket().follow("book").follow("book", "tETHUSD", 18),
        BookKeeper(VENUE.book),
        BookKeeper(VENUE.book),
    )
    keeper.on_delta(socket.events("[17,[[91000,1,1],[91001,1,-1]],1]")[0])
    other.on_delta(socket.events("[18,[[91000,1,1],[91001,1,-1]],2]")[0])
    for odd in ("[17,[90999,1,1e400],3]", '[17,[90999,"x",1],4]'):
        with pytest.raises((FrameError, ValueError)):
            socket.events(odd)
    assert other.on_delta(socket.events("[18,[90999,1,1],5]")[0]).change is Change.APPLIED
    assert keeper.on_delta(socket.events("[17,[90998,1,1],6]")[0]).change is Change.GAP


def test_status_of_a_perpetual_is_funding_and_interest() -> None:
    head = f"[{MS},null,0.896,0.771995,null,1396531.6,null,1795305600000,0.0001,6,null,-1e-5,null,null,0.7664"
    frame = f"[17,{head},null,null,246502.09,null,null,null,null,0.3],1,{MS}]"
    funding, interest = Socket().follow("status", f"deriv:{PERPETUAL}").send(frame)
    assert (funding["rate"], funding["next_ts"]) == ("-0.00001", 1_795_305_600_000_000_000)
    assert (funding["mark_price"], funding["index_price"]) == ("0.7664", "0.771995")
    assert (interest["amount"], interest["value"], interest["symbol"]) == ("246502.09", None, "BTC/USDT:USDT")


def test_candle_columns_are_open_close_high_low() -> None:
    socket = Socket().follow("candles", "trade:1m:tBTCUSD")
    two = socket.send(f"[17,[[{MS + 60000},4,5,6,3,1.5],[{MS},1,2,3,0.5,2.5]],1]")
    assert [event["start_ts"] for event in two] == [TIME_NS, TIME_NS + 60_000_000_000]
    assert [two[0][name] for name in ("open", "close", "high", "low", "volume")] == ["1", "2", "3", "0.5", "2.5"]
    [one] = socket.send(f"[17,[{MS},1,2.5,3,0.5,2.75],2]")
    assert (one["close"], one["timeframe"], one["closed"], one["quote_volume"]) == ("2.5", "1m", False, None)


def test_events_are_acks_refusals_and_reasons_to_leave() -> None:
    socket = Socket()
    assert socket.events('{"event":"info","version":2,"serverId":"a","platform":{"status":1}}') == []
    assert socket.events('{"event":"conf","status":"OK","flags":229376}') == [Ack("conf")]
    assert socket.events('{"event":"conf","status":"FAILED"}') == [Refused("conf", "flags: FAILED")]
    named = '{"event":"error","channel":"trades","symbol":"tNOPE","msg":"symbol: invalid","code":10300}'
    assert socket.events(named) == [Refused("trades:tNOPE", "10300: symbol: invalid")]
    assert socket.events('{"event":"error","msg":"symbol: invalid","code":10300}')[0].ref is None
    assert isinstance(socket.events('{"event":"info","code":20051,"msg":"Stopping"}')[0], Closing)
    assert socket.events('{"event":"info","code":20060,"msg":"Entering maintenance"}') == []
    assert socket.events('{"event":"pong","ts":1,"cid":1}') == [Pong()]


def test_loans_and_books_of_orders_are_not_carried() -> None:
    socket = Socket().follow("ticker", "fUSD", currency="USD").follow("book", "tBTCUSD", 18, prec="R0")
    assert socket.events(f"[17,[0.0002,0.0001,30],1,{MS}]") == []
    assert socket.events(f"[18,[[34753002978,91000,1.5]],2,{MS}]") == []


def test_left_channel_is_ignored_and_heartbeats_may_come_early() -> None:
    socket = Socket().follow("trades")
    assert socket.events('[99,"hb",1]') == [Pong()]
    assert socket.events('{"event":"unsubscribed","status":"OK","chanId":17}') == []
    assert socket.events(f'[17,"te",[1,{MS},1,91000],2]') == []


@pytest.mark.parametrize(
    ("frame", "named"),
    [
        ('[99,"te",[1,1,1,1],1]', "channel 99 was not subscribed"),
        ('{"event":"surprise","data":[1]}', "surprise"),
        ('{"event":"subscribed","channel":"tea","chanId":3,"symbol":"tBTCUSD"}', "tea"),
        ('{"event":"subscribed","channel":"trades","chanId":3,"symbol":"tBTC"}', "tBTC"),
        ('[17,"te",[1,1,"x",1],1]', "amount is no number"),
        ('[17,"te",[1,1],1]', "length"),
        ("[17,", "truncated"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_names_it(frame: str, named: str) -> None:
    with pytest.raises((FrameError, ValueError), match=named):
        Socket().follow("trades").events(frame)


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("tBTCUSD", "BTC/USD"),
        ("tBTCUST", "BTC/USDT"),
        ("tDOGE:USD", "DOGE/USD"),
        (PERPETUAL, "BTC/USDT:USDT"),
        ("tIOTUSD", "IOTA/USD"),
    ],
)
def test_symbols_have_common_names(name: str, symbol: str) -> None:
    assert find(name).symbol == symbol


@pytest.mark.parametrize("name", ["fUSD", "BTCUSD", "tBTC", "tBTCF0:UST"])
def test_what_is_no_instrument_is_refused(name: str) -> None:
    with pytest.raises(SymbolSyntaxError, match=name):
        find(name)


def test_flags_come_first_and_a_socket_holds_25_channels() -> None:
    names = [find(f"tA{letter}CUSD") for letter in "ABCDEFGHIJ"] + [find(PERPETUAL)]
    plans = VENUE.plan("ws://x", names, CHANNELS)
    assert [plan.url for plan in plans] == ["ws://x/ws/2"] * 2
    for plan in plans:
        conf, *requests = plan.requests
        assert (json.loads(conf.frame), conf.gate) == ({"event": "conf", "flags": 229_376}, True)
        assert len(requests) <= 25
    keys = [item.key for plan in plans for item in plan.subscriptions]
    assert keys[0] == "status:liq:global"
    assert keys.count(f"status:deriv:{PERPETUAL}") == 2
    frames = [json.loads(request.frame) for plan in plans for request in plan.requests]
    assert {"event": "subscribe", "channel": "status", "key": "liq:global"} in frames
    assert VENUE.plan("ws://x", [], {LIQUIDATION}) == ()


def test_book_is_subscribed_anew_by_the_number_that_was_learned() -> None:
    [plan] = VENUE.plan("ws://x", [find("tBTCUSD")], {BOOK})
    socket = Socket()
    again = VENUE.resubscribe_learned
    assert again is not None
    assert again(plan.subscriptions[0], socket.decoder) == ()
    leave, ask = again(plan.subscriptions[0], socket.follow("book", number=42).decoder)
    assert json.loads(leave) == {"event": "unsubscribe", "chanId": 42}
    assert ask == plan.requests[1].frame


def test_rest_lists_pairs_and_reads_books() -> None:
    found, further = VENUE.rest.decode_instruments("public", b'[["BTCUSD","DOGE:UST","ODD"]]')
    pairs, odd = [item for item in found if not isinstance(item, Unreadable)], found[2]
    assert ([item.venue_symbol for item in pairs], further) == (["tBTCUSD", "tDOGE:UST"], None)
    assert isinstance(odd, Unreadable)
    assert "tODD" in str(odd.error)
    assert [call.path for _, call in VENUE.rest.instrument_calls()] == [
        "/v2/conf/pub:list:pair:exchange",
        "/v2/conf/pub:list:pair:futures",
    ]
    assert VENUE.rest.depth_call(pairs[0]).path == "/v2/book/tBTCUSD/P0"
    body = b"[[91000,3,1.5],[91001,1,-2]]"
    depth = _said(VENUE.rest.decode_depth(body, pairs[0], RECEIVED, sim=False))
    assert (depth["bids"], depth["asks"], depth["seq"]) == ([["91000", "1.5"]], [["91001", "2"]], None)


@pytest.mark.parametrize(
    ("status", "body", "code", "pause"),
    [
        (500, '["error",10020,"symbol: invalid"]', "10020", None),
        (200, '["error",10020,"symbol: invalid"]', "10020", None),
        (429, '["error",11010,"ratelimit: error"]', "11010", 60.0),
        (429, "slow down", None, 60.0),
        (503, '["error",20060,"maintenance"]', "20060", 30.0),
    ],
)
def test_failures_are_reported_with_their_code(status: int, body: str, code: str | None, pause: float | None) -> None:
    failure = VENUE.rest.failure(status, {}, body.encode())
    assert failure is not None
    assert (failure.code, failure.retry_after) == (code, pause)
    assert VENUE.rest.failure(200, {}, b"[[1,1,1]]") is None
