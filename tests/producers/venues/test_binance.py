"""Binance spot: frames written from the venue's pages, and the events, sockets and REST calls they make."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.normalize.events import Makers
from producers.venue import BOOK, LIQUIDATION, TICKER, TRADE, Ack, Closing, Refused
from producers.venues.binance import VENUE

RECV = 1_763_700_000_200_000_000
HEAD = {"venue": "binance", "symbol": "BTC/USDT", "venue_symbol": "BTCUSDT", "ts_recv": RECV, "sim": False}
TRADE_DATA = (
    '{"e":"trade","E":1763700000123,"s":"BTCUSDT","t":55,"p":"91000.10","q":"0.00310000","T":1763700000122,"m":true}'
)
TICKER_DATA = '{"u":400,"s":"BTCUSDT","b":"90999.90","B":"1.20000000","a":"91000.00","A":"0.80000000"}'


def find(venue_symbol: str) -> Instrument:
    return VENUE.guess("spot", venue_symbol)


def decode(*frames: str, sim: bool = False) -> list[Any]:
    decoder = VENUE.decoder("spot", find, makers=Makers(sim=sim))
    return [event for frame in frames for event in decoder.decode(frame.encode(), RECV)]


def combined(stream: str, data: str) -> str:
    return f'{{"stream":"{stream}","data":{data}}}'


def fields(event: Any) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(event).items() if value not in (None, msgspec.UNSET)}


def depth(u: int, bids: list[list[str]], asks: list[list[str]]) -> str:
    data = {"e": "depthUpdate", "E": 1763700000100, "s": "BTCUSDT", "U": u - 3, "u": u, "b": bids, "a": asks}
    return combined("btcusdt@depth@100ms", json.dumps(data, separators=(",", ":")))


@pytest.mark.parametrize("frame", [TRADE_DATA, combined("btcusdt@trade", TRADE_DATA)], ids=["bare", "combined"])
def test_trade_gives_the_aggressors_side_and_the_match_time(frame: str) -> None:
    (event,) = decode(frame)
    assert event.kind == "trade"
    assert fields(event) == HEAD | {
        "id": "binance.BTC.USDT.spot.trade.55",
        "ts_event": 1_763_700_000_122_000_000,
        "trade_id": "55",
        "price": "91000.10",
        "amount": "0.00310000",
        "side": "sell",
    }


def test_a_buyer_who_is_no_maker_is_the_aggressor() -> None:
    (event,) = decode(TRADE_DATA.replace('"m":true', '"m":false'))
    assert event.side == "buy"


def test_the_second_frame_of_a_stream_decodes_as_the_first_did() -> None:
    frame = combined("btcusdt@trade", TRADE_DATA)
    first, second, other = decode(frame, frame, frame.replace('"t":55', '"t":56'))
    assert first == second
    assert (other.trade_id, other.price) == ("56", "91000.10")


def test_spaces_in_a_frame_change_nothing() -> None:
    frame = combined("btcusdt@trade", TRADE_DATA)
    assert decode(json.dumps(json.loads(frame), indent=1)) == decode(frame)


def test_aggregated_trades_have_ids_apart_from_single_ones() -> None:
    data = TRADE_DATA.replace('"t":55', '"a":55,"f":100,"l":105').replace('"e":"trade"', '"e":"aggTrade"')
    (event,) = decode(combined("btcusdt@aggTrade", data))
    assert (event.id, event.trade_id) == ("binance.BTC.USDT.spot.trade.a55", "55")


def test_times_in_microseconds_are_recognised_by_their_size() -> None:
    (event,) = decode(TRADE_DATA.replace('"T":1763700000122', '"T":1763700000122456'))
    assert event.ts_event == 1_763_700_000_122_456_000


def test_book_ticker_fills_only_the_best_prices_and_has_no_time() -> None:
    (event,) = decode(combined("btcusdt@bookTicker", TICKER_DATA))
    assert event.kind == "ticker"
    assert fields(event) == HEAD | {
        "id": "binance.BTC.USDT.spot.ticker.400",
        "bid": "90999.90",
        "bid_amount": "1.20000000",
        "ask": "91000.00",
        "ask_amount": "0.80000000",
        "seq": 400,
    }
    assert decode(TICKER_DATA) == [event]


def test_day_ticker_gives_the_24_hour_figures_and_the_change_in_percent() -> None:
    data = (
        '{"e":"24hrTicker","E":1763700000123,"s":"BTCUSDT","p":"-10.00","P":"-0.011","w":"91000","x":"91010",'
        '"c":"91000.10","Q":"1","b":"90999.90","B":"1.2","a":"91000.00","A":"0.8","o":"91010.10","h":"92000.00",'
        '"l":"90000.00","v":"1234.5","q":"112000000.5","O":1,"C":2,"F":0,"L":1,"n":2}'
    )
    (event,) = decode(combined("btcusdt@ticker", data))
    assert fields(event) == HEAD | {
        "id": "binance.BTC.USDT.spot.ticker.24h-1763700000123-f95da53b",
        "ts_event": 1_763_700_000_123_000_000,
        "last": "91000.10",
        "bid": "90999.90",
        "bid_amount": "1.2",
        "ask": "91000.00",
        "ask_amount": "0.8",
        "open_24h": "91010.10",
        "high_24h": "92000.00",
        "low_24h": "90000.00",
        "volume_24h": "1234.5",
        "quote_volume_24h": "112000000.5",
        "change_24h": "-0.011",
    }


def test_an_all_market_array_gives_one_ticker_an_item() -> None:
    item = '{"e":"24hrMiniTicker","E":1763700000123,"s":"%s","c":"2","o":"1","h":"3","l":"1","v":"9","q":"18"}'
    both = f"[{item % 'BTCUSDT'},{item % 'ETHBTC'}]"
    for frame in (both, combined("!miniTicker@arr", both)):
        assert [event.symbol for event in decode(frame)] == ["BTC/USDT", "ETH/BTC"]


def test_delta_continues_the_update_before_its_first_and_zero_is_written_plainly() -> None:
    (event,) = decode(depth(160, [["90999.90", "0.00000000"], ["90999.80", "0.50000000"]], [["91000.00", "0"]]))
    assert event.kind == "delta"
    assert fields(event) == HEAD | {
        "id": "binance.BTC.USDT.spot.delta.160",
        "ts_event": 1_763_700_000_100_000_000,
        "bids": [("90999.90", "0"), ("90999.80", "0.50000000")],
        "asks": [("91000.00", "0")],
        "seq": 160,
        "prev_seq": 156,
        "is_snapshot": False,
        "unit": "base",
    }


@pytest.mark.parametrize("zero", ["0", "0.0", "0.000", "0.00000000", "0.000000000000"])
def test_every_spelling_of_zero_is_written_plainly(zero: str) -> None:
    one = f"1{zero[1:]}"
    first, second = decode(
        depth(160, [["9", one]], [["10", zero]]), depth(164, [["9", zero]], [["10", one], ["11", zero]])
    )
    assert (first.bids, first.asks) == ([("9", one)], [("10", "0")])
    assert (second.bids, second.asks) == ([("9", "0")], [("10", one), ("11", "0")])


def test_zeros_of_a_frame_with_spaces_are_written_plainly() -> None:
    spaced = depth(160, [["9", "0.00000000"]], [["10", "0.00000000"]]).replace('"]', '" ]')
    (event,) = decode(spaced)
    assert (event.bids, event.asks) == ([("9", "0")], [("10", "0")])


def test_a_partial_book_is_a_snapshot_named_by_its_stream() -> None:
    data = '{"lastUpdateId":160,"bids":[["90999.90","1.2"]],"asks":[["91000.00","0.8"]]}'
    (event,) = decode(combined("btcusdt@depth20@100ms", data))
    assert (event.kind, event.symbol, event.is_snapshot, event.seq, event.prev_seq) == (
        *("delta", "BTC/USDT", True, 160),
        None,
    )
    with pytest.raises(FrameError, match="stream"):
        decode(data)


def test_kline_gives_a_candle_with_its_start() -> None:
    data = (
        '{"e":"kline","E":1763700000123,"s":"BTCUSDT","k":{"t":1763699940000,"T":1763699999999,"s":"BTCUSDT","i":"1m",'
        '"f":1,"L":9,"o":"1.0","c":"2.0","h":"3.0","l":"0.5","v":"10","n":9,"x":true,"q":"15","V":"4","Q":"6","B":"0"}}'
    )
    (event,) = decode(combined("btcusdt@kline_1m", data))
    assert fields(event) == HEAD | {
        "id": "binance.BTC.USDT.spot.candle.1m-1763699940000-1763700000123-00acdffc",
        "ts_event": 1_763_700_000_123_000_000,
        "timeframe": "1m",
        "open": "1.0",
        "high": "3.0",
        "low": "0.5",
        "close": "2.0",
        "volume": "10",
        "quote_volume": "15",
        "trades": 9,
        "closed": True,
        "start_ts": 1_763_699_940_000_000_000,
    }


def test_simulated_frames_are_marked() -> None:
    (event,) = decode(TRADE_DATA, sim=True)
    assert event.sim


def test_answers_and_announcements_are_controls() -> None:
    assert decode(
        '{"result":null,"id":1}',
        '{"result":["btcusdt@trade"],"id":"list"}',
        '{"result":null,"id":null}',
        '{"code":2,"msg":"Invalid request: unknown stream","id":7}',
        '{"error":{"code":3,"msg":"Invalid JSON"},"id":8}',
        '{"e":"serverShutdown","E":1770123456789}',
        combined("!serverShutdown", '{"e":"serverShutdown","E":1770123456789}'),
    ) == [
        Ack("1"),
        Ack("list"),
        Ack(""),
        Refused("7", "2: Invalid request: unknown stream"),
        Refused("8", '{"code":3,"msg":"Invalid JSON"}'),
        *[Closing("serverShutdown", 60.0)] * 2,
    ]


def test_known_channels_that_are_not_carried_give_nothing() -> None:
    assert decode(combined("btcusdt@avgPrice", '{"e":"avgPrice","E":1,"s":"BTCUSDT","i":"5m","w":"1","T":1}')) == []


@pytest.mark.parametrize(
    ("frame", "fault"),
    [
        ('{"e":"surprise","s":"BTCUSDT"}', "surprise"),
        (TRADE_DATA.replace('"T":1763700000122,', ""), "`T`"),
        (TRADE_DATA.replace('"s":"BTCUSDT",', ""), "`s`"),
        (TRADE_DATA.replace('"p":"91000.10"', '"p":91000.10'), "data.p"),
        (TRADE_DATA.replace('"p":"91000.10"', '"p":""'), "p is no number"),
        (TRADE_DATA.replace('"q":"0.00310000"', '"q":"NaN"'), "q is no number"),
        ('{"hello":1}', "`e`"),
        ("{", "truncated"),
        (TRADE_DATA.replace("BTCUSDT", "BTCXYZ"), "BTCXYZ"),
    ],
)
def test_what_cannot_be_decoded_is_refused_by_name(frame: str, fault: str) -> None:
    with pytest.raises((FrameError, msgspec.DecodeError), match=fault):
        decode(frame)


@pytest.mark.parametrize(
    ("venue_symbol", "symbol"),
    [
        ("BTCUSDT", "BTC/USDT"),
        ("ETHBTC", "ETH/BTC"),
        ("BTCFDUSD", "BTC/FDUSD"),
        ("BTCTUSD", "BTC/TUSD"),
        ("USDTTRY", "USDT/TRY"),
        ("BUSDUSDT", "BUSD/USDT"),
        ("GALAEUR", "GALA/EUR"),
        ("BTCAEUR", "BTC/AEUR"),
        ("BTCEURI", "BTC/EURI"),
        ("XRPRLUSD", "XRP/RLUSD"),
        ("BTCU", "BTC/U"),
        ("1000SATSUSDT", "1000SATS/USDT"),
    ],
)
def test_guess_splits_at_the_longest_known_quote(venue_symbol: str, symbol: str) -> None:
    assert VENUE.guess("spot", venue_symbol).symbol == symbol


def test_plan_lays_lower_case_streams_on_combined_sockets() -> None:
    (socket,) = VENUE.plan("ws://127.0.0.1:1", [find("BTCUSDT"), find("ETHBTC")], [TRADE, TICKER, BOOK, LIQUIDATION])
    assert (socket.url, socket.market) == ("ws://127.0.0.1:1/stream", "spot")
    assert [
        (item.key, item.channel, item.silence) for item in socket.subscriptions if item.instrument == find("ETHBTC")
    ] == [
        ("ethbtc@trade", TRADE, 180.0),
        ("ethbtc@bookTicker", TICKER, 30.0),
        ("ethbtc@ticker", TICKER, 30.0),
        ("ethbtc@depth@100ms", BOOK, 30.0),
    ]
    (request,) = socket.requests
    sent = json.loads(request.frame)
    assert (sent["method"], str(sent["id"])) == ("SUBSCRIBE", request.ref)
    assert frozenset(sent["params"]) == request.keys == {item.key for item in socket.subscriptions}


def test_plan_keeps_the_venues_limits_and_loses_no_stream() -> None:
    instruments = [VENUE.guess("spot", f"C{number}USDT") for number in range(1050)]
    sockets = VENUE.plan("wss://x", instruments, [TRADE])
    assert [len(socket.subscriptions) for socket in sockets] == [1000, 50]
    assert len({socket.name for socket in sockets}) == 2
    keys = {key for socket in sockets for request in socket.requests for key in request.keys}
    assert len(keys) == 1050
    assert max(len(request.keys) for socket in sockets for request in socket.requests) == 100


def test_listing_gives_what_can_be_traded() -> None:
    listed = [
        {"symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT"},
        {"symbol": "OLDBTC", "status": "BREAK", "baseAsset": "OLD", "quoteAsset": "BTC"},
    ]
    instruments, following = VENUE.rest.decode_instruments("spot", json.dumps({"symbols": listed}).encode())
    assert instruments == [find("BTCUSDT")]
    assert following is None
    with pytest.raises(FrameError, match="baseAsset"):
        VENUE.rest.decode_instruments("spot", b'{"symbols":[{"symbol":"BTCUSDT","status":"TRADING"}]}')


def test_depth_is_asked_with_its_weight_and_read_as_a_book() -> None:
    call = VENUE.rest.depth_call(find("BTCUSDT"))
    assert (call.path, dict(call.params), call.weight) == ("/api/v3/depth", {"symbol": "BTCUSDT", "limit": "1000"}, 50)
    body = b'{"lastUpdateId":160,"bids":[["90999.90","1.2"]],"asks":[["91000.00","0.8"]]}'
    event = VENUE.rest.decode_depth(body, find("BTCUSDT"), RECV, sim=True)
    assert fields(event) == HEAD | {
        "id": "binance.BTC.USDT.spot.book.160",
        "sim": True,
        "bids": [("90999.90", "1.2")],
        "asks": [("91000.00", "0.8")],
        "seq": 160,
        "quality": "sim",
        "unit": "base",
    }
    with pytest.raises(FrameError, match="asks"):
        VENUE.rest.decode_depth(b'{"lastUpdateId":160,"bids":[]}', find("BTCUSDT"), RECV, sim=False)


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (400, {}, b'{"code":-1121,"msg":"Invalid symbol."}', ("Invalid symbol.", "-1121", None)),
        (
            429,
            {"retry-after": "17"},
            b'{"code":-1003,"msg":"Too many requests."}',
            ("Too many requests.", "-1003", 17.0),
        ),
        (429, {}, b"", ("HTTP 429", None, 60.0)),
        (418, {"retry-after": "300"}, b"{}", ("HTTP 418", None, 300.0)),
        (418, {}, b"{}", ("HTTP 418", None, 120.0)),
        (403, {}, b"<html>", ("HTTP 403", None, 300.0)),
        (502, {}, b"<html>", ("HTTP 502", None, None)),
    ],
)
def test_failures_say_why_and_how_long_to_wait(
    status: int, headers: dict[str, str], body: bytes, expected: Any
) -> None:
    failure = VENUE.rest.failure(status, headers, body)
    assert failure is not None
    assert (failure.reason, failure.code, failure.retry_after) == expected
    assert VENUE.rest.failure(200, headers, b"{}") is None
