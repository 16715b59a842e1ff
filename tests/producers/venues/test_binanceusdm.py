"""Binance USD-M futures: frames written from the venue's pages, and the events, sockets and REST calls they make."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.normalize.events import Makers
from producers.venue import BOOK, FUNDING, LIQUIDATION, TICKER, TRADE, Ack, Closing, Refused
from producers.venues.binanceusdm import VENUE

RECV = 1_763_700_000_200_000_000
HEAD = {"venue": "binanceusdm", "symbol": "BTC/USDT:USDT", "venue_symbol": "BTCUSDT", "ts_recv": RECV, "sim": False}
TAIL = "binanceusdm.BTC.USDT.perp"
AGG_TRADE = (
    '{"e":"aggTrade","E":1763700000123,"a":59,"s":"BTCUSDT","p":"91000.1","q":"0.100","f":100,"l":105,'
    '"T":1763700000100,"m":true,"st":1}'
)
SINGLE = (
    '{"e":"trade","E":1763700000123,"T":1763700000122,"s":"BTCUSDT","t":55,"p":"91000.1","q":"0.1","X":"%s","m":false}'
)
FORCE_ORDER = (
    '{"e":"forceOrder","E":1763700000123,"o":{"s":"BTCUSDT","S":"%s","o":"LIMIT","f":"IOC","q":"0.014","p":"90910",'
    '"ap":"91000","X":"FILLED","l":"0.010","z":"0.014","T":1763700000120,"ps":"BTCUSDT","st":%d}}'
)


def find(venue_symbol: str) -> Instrument:
    return VENUE.guess("linear", venue_symbol)


def decode(*frames: str) -> list[Any]:
    decoder = VENUE.decoder("linear", find, makers=Makers(sim=False))
    return [event for frame in frames for event in decoder.decode(frame.encode(), RECV)]


def combined(stream: str, data: str) -> str:
    return f'{{"stream":"{stream}","data":{data}}}'


def fields(event: Any) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(event).items() if value not in (None, msgspec.UNSET)}


def depth(bids: list[list[str]], asks: list[list[str]]) -> str:
    times = {"E": 1763700000123, "T": 1763700000119}
    ids = {"s": "BTCUSDT", "ps": "BTCUSDT", "st": 1, "U": 157, "u": 160, "pu": 149}
    return json.dumps({"e": "depthUpdate", **times, **ids, "b": bids, "a": asks}, separators=(",", ":"))


@pytest.mark.parametrize("frame", [AGG_TRADE, combined("btcusdt@aggTrade", AGG_TRADE)], ids=["bare", "combined"])
def test_aggregated_trade_gives_the_aggressors_side_and_the_engines_time(frame: str) -> None:
    (event,) = decode(frame)
    assert fields(event) == HEAD | {
        "id": f"{TAIL}.trade.a59",
        "ts_event": 1_763_700_000_100_000_000,
        "trade_id": "59",
        "price": "91000.1",
        "amount": "0.100",
        "side": "sell",
    }


def test_an_aggregate_without_number_is_named_by_its_first_and_last_trade() -> None:
    (event,) = decode(AGG_TRADE.replace('"a":59,', ""))
    assert (event.id, event.trade_id) == (f"{TAIL}.trade.a100-105", "100-105")


def test_single_trade_of_the_market_is_a_print() -> None:
    (event,) = decode(combined("btcusdt@trade", SINGLE % "MARKET"))
    assert (event.id, event.side, event.ts_event) == (f"{TAIL}.trade.55", "buy", 1_763_700_000_122_000_000)


@pytest.mark.parametrize("kind", ["INSURANCE_FUND", "ADL", "NA"])
def test_what_the_insurance_fund_or_a_deleveraging_took_is_no_print(kind: str) -> None:
    frame = combined("btcusdt@trade", SINGLE % kind)
    assert decode(frame, frame) == []


def test_book_ticker_has_the_engines_time() -> None:
    data = (
        '{"e":"bookTicker","u":400,"s":"BTCUSDT","ps":"BTCUSDT","b":"90999.90","B":"1.200","a":"91000.00","A":"0.800",'
        '"T":1763700000119,"E":1763700000123,"st":1}'
    )
    (event,) = decode(combined("btcusdt@bookTicker", data))
    assert fields(event) == HEAD | {
        "id": f"{TAIL}.ticker.400",
        "ts_event": 1_763_700_000_119_000_000,
        "bid": "90999.90",
        "bid_amount": "1.200",
        "ask": "91000.00",
        "ask_amount": "0.800",
        "seq": 400,
    }


def test_day_ticker_gives_the_24_hour_figures_without_best_prices() -> None:
    data = (
        '{"e":"24hrTicker","E":1763700000123,"s":"BTCUSDT","p":"10","P":"0.011","w":"1","c":"91010.1","Q":"1",'
        '"o":"91000.1","h":"92000","l":"90000","v":"1234.5","q":"112000000.5","O":0,"C":1,"F":0,"L":1,"n":2,"st":1}'
    )
    (event,) = decode(data)
    assert fields(event) == HEAD | {
        "id": f"{TAIL}.ticker.24h-1763700000123-7490fb38",
        "ts_event": 1_763_700_000_123_000_000,
        "last": "91010.1",
        "open_24h": "91000.1",
        "high_24h": "92000",
        "low_24h": "90000",
        "volume_24h": "1234.5",
        "quote_volume_24h": "112000000.5",
        "change_24h": "0.011",
    }


def test_delta_is_chained_by_the_update_before_it() -> None:
    (event,) = decode(combined("btcusdt@depth@100ms", depth([["90999.90", "0.000"], ["90999.80", "0.500"]], [])))
    assert fields(event) == HEAD | {
        "id": f"{TAIL}.delta.160",
        "ts_event": 1_763_700_000_119_000_000,
        "bids": [("90999.90", "0"), ("90999.80", "0.500")],
        "asks": [],
        "seq": 160,
        "prev_seq": 149,
        "is_snapshot": False,
        "unit": "base",
    }


@pytest.mark.parametrize("zero", ["0", "0.0", "0.000", "0.00000000"])
def test_every_spelling_of_zero_is_written_plainly(zero: str) -> None:
    one = f"1{zero[1:]}"
    stream = "btcusdt@depth@100ms"
    first, second = decode(
        combined(stream, depth([["9", one]], [["10", zero]])),
        combined(stream, depth([["9", zero]], [["10", one], ["11", zero]])),
    )
    assert (first.bids, first.asks) == ([("9", one)], [("10", "0")])
    assert (second.bids, second.asks) == ([("9", "0")], [("10", one), ("11", "0")])


def test_a_partial_book_is_a_snapshot_though_its_frames_look_like_changes() -> None:
    frame = combined("btcusdt@depth20@100ms", depth([["90999.90", "1.2"]], []))
    first, second = decode(frame, frame)
    assert first == second
    assert (first.is_snapshot, first.prev_seq, first.seq) == (True, None, 160)


def test_the_book_with_retail_orders_is_not_mixed_into_the_book() -> None:
    frame = combined("btcusdt@rpiDepth@500ms", depth([["90999.90", "1.2"]], []))
    assert decode(frame, frame) == []


@pytest.mark.parametrize(("side", "order_side", "position_side"), [("SELL", "sell", "long"), ("BUY", "buy", "short")])
def test_liquidation_says_which_position_was_closed_by_which_order(
    side: str, order_side: str, position_side: str
) -> None:
    (event,) = decode(combined("btcusdt@forceOrder", FORCE_ORDER % (side, 1)))
    assert fields(event) == HEAD | {
        "id": f"{TAIL}.liquidation.1763700000120-{order_side}-90910-0.014-91000",
        "ts_event": 1_763_700_000_120_000_000,
        "price": "90910",
        "price_kind": "limit",
        "amount": "0.014",
        "position_side": position_side,
        "order_side": order_side,
        "sampled": True,
        "average_price": "91000",
    }


def test_a_liquidation_with_another_side_is_refused() -> None:
    with pytest.raises(FrameError, match="`S`"):
        decode(FORCE_ORDER % ("BOTH", 1))


def test_coin_margined_symbols_of_all_market_streams_are_not_this_venues() -> None:
    coin = (FORCE_ORDER % ("SELL", 2)).replace("BTCUSDT", "BTCUSD_PERP")
    frames = [combined("!forceOrder@arr", FORCE_ORDER % ("SELL", 1)), combined("!forceOrder@arr", coin)]
    assert [event.venue_symbol for event in decode(*frames)] == ["BTCUSDT"]
    mark = '{"e":"markPriceUpdate","E":1,"s":"%s","p":"1","i":"1","P":"1","r":"0","T":0,"st":%d}'
    both = f"[{mark % ('BTCUSD_PERP', 2)},{mark % ('BTCUSDT', 1)}]"
    assert [event.venue_symbol for event in decode(combined("!markPrice@arr", both))] == ["BTCUSDT"]


def test_mark_price_gives_funding_with_the_next_payment() -> None:
    data = (
        '{"e":"markPriceUpdate","E":1763700000123,"s":"BTCUSDT","p":"91000.10","i":"90990.10","P":"91005.10",'
        '"r":"0.00010000","T":1763712000000,"st":1}'
    )
    (event,) = decode(combined("btcusdt@markPrice@1s", data))
    assert event.kind == "funding"
    assert fields(event) == HEAD | {
        "id": f"{TAIL}.funding.1763700000123-24757aea",
        "ts_event": 1_763_700_000_123_000_000,
        "rate": "0.00010000",
        "next_ts": 1_763_712_000_000_000_000,
        "mark_price": "91000.10",
        "index_price": "90990.10",
    }


def test_a_dated_future_has_a_mark_price_without_funding() -> None:
    data = '{"e":"markPriceUpdate","E":1763700000123,"s":"BTCUSDT_260327","p":"91000.10","i":"1","P":"1","r":"","T":0}'
    (event,) = decode(data)
    assert (event.symbol, event.rate, event.next_ts) == ("BTC/USDT:USDT-260327", None, None)


def test_recorded_open_interest_is_read() -> None:
    data = '{"symbol":"BTCUSDT","openInterest":"26286.181","time":1763700000123}'
    (event,) = decode(combined("btcusdt@openInterest", data))
    assert (event.kind, event.amount, event.ts_event) == ("interest", "26286.181", 1_763_700_000_123_000_000)


def test_kline_gives_a_candle() -> None:
    data = (
        '{"e":"kline","E":1763700000123,"s":"BTCUSDT","k":{"t":1763699940000,"T":1763699999999,"s":"BTCUSDT","i":"1m",'
        '"f":1,"L":9,"o":"1.0","c":"2.0","h":"3.0","l":"0.5","v":"10","n":9,"x":false,"q":"15","V":"4","Q":"6","B":"0"}}'
    )
    (event,) = decode(combined("btcusdt@kline_1m", data))
    assert (event.kind, event.timeframe, event.closed, event.trades) == ("candle", "1m", False, 9)
    assert (event.open, event.high, event.low, event.close, event.volume, event.quote_volume) == (
        *("1.0", "3.0", "0.5", "2.0", "10"),
        "15",
    )
    assert (event.start_ts, event.ts_event) == (1_763_699_940_000_000_000, 1_763_700_000_123_000_000)


def test_answers_are_controls() -> None:
    frames = (
        '{"result":null,"id":1}',
        '{"result":null,"id":null}',
        '{"code":2,"msg":"Invalid request","id":7}',
        '{"e":"serverShutdown","E":1770123456789}',
    )
    assert decode(*frames) == [Ack("1"), Ack(""), Refused("7", "2: Invalid request"), Closing("serverShutdown", 60.0)]


def test_sessions_of_stocks_and_commodities_give_nothing() -> None:
    session = '{"e":"EquityUpdate","E":1769246565045,"t":1,"T":2,"S":"REGULAR"}'
    assert decode(session, combined("tradingSession", session.replace("Equity", "Commodity"))) == []


def test_candles_of_a_pairs_contracts_in_a_row_give_nothing() -> None:
    data = '{"e":"continuous_kline","E":1,"ps":"BTCUSDT","ct":"PERPETUAL","k":{"t":1,"T":2,"i":"1m"}}'
    assert decode(data, combined("btcusdt_perpetual@continuousKline_1m", data)) == []


@pytest.mark.parametrize("kind", ["", '"e":"bookTicker",'])
def test_a_book_ticker_of_before_it_had_type_and_times_is_read(kind: str) -> None:
    bare = f'{{{kind}"u":400,"s":"BTCUSDT","b":"9.90","B":"1","a":"10.0","A":"2"}}'
    for event in decode(bare, *[combined("btcusdt@bookTicker", bare)] * 2):
        assert (event.kind, event.ts_event, event.seq) == ("ticker", None, 400)
        assert (event.bid, event.bid_amount, event.ask, event.ask_amount) == ("9.90", "1", "10.0", "2")


def test_an_order_that_is_not_filled_yet_has_no_average_price() -> None:
    (event,) = decode((FORCE_ORDER % ("SELL", 1)).replace('"ap":"91000"', '"ap":"0"'))
    assert (event.price, event.average_price) == ("90910", None)


def test_zeros_of_a_frame_with_spaces_are_written_plainly() -> None:
    spaced = depth([["9", "0.000"]], [["10", "0.000"]]).replace('"]', '" ]')
    (event,) = decode(spaced)
    assert (event.bids, event.asks) == ([("9", "0")], [("10", "0")])


@pytest.mark.parametrize(
    ("frame", "fault"),
    [
        ('{"e":"surprise","s":"BTCUSDT"}', "surprise"),
        (AGG_TRADE.replace('"T":1763700000100,', ""), "`T`"),
        (AGG_TRADE.replace('"p":"', '"p":"x'), "p is no number"),
        (AGG_TRADE.replace('"s":"BTCUSDT",', ""), "`s`"),
        (depth([], []).replace('"pu":149,', ""), "`pu`"),
        ('{"e":"forceOrder","E":1}', "`o`"),
        ('{"hello":1}', "`e`"),
        ("{", "truncated"),
    ],
)
def test_what_cannot_be_decoded_is_refused_by_name(frame: str, fault: str) -> None:
    with pytest.raises((FrameError, msgspec.DecodeError), match=fault):
        decode(frame)


@pytest.mark.parametrize(
    ("venue_symbol", "symbol"),
    [
        ("BTCUSDT", "BTC/USDT:USDT"),
        ("BTCUSDC", "BTC/USDC:USDC"),
        ("ETHBTC", "ETH/BTC:BTC"),
        ("1000PEPEUSDT", "1000PEPE/USDT:USDT"),
        ("BTCUSDT_260327", "BTC/USDT:USDT-260327"),
        ("BTCU", "BTC/U:U"),
    ],
)
def test_guess_names_perpetuals_and_dated_futures(venue_symbol: str, symbol: str) -> None:
    assert VENUE.guess("linear", venue_symbol).symbol == symbol


def test_guess_refuses_coin_margined_names() -> None:
    with pytest.raises(FrameError, match="BTCUSD_PERP"):
        find("BTCUSD_PERP")


def test_plan_lays_each_class_of_data_on_its_own_path() -> None:
    channels = [TRADE, TICKER, BOOK, LIQUIDATION, FUNDING]
    public, market = VENUE.plan("ws://127.0.0.1:1", [find("BTCUSDT")], channels)
    assert (public.url, market.url) == ("ws://127.0.0.1:1/public/stream", "ws://127.0.0.1:1/market/stream")
    assert [item.key for item in public.subscriptions] == ["btcusdt@bookTicker", "btcusdt@depth@100ms"]
    assert [(item.key, item.silence) for item in market.subscriptions] == [
        ("btcusdt@aggTrade", 180.0),
        ("btcusdt@ticker", 30.0),
        ("btcusdt@forceOrder", None),
        ("btcusdt@markPrice@1s", None),
    ]
    assert json.loads(public.requests[0].frame)["params"] == ["btcusdt@bookTicker", "btcusdt@depth@100ms"]


def test_plan_keeps_the_venues_limit_of_streams() -> None:
    instruments = [find(f"C{number}USDT") for number in range(250)]
    sockets = VENUE.plan("wss://x", instruments, [TRADE])
    assert [(socket.name, len(socket.subscriptions)) for socket in sockets] == [("market.0", 200), ("market.1", 50)]


def test_listing_gives_linear_contracts_that_can_be_traded() -> None:
    names = ("symbol", "contractType", "status", "baseAsset", "quoteAsset", "marginAsset")
    rows = [
        ("BTCUSDT", "PERPETUAL", "TRADING", "BTC", "USDT", "USDT"),
        ("BTCUSDT_260327", "CURRENT_QUARTER", "TRADING", "BTC", "USDT", "USDT"),
        ("TSLAUSDT", "TRADIFI_PERPETUAL", "TRADING", "TSLA", "USDT", "USDT"),
        ("OLDUSDT", "PERPETUAL", "SETTLING", "OLD", "USDT", "USDT"),
        ("BTCUSD_PERP", "PERPETUAL", "TRADING", "BTC", "USD", "BTC"),
    ]
    body = json.dumps({"symbols": [dict(zip(names, row, strict=True)) for row in rows]}).encode()
    instruments, following = VENUE.rest.decode_instruments("linear", body)
    assert [item.symbol for item in instruments] == ["BTC/USDT:USDT", "BTC/USDT:USDT-260327", "TSLA/USDT:USDT"]
    assert following is None


def test_depth_is_asked_with_its_weight_and_read_as_a_book() -> None:
    call = VENUE.rest.depth_call(find("BTCUSDT"))
    assert (call.path, dict(call.params), call.weight) == ("/fapi/v1/depth", {"symbol": "BTCUSDT", "limit": "1000"}, 20)
    body = b'{"lastUpdateId":160,"E":1763700000123,"T":1763700000119,"bids":[["9","1"]],"asks":[["10","2"]]}'
    event = VENUE.rest.decode_depth(body, find("BTCUSDT"), RECV, sim=False)
    assert fields(event) == HEAD | {
        "id": f"{TAIL}.book.160",
        "ts_event": 1_763_700_000_119_000_000,
        "bids": [("9", "1")],
        "asks": [("10", "2")],
        "seq": 160,
        "quality": "live",
        "unit": "base",
    }


def test_a_ban_pauses_all_calls_as_long_as_the_venue_says() -> None:
    failure = VENUE.rest.failure(418, {"retry-after": "600"}, b'{"code":-1003,"msg":"banned"}')
    assert failure is not None
    assert (failure.reason, failure.code, failure.retry_after) == ("banned", "-1003", 600.0)
    assert VENUE.rest.failure(200, {}, b"{}") is None
