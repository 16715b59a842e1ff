"""KuCoin futures: pushes as the vendor's pages describe them, with invented values, and the events they become."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts.codec import EVENTS, decoder, encode
from contracts.errors import FrameError, SymbolSyntaxError
from contracts.instrument import Instrument, make_instrument
from producers.normalize.events import Makers
from producers.venue import CHANNELS, FUNDING, Ack
from producers.venues.kucoinfutures import VENUE
from runtime.book.keeper import BookKeeper, Change

TS = 1_795_291_200_123
TS_NS = TS * 1_000_000
RECEIVED = TS_NS + 5_000_000
LINEAR = make_instrument("kucoinfutures", "BTC/USDT:USDT", "XBTUSDTM", contract_size="0.001")
INVERSE = make_instrument("kucoinfutures", "BTC/USD:BTC", "XBTUSDM", contract_size="1")


class Socket:
    """One connection's decoder; `send` takes a frame as a dictionary and gives events as the bus would carry them."""

    def __init__(self, *known: Instrument) -> None:
        listed = {item.venue_symbol: item for item in known}
        find = lambda name: listed.get(name) or VENUE.guess("futures", name)  # noqa: E731
        self._decoder = VENUE.decoder("futures", find, makers=Makers(sim=False))

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
    return {"topic": topic, "type": "message", "subject": subject, "sn": 15, "data": data}


def execution(name: str, size: int, price: str) -> dict[str, Any]:
    data = {"symbol": name, "sequence": 15, "side": "sell", "size": size, "price": price, "takerOrderId": "1"}
    data |= {"makerOrderId": "2", "tradeId": "15", "ts": 1_795_291_200_123_456_789}
    return push(f"/contractMarket/execution:{name}", "match", data)


def level2(sequence: int, change: str, name: str = "XBTUSDTM") -> dict[str, Any]:
    data = {"sequence": sequence, "change": change, "timestamp": TS}
    return push(f"/contractMarket/level2:{name}", "level2", data)


def test_execution_is_a_trade_in_coins_and_contracts() -> None:
    assert Socket(LINEAR).send(execution("XBTUSDTM", 12, "91000.1")) == [
        {
            "kind": "trade",
            "id": "kucoinfutures.BTC.USDT.perp.trade.15",
            "venue": "kucoinfutures",
            "symbol": "BTC/USDT:USDT",
            "venue_symbol": "XBTUSDTM",
            "ts_event": 1_795_291_200_123_456_789,
            "ts_recv": RECEIVED,
            "sim": False,
            "trade_id": "15",
            "price": "91000.1",
            "amount": "0.012",
            "contracts": "12",
            "side": "sell",
            "seq": 15,
        }
    ]


def test_inverse_contracts_are_divided_by_the_price_and_unknown_ones_have_no_amount() -> None:
    (event,) = Socket(INVERSE).send(execution("XBTUSDM", 30000, "30000"))
    assert (event["amount"], event["contracts"]) == ("1", "30000")
    (event,) = Socket().send(execution("ETHUSDTM", 3, "3000"))
    assert (event["symbol"], event["amount"], event["contracts"]) == ("ETH/USDT:USDT", None, "3")


def test_change_is_one_level_and_one_step_of_the_sequence() -> None:
    socket = Socket(LINEAR)
    (event,) = socket.send(level2(18, "91000.0,sell,83"))
    assert (event["bids"], event["asks"], event["unit"]) == ([], [["91000.0", "0.083"]], "base")
    assert (event["seq"], event["prev_seq"], event["ts_event"]) == (18, 17, TS_NS)
    assert event["id"] == "kucoinfutures.BTC.USDT.perp.delta.18"
    (event,) = socket.send(level2(19, "90999.9,buy,0"))
    assert (event["bids"], event["asks"]) == ([["90999.9", "0"]], [])
    (event,) = Socket().send(level2(20, "91000,buy,7"))
    assert (event["bids"], event["unit"]) == ([["91000", "7"]], "contracts")


@pytest.mark.parametrize("change", ["91000,buy", "91000,up,3", "x,buy,3", "91000,buy,-3", ""])
def test_malformed_change_is_refused(change: str) -> None:
    with pytest.raises(FrameError, match=r"data\.change"):
        Socket(LINEAR).send(level2(18, change))


def test_book_is_seeded_over_rest_and_continued_by_single_steps() -> None:
    socket, keeper = Socket(LINEAR), BookKeeper(VENUE.book)
    for sequence, change in ((100, "91000,buy,1"), (101, "91000,buy,2"), (102, "90999,buy,3")):
        keeper.on_delta(socket.events(level2(sequence, change))[0])
    assert VENUE.rest.depth_call(LINEAR).path == "/api/v1/level2/snapshot"
    body = b'{"code":"200000","data":{"sequence":101,"asks":[[91001.5,40]],"bids":[[91000.0,2],["90998",10]],"ts":17}}'
    snapshot = VENUE.rest.decode_depth(body, LINEAR, RECEIVED, sim=False)
    assert (snapshot.seq, snapshot.ts_event, snapshot.unit) == (101, 17, "base")
    assert keeper.on_snapshot(snapshot).change is Change.APPLIED
    assert keeper.bids.top() == [("91000", "0.002"), ("90999", "0.003"), ("90998", "0.01")]
    assert keeper.asks.top() == [("91001.5", "0.04")]
    assert keeper.on_delta(socket.events(level2(104, "91000,buy,1"))[0]).change is Change.GAP


def test_tickers_have_their_sizes_in_coins() -> None:
    data = {"symbol": "XBTUSDTM", "sequence": 15, "bestBidSize": 5044, "bestBidPrice": "86454.5", "ts": TS_NS + 1}
    (event,) = Socket(LINEAR).send(push("/contractMarket/tickerV2:XBTUSDTM", "tickerV2", data))
    assert (event["bid"], event["bid_amount"], event["ask"], event["ask_amount"]) == ("86454.5", "5.044", None, None)
    assert (event["last"], event["ts_event"], event["seq"]) == (None, TS_NS + 1, 15)
    old = {**data, "price": "86454.6", "side": "buy", "size": 2, "bestAskPrice": "86454.6", "bestAskSize": 3}
    (event,) = Socket(LINEAR).send(push("/contractMarket/ticker:XBTUSDTM", "ticker", old))
    assert (event["last"], event["ask"], event["ask_amount"]) == ("86454.6", "86454.6", "0.003")


def test_day_figures_keep_every_digit() -> None:
    frame = (
        '{"topic":"/contractMarket/snapshot:%s","type":"message","subject":"snapshot.24h","data":{"highPrice":89299.9,'
        '"lastPrice":86262.6,"lowPrice":8.2205E4,"price24HoursBefore":88762.5,"priceChg":-2499.9,"priceChgPct":-0.0281,'
        '"symbol":"XBTUSDTM","turnover":1033552780.2532196044,"volume":12062.039,"ts":1795291200123456789}}'
    )
    (event,) = Socket(LINEAR).send(frame % "XBTUSDTM")
    assert (event["last"], event["high_24h"], event["low_24h"], event["open_24h"]) == (
        *("86262.6", "89299.9", "82205", "88762.5"),
    )
    assert (event["volume_24h"], event["quote_volume_24h"]) == ("12062.039", "1033552780.2532196044")
    assert (event["change_24h"], event["ts_event"]) == ("-2.81", 1_795_291_200_123_456_789)
    (event,) = Socket(INVERSE).send(frame % "XBTUSDM")
    assert (event["last"], event["volume_24h"], event["quote_volume_24h"]) == ("86262.6", None, None)


def test_mark_index_and_rate_are_merged() -> None:
    socket, topic = Socket(LINEAR), "/contract/instrument:XBTUSDTM"
    rate = (
        '{"topic":"%s","type":"message","subject":"funding.rate","data":{"granularity":60000,"fundingRate":-2e-06,%s}}'
    )
    (first,) = socket.send(rate % (topic, f'"timestamp":{TS}'))
    assert (first["kind"], first["rate"], first["mark_price"], first["ts_event"]) == (
        *("funding", "-0.000002", None, TS_NS),
    )
    data = {"markPrice": 90445.02, "indexPrice": 90444, "granularity": 1000, "timestamp": TS + 1000}
    (second,) = socket.send(push(topic, "mark.index.price", data))
    assert (second["rate"], second["mark_price"], second["index_price"]) == ("-0.000002", "90445.02", "90444")
    assert (second["next_ts"], second["ts_event"]) == (None, TS_NS + 10**9)
    assert second["id"] != first["id"]
    with pytest.raises(FrameError, match="moon"):
        socket.send(push(topic, "moon.phase", {"timestamp": TS}))


def test_candles_count_contracts_in_their_last_column() -> None:
    row = ["1795291200", "84568.3", "84556.7", "84570", "84544.2", "1080991.7836", "12785"]
    topic = "/contractMarket/limitCandle:XBTUSDTM_1min"
    (event,) = Socket(LINEAR).send(push(topic, "candle.stick", {"symbol": "XBTUSDTM", "candles": row, "time": TS}))
    assert [event[name] for name in ("open", "high", "low", "close")] == ["84568.3", "84570", "84544.2", "84556.7"]
    assert (event["volume"], event["quote_volume"], event["timeframe"]) == ("12.785", "1080991.7836", "1m")
    assert (event["start_ts"], event["ts_event"]) == (1795291200 * 10**9, TS_NS)
    same = [*row[:5], "21.0", "21"]
    (event,) = Socket(LINEAR).send(push(topic, "candle.stick", {"candles": same, "time": TS}))
    assert (event["volume"], event["quote_volume"]) == ("0.021", None)
    assert Socket().send(push(topic, "candle.stick", {"candles": row, "time": TS})) == []


def test_whole_tops_are_snapshots() -> None:
    data = {"bids": [["89720.9", 513]], "sequence": 17, "timestamp": TS, "ts": TS, "asks": [["89721", 906]]}
    (event,) = Socket(LINEAR).send(push("/contractMarket/level2Depth5:XBTUSDTM", "level2", data))
    assert (event["bids"], event["asks"]) == ([["89720.9", "0.513"]], [["89721", "0.906"]])
    assert (event["is_snapshot"], event["seq"], event["unit"]) == (True, 17, "base")


def test_answers_and_known_topics() -> None:
    assert Socket().send({"id": "futures.0", "type": "welcome"}) == [Ack("welcome")]
    assert Socket().send(push("/contract/announcement", "funding.end", {"symbol": "XBTUSDTM"})) == []
    with pytest.raises(FrameError, match="moon"):
        Socket().send(push("/contractMarket/moon:XBTUSDTM", "x", {}))


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("XBTUSDTM", "BTC/USDT:USDT"),
        ("1000BONKUSDTM", "1000BONK/USDT:USDT"),
        ("ETHUSDCM", "ETH/USDC:USDC"),
        ("XBTUSDM", "BTC/USD:BTC"),
        ("XBTMZ26", "BTC/USD:BTC-261225"),
        ("XBTMH27", "BTC/USD:BTC-270326"),
    ],
)
def test_contracts_are_named_by_their_spelling(name: str, symbol: str) -> None:
    found = VENUE.guess("futures", name)
    assert (found.symbol, found.contract_size, found.sized_in_contracts) == (symbol, None, True)


@pytest.mark.parametrize("name", ["BTC-USDT", "XBTUSDT", "USDTM", "XBTMA26"])
def test_what_is_no_contract_is_refused(name: str) -> None:
    with pytest.raises(SymbolSyntaxError, match=name):
        VENUE.guess("futures", name)


def test_plan_asks_funding_of_perpetual_contracts_only() -> None:
    listed = [VENUE.guess("futures", name) for name in ("XBTUSDTM", "XBTUSDM", "XBTMZ26")]
    (plan,) = VENUE.plan(VENUE.ws_url, listed, [FUNDING])
    assert [item.key for item in plan.subscriptions] == [
        "/contract/instrument:XBTUSDTM",
        "/contract/instrument:XBTUSDM",
    ]
    assert json.loads(plan.requests[1].frame)["topic"] == "/contract/instrument:XBTUSDTM,XBTUSDM"
    (plan,) = VENUE.plan(VENUE.ws_url, listed, CHANNELS)
    assert len(plan.subscriptions) == 3 * 4 + 2


def test_contracts_know_what_they_are_worth() -> None:
    row = (
        '{"symbol":"%s","baseCurrency":"%s","quoteCurrency":"%s","settleCurrency":"%s","multiplier":%s,"status":"%s"%s}'
    )
    rows = (
        row % ("XBTUSDTM", "XBT", "USDT", "USDT", "0.001", "Open", ""),
        row % ("XBTUSDM", "XBT", "USD", "XBT", "-1.0", "Open", ',"expireDate":null'),
        row % ("XBTMZ26", "XBT", "USD", "XBT", "-1", "Open", ',"expireDate":1798185600000'),
        row % ("PEPEUSDTM", "PEPE", "USDT", "USDT", "1E+2", "Open", ""),
        row % ("QUANTOM", "ETH", "USD", "XBT", "1", "Open", ""),
        row % ("OLDUSDTM", "OLD", "USDT", "USDT", "1", "Paused", ""),
    )
    body = f'{{"code":"200000","data":[{",".join(rows)}]}}'.encode()
    found, following = VENUE.rest.decode_instruments("futures", body)
    assert following is None
    assert [(item.symbol, item.contract_size) for item in found] == [
        ("BTC/USDT:USDT", "0.001"),
        ("BTC/USD:BTC", "1.0"),
        ("BTC/USD:BTC-261225", "1"),
        ("PEPE/USDT:USDT", "100"),
    ]
