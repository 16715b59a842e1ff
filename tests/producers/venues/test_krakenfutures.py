"""Kraken Futures: frames as the vendor's pages describe them, with invented values, and the events they become."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from contracts.codec import EVENTS, decoder, encode
from contracts.errors import FrameError, SymbolSyntaxError
from contracts.instrument import Instrument, make_instrument
from producers.normalize.events import Makers
from producers.venue import BOOK, CHANNELS, LIQUIDATION, PING_FRAME, Ack, Pong, Refused, Subscription
from producers.venues.krakenfutures import VENUE
from runtime.book.keeper import BookKeeper, Change

TS = 1_795_291_200_123
TS_NS = TS * 1_000_000
RECEIVED = TS_NS + 5_000_000
LINEAR = make_instrument("krakenfutures", "BTC/USD:USD", "PF_XBTUSD")
INVERSE = make_instrument("krakenfutures", "BTC/USD:BTC", "PI_XBTUSD", contract_size="1")
TICKER = (
    '"bid":90999.5,"ask":91000.0,"bid_size":910.0,"ask_size":1820.0,"volume":4550000.0,"dtm":0,"leverage":"50x",'
    '"index":90990.1,"premium":0.1,"last":91000.0,"change":-1.25,"suspended":false,"tag":"perpetual","pair":"XBT:USD",'
    '"openInterest":9100000.0,"markPrice":91000.0,"maturityTime":0,"post_only":false,"volumeQuote":4550000.0,'
    '"funding_rate":1.1e-10,"funding_rate_prediction":1.2e-10,"relative_funding_rate":-1.5e-5,'
    '"relative_funding_rate_prediction":1.1e-5,"next_funding_rate_time":1795294800000'
)


class Socket:
    """One connection's decoder; `send` takes a frame's text and gives events as the bus would carry them."""

    def __init__(self, *known: Instrument, sim: bool = False) -> None:
        listed = {item.venue_symbol: item for item in known}
        self._decoder = VENUE.decoder(
            "futures", lambda name: listed.get(name) or VENUE.guess("futures", name), makers=Makers(sim=sim)
        )

    def events(self, frame: str) -> list[Any]:
        return list(self._decoder.decode(frame.encode(), RECEIVED))

    def send(self, frame: str) -> list[Any]:
        return [_said(event) for event in self.events(frame)]


def _said(event: Any) -> Any:
    if event.kind not in EVENTS:
        return event
    decoder(EVENTS[event.kind]).decode(encode(event))  # fit for the bus
    return {"kind": event.kind, **json.loads(encode(event))}


def trade(kind: str = "fill", product: str = "PF_XBTUSD", qty: str = "0.0150", uid: str = "05af") -> str:
    return (
        f'{{"feed":"trade","product_id":"{product}","uid":"{uid}","side":"sell","type":"{kind}","seq":653355,'
        f'"time":{TS},"qty":{qty},"price":91000.5}}'
    )


def snapshot(seq: int, product: str = "PF_XBTUSD") -> str:
    levels = '"bids":[{"price":90999.5,"qty":0.60}],"asks":[{"price":91000,"qty":2.0},{"price":91001,"qty":0.0}]'
    head = f'"feed":"book_snapshot","product_id":"{product}","timestamp":{TS},"seq":{seq},"tickSize":null'
    return f"{{{head},{levels}}}"


def change(seq: int, side: str, level: tuple[str, str], product: str = "PF_XBTUSD") -> str:
    price, qty = level
    head = f'"feed":"book","product_id":"{product}","side":"{side}","seq":{seq}'
    return f'{{{head},"price":{price},"qty":{qty},"timestamp":{TS}}}'


def test_trade_of_a_linear_product_counts_coins() -> None:
    assert Socket(LINEAR).send(trade()) == [
        {
            "kind": "trade",
            "id": "krakenfutures.BTC.USD.perp.trade.05af",
            "venue": "krakenfutures",
            "symbol": "BTC/USD:USD",
            "venue_symbol": "PF_XBTUSD",
            "ts_event": TS_NS,
            "ts_recv": RECEIVED,
            "sim": False,
            "trade_id": "05af",
            "price": "91000.5",
            "amount": "0.0150",
            "contracts": None,
            "side": "sell",
            "seq": 653355,
        }
    ]


def test_trade_without_an_id_is_named_by_its_number() -> None:
    (event,) = Socket(LINEAR).send(trade().replace('"uid":"05af",', ""))
    assert (event["trade_id"], event["id"]) == ("653355", "krakenfutures.BTC.USD.perp.trade.653355")
    with pytest.raises(FrameError, match="uid"):
        Socket(LINEAR).send(trade().replace('"uid":"05af",', "").replace('"seq":653355,', ""))


def test_trade_of_an_inverse_product_counts_dollars() -> None:
    reported = Socket(INVERSE).send(trade(product="PI_XBTUSD", qty="18200.1"))[0]
    assert (reported["amount"], reported["contracts"]) == ("0.2", "18200.1")
    assert Socket().send(trade(product="PI_XBTUSD", qty="40.0"))[0]["amount"] is None


@pytest.mark.parametrize(("side", "position"), [("sell", "long"), ("buy", "short")])
def test_liquidation_is_a_trade_and_a_forced_order(side: str, position: str) -> None:
    frame = trade("liquidation").replace('"side":"sell"', f'"side":"{side}"')
    printed, forced = Socket(LINEAR, sim=True).send(frame)
    assert (printed["kind"], printed["side"]) == ("trade", side)
    assert forced == {
        "kind": "liquidation",
        "id": "krakenfutures.BTC.USD.perp.liquidation.05af",
        "venue": "krakenfutures",
        "symbol": "BTC/USD:USD",
        "venue_symbol": "PF_XBTUSD",
        "ts_event": TS_NS,
        "ts_recv": RECEIVED,
        "sim": True,
        "price": "91000.5",
        "price_kind": "fill",
        "amount": "0.0150",
        "contracts": None,
        "position_side": position,
        "order_side": side,
        "sampled": False,
        "average_price": None,
    }


@pytest.mark.parametrize(("kind", "count"), [("block", 1), ("assignment", 0), ("termination", 0)])
def test_positions_that_change_hands_are_no_trades(kind: str, count: int) -> None:
    assert len(Socket().send(trade(kind))) == count


def test_backlog_of_trades_is_reported_oldest_first_with_the_ids_of_the_trades() -> None:
    rows = ",".join(trade(uid=uid) for uid in ("c", "b", "a"))
    reported = Socket().send(f'{{"feed":"trade_snapshot","product_id":"PF_XBTUSD","trades":[{rows}]}}')
    assert [event["trade_id"] for event in reported] == ["a", "b", "c"]
    assert reported[0] == Socket().send(trade(uid="a"))[0]


def test_book_is_kept_level_by_level_in_sequence() -> None:
    socket, keeper = Socket(LINEAR), BookKeeper(VENUE.book)
    frames = [
        snapshot(10),
        change(11, "buy", ("90999.5", "0")),
        change(12, "buy", ("90998.0", "1.50")),
        change(13, "sell", ("91000", "-3.0")),
        change(14, "sell", ("91002", "4")),
    ]
    for frame in frames:
        assert keeper.on_delta(socket.events(frame)[0]).change is Change.APPLIED
    assert (keeper.bids.top(), keeper.asks.top(), keeper.seq) == ([("90998.0", "1.50")], [("91002", "4")], 14)
    assert keeper.on_delta(socket.events(change(16, "buy", ("1", "1")))[0]).change is Change.GAP


def test_book_of_an_inverse_product_is_given_in_coins_where_a_contract_is_known() -> None:
    whole = Socket(INVERSE).events(change(11, "sell", ("91000", "18200"), "PI_XBTUSD"))[0]
    assert (whole.asks, whole.unit) == ([("91000", "0.2")], "base")
    raw = Socket().events(change(11, "sell", ("91000", "18200.0"), "PI_XBTUSD"))[0]
    assert (raw.asks, raw.unit) == ([("91000", "18200.0")], "contracts")
    gone = Socket(INVERSE).events(change(11, "sell", ("91000", "0.0"), "PI_XBTUSD"))[0]
    assert gone.asks == [("91000", "0")]


def test_ticker_of_an_inverse_product_tells_funding_and_interest_too() -> None:
    frame = f'{{"time":{TS},"feed":"ticker","product_id":"PI_XBTUSD",{TICKER}}}'
    ticker, funding, interest = Socket(INVERSE).send(frame)
    assert (ticker["bid"], ticker["ask"], ticker["last"]) == ("90999.5", "91000.0", "91000.0")
    assert (ticker["ask_amount"], ticker["change_24h"], ticker["ts_event"]) == ("0.02", "-1.25", TS_NS)
    assert (ticker["volume_24h"], ticker["quote_volume_24h"]) == (None, "4550000.0")
    assert (funding["rate"], funding["next_ts"]) == ("-0.000015", 1_795_294_800_000 * 1_000_000)
    assert (funding["mark_price"], funding["index_price"]) == ("91000.0", "90990.1")
    assert (interest["contracts"], interest["value"], interest["amount"]) == ("9100000.0", "9100000.0", "100")


def test_ticker_of_a_linear_product_counts_coins() -> None:
    frame = f'{{"feed":"ticker","product_id":"PF_XBTUSD","time":{TS},{TICKER}}}'
    ticker, _, interest = Socket(LINEAR).send(frame)
    assert (ticker["volume_24h"], ticker["quote_volume_24h"], ticker["bid_amount"]) == (
        "4550000.0",
        "4550000.0",
        "910.0",
    )
    assert (interest["amount"], interest["contracts"], interest["value"]) == ("9100000.0", None, None)


def test_dated_future_has_no_funding_and_a_light_ticker_no_time() -> None:
    frame = '{"feed":"ticker_lite","product_id":"FI_XBTUSD_270326","bid":1.5,"ask":2,"change":3.1,"volume":9.0}'
    (ticker,) = Socket().send(frame)
    assert (ticker["symbol"], ticker["bid"], ticker["ask"]) == ("BTC/USD:BTC-270326", "1.5", "2")
    assert (ticker["ts_event"], ticker["last"]) == (None, None)


def test_answers_become_controls() -> None:
    socket = Socket()
    many = '{"event":"subscribed","feed":"trade","product_ids":["PF_XBTUSD","PI_XBTUSD"]}'
    assert socket.events(many) == [Ack("trade:PF_XBTUSD"), Ack("trade:PI_XBTUSD")]
    assert socket.events('{"event":"subscribed","feed":"heartbeat"}') == [Ack("heartbeat")]
    assert socket.events('{"feed":"heartbeat","time":1}') == [Pong()]
    assert socket.events('{"feed":"book","event":"unsubscribed","product_ids":["PF_XBTUSD"]}') == []
    assert socket.events('{"event":"info","version":1}') == []
    assert socket.events('{"event":"alert","message":"Already subscribed to feed, re-requesting"}') == []
    assert socket.events('{"event":"error","message":"Invalid product id"}') == [Refused(None, "Invalid product id")]
    refused = socket.events('{"event":"subscribed_failed","feed":"book","product_ids":["PF_XBTUSD"]}')
    assert [item.ref for item in refused] == ["book:PF_XBTUSD"]


@pytest.mark.parametrize(
    ("frame", "named"),
    [
        ('{"feed":"gossip"}', "gossip"),
        ('{"event":"gossip","data":[]}', "gossip"),
        ("{}", "neither event nor feed"),
        (trade("gift"), "gift"),
        (trade(qty='"0.1"'), "qty"),
        (change(1, "hold", ("1", "1")), "hold"),
        ('{"feed":"book","product_id":"PF_XBTUSD","side":"buy","price":1,"qty":1,"timestamp":1}', "seq"),
        ('{"feed":"trade",', "truncated"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_names_it(frame: str, named: str) -> None:
    with pytest.raises((FrameError, msgspec.DecodeError), match=named):
        Socket().events(frame)


def test_plan_shares_feeds_among_our_channels() -> None:
    plan = VENUE.plan("wss://futures.kraken.com", [LINEAR, INVERSE], CHANNELS)[0]
    assert plan.url == "wss://futures.kraken.com/ws/v1"
    frames = [json.loads(request.frame) for request in plan.requests]
    assert frames[0] == {"event": "subscribe", "feed": "heartbeat"}
    assert [frame["feed"] for frame in frames[1:]] == ["trade", "ticker", "book"]
    assert all(frame["product_ids"] == ["PF_XBTUSD", "PI_XBTUSD"] for frame in frames[1:])
    assert {item.channel for item in plan.subscriptions} == set(CHANNELS)
    assert VENUE.policy.ping == PING_FRAME
    only = VENUE.plan("wss://host", [LINEAR], [LIQUIDATION])[0]
    assert [(item.key, item.silence) for item in only.subscriptions] == [("trade:PF_XBTUSD", None)]


def test_fresh_snapshot_is_had_by_leaving_and_joining_again() -> None:
    assert VENUE.resubscribe is not None
    frames = [json.loads(frame) for frame in VENUE.resubscribe(Subscription("book:PF_XBTUSD", BOOK, LINEAR))]
    assert frames == [
        {"event": event, "feed": "book", "product_ids": ["PF_XBTUSD"]} for event in ("unsubscribe", "subscribe")
    ]


@pytest.mark.parametrize(
    ("product", "symbol"),
    [
        ("PF_XBTUSD", "BTC/USD:USD"),
        ("PI_ETHUSD", "ETH/USD:ETH"),
        ("FI_XBTUSD_270326", "BTC/USD:BTC-270326"),
        ("FF_ETHUSD_270326", "ETH/USD:USD-270326"),
        ("PF_USDCUSD", "USDC/USD:USD"),
        ("PV_XRPXBT", "XRP/BTC:BTC"),
    ],
)
def test_product_is_named_as_everywhere(product: str, symbol: str) -> None:
    assert VENUE.guess("futures", product).symbol == symbol


def test_index_is_no_product() -> None:
    with pytest.raises(SymbolSyntaxError):
        VENUE.guess("futures", "IN_XBTUSD")


def test_listing_gives_what_trades_with_the_worth_of_contracts() -> None:
    rows = [
        {"symbol": "PF_XBTUSD", "tradeable": True, "contractSize": 1, "base": "BTC", "quote": "USD"},
        {"symbol": "pi_xbtusd", "tradeable": True, "contractSize": 1.0, "type": "futures_inverse"},
        {"symbol": "PF_OLDUSD", "tradeable": False, "contractSize": 1, "base": "OLD", "quote": "USD"},
        {"symbol": "in_xbtusd", "tradeable": False, "type": "spot index"},
    ]
    body = json.dumps({"result": "success", "instruments": rows}).encode()
    assert VENUE.rest.decode_instruments("futures", body) == ([LINEAR, INVERSE], None)


def test_book_over_rest_has_no_sequence() -> None:
    body = b'{"result":"success","orderBook":{"bids":[[90999.50,0.6]],"asks":[[91000,2]]},"serverTime":"x"}'
    reported = VENUE.rest.decode_depth(body, LINEAR, RECEIVED, sim=False)
    assert (reported.bids, reported.asks, reported.seq) == ([("90999.50", "0.6")], [("91000", "2")], None)
    assert VENUE.rest.depth_call(LINEAR).params == {"symbol": "PF_XBTUSD"}


@pytest.mark.parametrize(
    ("status", "body", "code", "pause"),
    [
        (200, '{"result":"error","error":"apiLimitExceeded"}', "apiLimitExceeded", 10.0),
        (200, '{"result":"error","error":"contractNotFound"}', "contractNotFound", None),
        (403, "<html>", None, 60.0),
    ],
)
def test_refusals_are_reported_with_the_pause_that_they_ask(
    status: int, body: str, code: str | None, pause: float | None
) -> None:
    reported = VENUE.rest.failure(status, {}, body.encode())
    assert reported is not None
    assert (reported.code, reported.retry_after) == (code, pause)
    assert VENUE.rest.failure(200, {}, b'{"result":"success"}') is None
