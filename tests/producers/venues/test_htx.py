"""HTX: frames as the vendor's pages describe them, with invented values, and the events they become."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from contracts.codec import EVENTS, decoder, encode
from contracts.errors import FrameError, SymbolSyntaxError
from contracts.instrument import Instrument, make_instrument
from producers.normalize.events import Makers
from producers.venue import BOOK, CHANNELS, LIQUIDATION, TRADE, Ack, Closing, Refused, Reply
from producers.venues.htx import VENUE
from runtime.book.keeper import BookKeeper, Change

TS = 1_795_291_200_123
TS_NS = TS * 1_000_000
RECEIVED = TS_NS + 5_000_000
SPOT = make_instrument("htx", "BTC/USDT", "btcusdt")
SWAP = make_instrument("htx", "BTC/USDT:USDT", "BTC-USDT", contract_size="0.001")
INVERSE = make_instrument("htx", "BTC/USD:BTC", "BTC-USD", contract_size="100")


class Socket:
    """One connection's decoder; `send` takes a frame's text and gives events as the bus would carry them."""

    def __init__(self, *known: Instrument, sim: bool = False) -> None:
        listed = {item.venue_symbol: item for item in known}
        self._decoder = VENUE.decoder(
            "spot", lambda name: listed.get(name) or VENUE.guess("spot", name), makers=Makers(sim=sim)
        )

    def events(self, text: str, *, packed: bool = True) -> list[Any]:
        return list(self._decoder.decode(gzip.compress(text.encode()) if packed else text.encode(), RECEIVED))

    def send(self, text: str) -> list[Any]:
        return [_said(event) for event in self.events(text)]


def _said(event: Any) -> Any:
    if event.kind not in EVENTS:
        return event
    decoder(EVENTS[event.kind]).decode(encode(event))  # fit for the bus
    return {"kind": event.kind, **json.loads(encode(event))}


def push(ch: str, tick: str) -> str:
    return f'{{"ch":"market.{ch}","ts":{TS},"tick":{tick}}}'


def trade(ch: str, row: str) -> str:
    return push(f"{ch}.trade.detail", f'{{"id":7,"ts":{TS},"data":[{row}]}}')


def mbp(seq: int, prev: int, sides: str) -> str:
    return push("btcusdt.mbp.150", f'{{"seqNum":{seq},"prevSeqNum":{prev},{sides}}}')


def swap_book(event: str, version: int, sides: str = '"asks":[],"bids":[]') -> str:
    ch = "market.BTC-USDT.depth.size_150.high_freq"
    tick = f'{{{sides},"ch":"{ch}","event":"{event}","id":9,"mrid":9,"ts":{TS - 2},"version":{version}}}'
    return f'{{"ch":"{ch}","tick":{tick},"ts":{TS}}}'


def test_spot_trade_has_the_trade_id_and_the_takers_side() -> None:
    row = f'{{"id":104998984994123456789012345,"ts":{TS},"tradeId":102090727790,"amount":0.0039,'
    row += '"price":91000.10,"direction":"sell"}'
    assert Socket().send(trade("btcusdt", row)) == [
        {
            "kind": "trade",
            "id": "htx.BTC.USDT.spot.trade.102090727790",
            "venue": "htx",
            "symbol": "BTC/USDT",
            "venue_symbol": "btcusdt",
            "ts_event": TS_NS,
            "ts_recv": RECEIVED,
            "sim": False,
            "trade_id": "102090727790",
            "price": "91000.10",
            "amount": "0.0039",
            "contracts": None,
            "side": "sell",
            "seq": None,
        }
    ]


@pytest.mark.parametrize("native", ["104998984994123456789012345", '"104998984994123456789012345"'])
def test_trade_without_trade_id_keeps_an_id_beyond_64_bits(native: str) -> None:
    row = f'{{"id":{native},"ts":{TS},"amount":1,"price":2,"direction":"buy"}}'
    assert Socket().send(trade("btcusdt", row))[0]["trade_id"] == "104998984994123456789012345"


def test_trade_with_empty_direction_has_no_side() -> None:
    row = f'{{"id":1,"ts":{TS},"tradeId":2,"amount":1,"price":2,"direction":""}}'
    assert Socket().send(trade("btcusdt", row))[0]["side"] is None


def test_numbers_with_exponent_are_written_plain() -> None:
    row = f'{{"id":1,"ts":{TS},"tradeId":2,"amount":1.5E+3,"price":9.20E-7,"direction":"buy"}}'
    event = Socket().send(trade("mexbtc", row))[0]
    assert (event["symbol"], event["price"], event["amount"]) == ("MEX/BTC", "0.000000920", "1500")


def test_swap_trade_counts_contracts_and_is_multiplied_exactly() -> None:
    row = f'{{"amount":23,"quantity":0.023,"trade_turnover":2093.0,"ts":{TS},"id":660977160620000001,"price":91000.1,'
    event = Socket(SWAP).send(trade("BTC-USDT", row + '"direction":"buy"}'))[0]
    assert (event["symbol"], event["amount"], event["contracts"]) == ("BTC/USDT:USDT", "0.023", "23")
    assert event["trade_id"] == "660977160620000001"


def test_swap_trade_without_listing_has_the_quantity_that_the_venue_says() -> None:
    row = f'{{"amount":2,"quantity":0.9920634920,"ts":{TS},"id":66,"price":20.16,"direction":"buy"}}'
    event = Socket().send(trade("ICP-USD", row))[0]
    assert (event["symbol"], event["amount"], event["contracts"]) == ("ICP/USD:ICP", "0.9920634920", "2")
    row = f'{{"amount":2,"ts":{TS},"id":66,"price":20.16,"direction":"buy"}}'
    assert Socket().send(trade("ICP-USD", row))[0]["amount"] is None
    assert Socket(INVERSE).send(trade("BTC-USD", row))[0]["amount"] == "9.920634920635"


def test_second_frame_and_plain_text_are_decoded_like_the_first() -> None:
    socket = Socket()
    frame = trade("btcusdt", f'{{"id":1,"ts":{TS},"tradeId":2,"amount":1,"price":2,"direction":"buy"}}')
    first = socket.events(frame)
    assert socket.events(frame) == socket.events(frame, packed=False) == first
    assert socket.send(frame.replace("btcusdt", "ethusdt"))[0]["symbol"] == "ETH/USDT"
    assert Socket(sim=True).send(frame)[0]["sim"] is True


def test_spot_change_is_chained_and_zero_removes() -> None:
    event = Socket().send(mbp(130, 100, '"asks":[[9138.61,0.033785],[9138.67,0.0]],"bids":[[9137.67,0]]'))[0]
    assert event == {
        "kind": "delta",
        "id": "htx.BTC.USDT.spot.delta.mbp.150-130",
        "venue": "htx",
        "symbol": "BTC/USDT",
        "venue_symbol": "btcusdt",
        "ts_event": TS_NS,
        "ts_recv": RECEIVED,
        "sim": False,
        "bids": [["9137.67", "0"]],
        "asks": [["9138.61", "0.033785"], ["9138.67", "0"]],
        "seq": 130,
        "prev_seq": 100,
        "is_snapshot": False,
        "unit": "base",
    }


def test_spot_book_waits_for_the_snapshot_that_was_asked_for() -> None:
    socket, keeper = Socket(), BookKeeper(VENUE.book)
    for frame in (mbp(110, 100, '"bids":[[90,1]]'), mbp(120, 110, '"bids":[[91,2.0]]')):
        assert keeper.on_delta(socket.events(frame)[0]).change is Change.BUFFERED
    answer = (
        f'{{"id":"book","rep":"market.btcusdt.mbp.150","status":"ok","ts":{TS},"data":{{"seqNum":SEQ,'
        '"bids":[[90,7]],"asks":[[95,1]]}}'
    )
    old = socket.events(answer.replace("SEQ", "99"))[0]
    assert (old.kind, old.seq, old.quality, old.ts_event) == ("book", 99, "live", TS_NS)
    assert keeper.on_snapshot(old).change is Change.TOO_OLD
    assert keeper.on_snapshot(socket.events(answer.replace("SEQ", "110"))[0]).change is Change.APPLIED
    assert keeper.bids.top() == [("91", "2.0"), ("90", "1")]
    assert keeper.on_delta(socket.events(mbp(140, 130, '"bids":[]'))[0]).change is Change.GAP


def test_swap_book_is_a_snapshot_then_updates_by_version() -> None:
    socket, keeper = Socket(SWAP), BookKeeper(VENUE.book)
    first = socket.send(swap_book("snapshot", 41, '"bids":[[90,12]],"asks":[[91.5,3]]'))[0]
    assert (first["is_snapshot"], first["seq"], first["prev_seq"], first["unit"]) == (True, 41, None, "base")
    assert (first["bids"], first["asks"], first["ts_event"]) == ([["90", "0.012"]], [["91.5", "0.003"]], TS_NS)
    frames = [
        swap_book("snapshot", 41, '"bids":[[90,12]],"asks":[[91.5,3]]'),
        swap_book("update", 42),
        swap_book("update", 43, '"bids":[[90,0]],"asks":[]'),
    ]
    changes = [keeper.on_delta(socket.events(frame)[0]).change for frame in frames]
    assert changes == [Change.APPLIED] * 3
    assert keeper.bids.top() == []
    assert keeper.on_delta(socket.events(swap_book("update", 45))[0]).change is Change.GAP


def test_book_of_contracts_without_listing_stays_in_contracts() -> None:
    event = Socket().send(swap_book("snapshot", 1, '"bids":[[90,12]]'))[0]
    assert (event["unit"], event["bids"], event["asks"]) == ("contracts", [["90", "12"]], [])


def test_step0_and_refresh_are_whole_books() -> None:
    tick = f'{{"bids":[[9.121E-7,92730.24],[9.12E-7,66053.0]],"asks":[[9.28E-7,1]],"version":5,"ts":{TS - 2}}}'
    event = Socket().send(push("trioeth.depth.step0", tick))[0]
    assert (event["is_snapshot"], event["seq"], event["symbol"]) == (True, 5, "TRIO/ETH")
    assert event["bids"] == [["0.0000009121", "92730.24"], ["0.000000912", "66053.0"]]
    event = Socket().send(push("btcusdt.mbp.refresh.5", '{"seqNum":8,"bids":[[90,1]],"asks":[]}'))[0]
    assert (event["is_snapshot"], event["seq"], event["bids"]) == (True, 8, [["90", "1"]])
    event = Socket().send(push("BTC-USDT.depth.step0", '{"mrid":4,"id":17,"bids":[[90,1]],"asks":[],"version":17}'))[0]
    assert (event["is_snapshot"], event["seq"]) == (True, None)


def test_malformed_level_is_left_out_of_a_whole_book_and_refused_in_a_change() -> None:
    tick = '{"seqNum":8,"bids":[[90,1],[89,-2],[88],[87,null]],"asks":[ [ 95 , 0.10 ] ]}'
    event = Socket().send(push("btcusdt.mbp.refresh.5", tick))[0]
    assert (event["bids"], event["asks"]) == ([["90", "1"]], [["95", "0.10"]])
    for row in ("[89,-2]", "[88]", "[87,null]", "[1,2,3]"):
        with pytest.raises(FrameError, match=r"level of an update"):
            Socket().events(mbp(2, 1, f'"bids":[{row}]'))


def test_spot_quote_fills_only_the_best_levels() -> None:
    tick = '{"seqId":77,"ask":2.5,"askSize":1.0,"bid":2.4,"bidSize":3,"quoteTime":QT,"symbol":"btcusdt"}'
    event = Socket().send(push("btcusdt.bbo", tick.replace("QT", str(TS - 1))))[0]
    assert (event["bid"], event["bid_amount"], event["ask"], event["ask_amount"]) == ("2.4", "3", "2.5", "1.0")
    assert (event["seq"], event["ts_event"], event["last"]) == (77, TS_NS - 1_000_000, None)
    assert Socket().send(push("btcusdt.bbo", tick.replace("QT", "0"))) == []


def test_swap_quote_may_lack_a_side() -> None:
    tick = f'{{"mrid":4,"id":17,"bid":[90.5,12],"ask":null,"ts":{TS - 1},"version":4,"ch":"x"}}'
    event = Socket(SWAP).send(push("BTC-USDT.bbo", tick))[0]
    assert (event["bid"], event["bid_amount"], event["ask"], event["ask_amount"]) == ("90.5", "0.012", None, None)
    assert Socket().send(push("BTC-USDT.bbo", tick))[0]["bid_amount"] is None


def test_figures_of_24_hours_say_coins_and_quote() -> None:
    tick = '{"id":1,"low":1,"high":4,"open":2,"close":3,"vol":300.5,"amount":100,"version":1,"count":9}'
    event = Socket().send(push("btcusdt.detail", tick))[0]
    figures = ("last", "open_24h", "high_24h", "low_24h", "volume_24h", "quote_volume_24h", "bid", "change_24h")
    assert [event[name] for name in figures] == ["3", "2", "4", "1", "100", "300.5", None, None]
    swap = '{"id":1,"low":1,"high":4,"open":2,"close":3,"vol":7,"amount":0.007,"trade_turnover":9.5,"bid":[2.9,4]}'
    event = Socket(SWAP).send(push("BTC-USDT.detail", swap))[0]
    assert [event[name] for name in figures] == ["3", "2", "4", "1", "0.007", "9.5", "2.9", None]
    assert event["bid_amount"] == "0.004"
    ticker = '{"open":2,"high":4,"low":1,"close":3,"amount":100,"vol":300.5,"bid":2.9,"bidSize":1,"ask":3,"askSize":2}'
    event = Socket().send(push("btcusdt.ticker", ticker))[0]
    assert (event["bid"], event["ask_amount"]) == ("2.9", "2")


def test_candle_opens_at_its_id_and_days_of_singapore_are_not_ours() -> None:
    tick = '{"id":ID,"open":1,"close":2,"low":0.5,"high":3,"amount":10,"vol":15.5,"count":4}'
    event = Socket().send(push("btcusdt.kline.60min", tick.replace("ID", "1795291200")))[0]
    assert (event["timeframe"], event["start_ts"], event["closed"]) == ("1h", 1795291200 * 10**9, False)
    assert (event["volume"], event["quote_volume"], event["trades"]) == ("10", "15.5", 4)
    swap = tick.replace("ID", "1795291200").replace("}", ',"trade_turnover":9.5}')
    assert Socket().send(push("BTC-USDT.kline.1min", swap))[0]["quote_volume"] == "9.5"
    days = {"kline.1day": (1795219200, 1795190400), "kline.1week": (1794787200, 1795219200)}
    days["kline.1mon"] = (1793491200, 1793462400)
    for channel, (ours, theirs) in days.items():
        assert len(Socket().send(push(f"btcusdt.{channel}", tick.replace("ID", str(ours))))) == 1
        assert Socket().send(push(f"btcusdt.{channel}", tick.replace("ID", str(theirs)))) == []


def forced(*rows: str) -> str:
    topic = "public.BTC-USDT.liquidation_orders"
    return f'{{"op":"notify","topic":"{topic}","ts":{TS + 5},"data":[{",".join(rows)}]}}'


def forced_row(direction: str, more: str = "") -> str:
    return (
        f'{{"symbol":"BTC","contract_code":"BTC-USDT","direction":"{direction}","offset":"close","volume":500,'
        f'"price":91000.5,"created_at":{TS}{more}}}'
    )


def test_liquidation_says_both_sides_and_three_amounts() -> None:
    row = forced_row("buy", ',"amount":0.5,"trade_turnover":45500.25,"contract_type":"swap","pair":"BTC-USDT"')
    assert Socket(SWAP).send(forced(row)) == [
        {
            "kind": "liquidation",
            "id": f"htx.BTC.USDT.perp.liquidation.{TS}-buy-91000.5-500",
            "venue": "htx",
            "symbol": "BTC/USDT:USDT",
            "venue_symbol": "BTC-USDT",
            "ts_event": TS_NS,
            "ts_recv": RECEIVED,
            "sim": False,
            "price": "91000.5",
            "price_kind": "bankruptcy",
            "amount": "0.5",
            "contracts": "500",
            "position_side": "short",
            "order_side": "buy",
            "sampled": False,
            "average_price": None,
        }
    ]


def test_old_liquidations_are_multiplied_and_equal_rows_told_apart() -> None:
    first, second = Socket(SWAP).send(forced(forced_row("sell"), forced_row("sell")))
    assert (first["amount"], first["position_side"], first["order_side"]) == ("0.5", "long", "sell")
    assert second["id"] == first["id"] + "-1"
    with pytest.raises(FrameError, match="direction"):
        Socket(SWAP).events(forced(forced_row("")))


def test_funding_is_paid_at_the_settlement_and_keeps_the_index() -> None:
    socket = Socket(SWAP)
    tick = '{"id":1,"index_price":"9582.975","contract_price":"9590.1","basis":"7.1","basis_rate":"0.0007"}'
    assert socket.send(push("BTC-USDT.basis.1min.open", tick))[0]["index_price"] == "9582.975"
    row = '{"symbol":"BTC","contract_code":"BTC-USDT","fee_asset":"USDT","funding_time":"1795291200000",'
    row += '"funding_rate":"-0.000100000000000000","estimated_rate":null,"settlement_time":"1795305600000"}'
    event = socket.send(f'{{"op":"notify","topic":"public.BTC-USDT.funding_rate","ts":{TS},"data":[{row}]}}')[0]
    assert (event["rate"], event["next_ts"], event["ts_event"]) == ("-0.000100000000000000", 1795305600 * 10**9, TS_NS)
    assert (event["index_price"], event["mark_price"]) == ("9582.975", None)
    assert socket.send(push("BTC261225.basis.1min.open", tick)) == []


def test_open_interest_counts_contracts_and_coins() -> None:
    rows = '[{"volume":1711705.0,"amount":17841.41,"symbol":"BTC","contract_code":"BTC-USD"}]'
    event = Socket().send(f'{{"ch":"market.BTC-USD.open_interest","data":{rows},"ts":{TS}}}')[0]
    assert (event["contracts"], event["amount"], event["value"]) == ("1711705.0", "17841.41", None)


def test_pings_of_both_dialects_are_echoed_as_they_came() -> None:
    assert Socket().events('{"ping":1795291200123}') == [Reply('{"pong":1795291200123}')]
    assert Socket().events('{"op":"ping","ts":"1795291200123"}') == [Reply('{"op":"pong","ts":"1795291200123"}')]
    assert Socket().events('{"op":"ping","ts":1795291200123}') == [Reply('{"op":"pong","ts":1795291200123}')]
    account = '{"action":"ping","data":{"ts":1795291200123}}'
    assert Socket().events(account) == [Reply(account.replace("ping", "pong"))]


def test_answers_name_their_subscription() -> None:
    topic = "public.*.liquidation_orders"
    socket = Socket()
    assert socket.events(f'{{"id":"1","status":"ok","subbed":"market.btcusdt.bbo","ts":{TS}}}') == [
        Ack("market.btcusdt.bbo")
    ]
    assert socket.events(f'{{"id":"1","status":"ok","unsubbed":"market.btcusdt.bbo","ts":{TS}}}') == []
    error = '{"id":"4","status":"error","err-code":"bad-request","err-msg":"invalid symbol foo","ts":1}'
    assert socket.events(error) == [Refused("4", "bad-request: invalid symbol foo")]
    note = f'{{"op":"sub","cid":"1","topic":"{topic}","ts":{TS},"err-code":CODE,"err-msg":"told"}}'
    assert socket.events(note.replace("CODE", "0")) == [Ack(topic)]
    assert socket.events(note.replace("CODE", "2014")) == [Ack(topic)]  # it is there already
    assert socket.events(note.replace("CODE", "2011")) == [Refused(topic, "2011: told")]
    assert socket.events('{"op":"close","ts":1}')[0] == Closing("the venue closes: close", 0.0)
    assert socket.events(f'{{"op":"notify","topic":"public.BTC-USDT.contract_info","ts":{TS},"data":[]}}') == []


def test_what_is_not_carried_is_silent_and_what_is_unknown_is_named() -> None:
    for channel in ("depth.step3", "kline.1year", "mark_price.1min", "index.1min"):
        assert Socket().events(push(f"btcusdt.{channel}", "{}")) == []
    for frame, reason in (
        (push("btcusdt.nonsense", "{}"), "nonsense"),
        ('{"ch":"orders","ts":1}', "orders"),
        ('{"op":"notify","topic":"public.X.nonsense","ts":1}', "nonsense"),
        ('{"op":"nonsense","data":[1]}', "nonsense"),
        ("{}", "neither ch"),
        (swap_book("merge", 1), "merge"),
        (push("btcusdt.mbp.150", '{"seqNum":1}'), "prevSeqNum"),
        (trade("btcusdt", f'{{"ts":{TS},"amount":1,"price":2,"direction":"buy"}}'), "id"),
        (trade("btcusdt", f'{{"ts":{TS},"id":1,"amount":-1,"price":2,"direction":"buy"}}'), "amount"),
        (trade("btcusdt", f'{{"ts":{TS},"id":1,"amount":1,"price":2,"direction":"up"}}'), "direction"),
    ):
        with pytest.raises(FrameError, match=reason):
            Socket().events(frame)


def test_overviews_of_all_pairs_are_not_carried() -> None:
    for name in ("market.tickers", "market.overview", "market.overviewv2"):
        assert Socket().events(f'{{"ch":"{name}","ts":{TS},"data":[]}}') == []


def test_series_of_futures_is_named_where_the_expiry_would_be() -> None:
    for name, symbol, tail in (
        ("BTC_CQ", "BTC/USD:BTC-CQ", "htx.BTC.USD.iCQ"),
        ("BTC-USDT-NW", "BTC/USDT:USDT-NW", "htx.BTC.USDT.NW"),
    ):
        found = VENUE.guess("linear", name)
        assert (found.symbol, found.tail, found.sized_in_contracts) == (symbol, tail, True)


def test_damaged_gzip_is_refused() -> None:
    packed = gzip.compress(b'{"ping":1}')
    decode = VENUE.decoder("spot", lambda name: VENUE.guess("spot", name), makers=Makers(sim=False)).decode
    for frame, reason in ((packed[:-9], "cut off"), (packed[:12] + b"\xff" * 9, "gzip")):
        with pytest.raises(FrameError, match=reason):
            decode(frame, RECEIVED)


def test_plan_holds_each_kind_of_data_on_its_own_socket() -> None:
    plans = VENUE.plan(VENUE.ws_url, [SPOT, SWAP], CHANNELS)
    assert {plan.name: plan.url for plan in plans} == {
        "spot.0": "wss://api.huobi.pro/ws",
        "spot-book.0": "wss://api.huobi.pro/feed",
        "linear.0": "wss://api.hbdm.com/linear-swap-ws",
        "linear-notes.0": "wss://api.hbdm.com/linear-swap-notification",
    }
    assert {plan.url for plan in VENUE.plan("ws://127.0.0.1:1/htx", [SPOT, SWAP], CHANNELS)} == {
        f"ws://127.0.0.1:1/htx{path}" for path in ("/ws", "/feed", "/linear-swap-ws", "/linear-swap-notification")
    }
    keys = {item.key for plan in plans for item in plan.subscriptions}
    assert keys == {
        "market.btcusdt.trade.detail",
        "market.btcusdt.bbo",
        "market.btcusdt.detail",
        "market.btcusdt.mbp.150",
        "market.BTC-USDT.trade.detail",
        "market.BTC-USDT.bbo",
        "market.BTC-USDT.detail",
        "market.BTC-USDT.depth.size_150.high_freq",
        "public.BTC-USDT.funding_rate",
        "public.*.liquidation_orders",
    }


def test_requests_speak_the_dialect_of_their_socket() -> None:
    plans = {plan.name: plan for plan in VENUE.plan(VENUE.ws_url, [SPOT, SWAP], CHANNELS)}
    frames = {item: json.loads(r.frame) for plan in plans.values() for r in plan.requests for item in r.keys}
    assert frames["market.btcusdt.mbp.150"] == {"id": "1", "sub": "market.btcusdt.mbp.150"}
    assert frames["market.BTC-USDT.depth.size_150.high_freq"]["data_type"] == "incremental"
    assert frames["public.*.liquidation_orders"] == {"op": "sub", "cid": "1", "topic": "public.*.liquidation_orders"}
    assert VENUE.plan(VENUE.ws_url, [SPOT], [LIQUIDATION]) == ()
    many = [make_instrument("htx", f"C{n}/USDT", f"c{n}usdt") for n in range(150)]
    assert [len(plan.subscriptions) for plan in VENUE.plan(VENUE.ws_url, many, [TRADE])] == [100, 50]


def test_snapshot_is_asked_for_on_spot_and_comes_by_a_new_subscription_on_swaps() -> None:
    assert VENUE.book_request is not None
    assert VENUE.resubscribe is not None
    assert json.loads(VENUE.book_request(SPOT) or "") == {"id": "book", "req": "market.btcusdt.mbp.150"}
    assert VENUE.book_request(SWAP) is None
    (plan,) = VENUE.plan(VENUE.ws_url, [SWAP], [BOOK])
    key = "market.BTC-USDT.depth.size_150.high_freq"
    assert [json.loads(frame) for frame in VENUE.resubscribe(plan.subscriptions[0])] == [
        {"id": "again", "unsub": key},
        {"id": "again", "sub": key, "data_type": "incremental"},
    ]


@pytest.mark.parametrize(
    ("venue_symbol", "symbol", "contract"),
    [
        ("btcusdt", "BTC/USDT", "spot"),
        ("yfihusd", "YFI/HUSD", "spot"),
        ("BTC-USDT", "BTC/USDT:USDT", "perp"),
        ("BTC-USDT-261225", "BTC/USDT:USDT-261225", "261225"),
        ("BTC-USD", "BTC/USD:BTC", "inverse"),
        ("BTC261225", "BTC/USD:BTC-261225", "i261225"),
        ("BTC_CQ", "BTC/USD:BTC-CQ", "iCQ"),
    ],
)
def test_symbol_names_its_market(venue_symbol: str, symbol: str, contract: str) -> None:
    found = VENUE.guess("spot", venue_symbol)
    assert (found.symbol, found.contract, found.sized_in_contracts) == (symbol, contract, contract != "spot")


def test_unreadable_symbol_is_refused() -> None:
    for name in ("", "usdt", "BTC_USDT", "BTC-EUR"):
        with pytest.raises(SymbolSyntaxError):
            VENUE.guess("spot", name)


def test_instruments_are_listed_by_host_with_their_worth() -> None:
    (spot, first), (linear, second) = VENUE.rest.instrument_calls()
    assert (first.base_url, second.base_url) == (None, "https://api.hbdm.com")
    pairs = [
        {"base-currency": "btc", "quote-currency": "usdt", "symbol": "btcusdt", "state": "online"},
        {"base-currency": "old", "quote-currency": "usdt", "symbol": "oldusdt", "state": "offline"},
    ]
    found, more = VENUE.rest.decode_instruments(spot, json.dumps({"status": "ok", "data": pairs}).encode())
    assert (found, more) == ([SPOT], None)
    rows = (
        '{"symbol":"BTC","contract_code":"BTC-USDT","contract_size":0.001000000000000000,"contract_status":1},'
        '{"symbol":"OLD","contract_code":"OLD-USDT","contract_size":1,"contract_status":3},'
        '{"symbol":"BTC","contract_code":"BTC-USDT-261225","contract_size":1E-3,"contract_status":1}'
    )
    found, more = VENUE.rest.decode_instruments(linear, f'{{"status":"ok","data":[{rows}]}}'.encode())
    assert [(item.symbol, item.contract_size) for item in found] == [
        ("BTC/USDT:USDT", "0.001"),
        ("BTC/USDT:USDT-261225", "0.001"),
    ]
    assert more is None


def test_depth_answer_is_a_book_without_a_place_in_the_chain() -> None:
    tick = f'{{"bids":[[90,12]],"asks":[[91.5,3]],"version":5,"ts":{TS}}}'
    body = f'{{"status":"ok","ch":"market.BTC-USDT.depth.step0","ts":{TS},"tick":{tick}}}'.encode()
    book = VENUE.rest.decode_depth(body, SWAP, RECEIVED, sim=True)
    assert (book.bids, book.asks, book.seq, book.quality) == ([("90", "0.012")], [("91.5", "0.003")], None, "sim")
    assert VENUE.rest.depth_call(SWAP).base_url == "https://api.hbdm.com"
    assert VENUE.rest.depth_call(SPOT).params == {"symbol": "btcusdt", "type": "step0"}


def test_failures_are_read_from_both_envelopes() -> None:
    failure = VENUE.rest.failure
    assert failure(200, {}, b'{"status":"ok","data":[]}') is None
    assert failure(200, {}, b'{"code":200,"message":"success","data":[]}') is None
    refused = failure(200, {}, b'{"status":"error","err-code":"invalid-parameter","err-msg":"invalid symbol","ts":1}')
    assert refused is not None
    assert (refused.reason, refused.code, refused.retry_after) == ("invalid symbol", "invalid-parameter", None)
    newer = failure(200, {}, b'{"code":2002,"message":"invalid field","data":null}')
    assert newer is not None
    assert (newer.reason, newer.code) == ("invalid field", "2002")
    contract = failure(200, {}, b'{"status":"error","err_code":1332,"err_msg":"no such contract","ts":1}')
    assert contract is not None
    assert contract.code == "1332"
    for headers, pause in (({"retry-after": "7"}, 7.0), ({}, 3.0)):
        banned = failure(429, headers, b"Too Many Requests")
        assert banned is not None
        assert banned.retry_after == pause
    busy = failure(200, {}, b'{"status":"error","err-code":"system-maintenance","err-msg":"maintenance","ts":1}')
    assert busy is not None
    assert busy.retry_after == 30.0
