"""Events and endpoints of the webhooks' tests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from consumers.webhooks.registry.endpoint import Endpoint, EndpointSecret
from contracts.alerts import Alert
from contracts.codec import fast
from contracts.market import FeedStatus, Liquidation
from contracts.services.trading.events import OrderChanged
from contracts.services.trading.orders import OrderStatus
from contracts.signals import LiquidationStorm, WhaleCluster, WhaleTrade

START = 1_767_268_800_125_000_000
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def make_endpoint(**fields: Any) -> Endpoint:
    values: dict[str, Any] = {
        "id": "wh_00112233445566ff",
        "owner": "alice",
        "url": "https://receiver.example/hook",
        "events": ("whale", "liquidation"),
        "secrets": (EndpointSecret(SECRET),),
        "created_ns": START,
        "updated_ns": START,
    }
    return Endpoint(**{**values, **fields})


def _origin(kind: str, venue: str, symbol: str) -> dict[str, Any]:
    return {
        "id": f"{venue}.BTC.USDT.spot.{kind}.1",
        "venue": venue,
        "symbol": symbol,
        "venue_symbol": None,
        "ts_event": START,
        "ts_recv": START + 1_000_000,
        "sim": False,
    }


def make_whale(**fields: Any) -> Any:
    values = {
        "side": "buy",
        "price": "91000.10",
        "amount": "12.50000000000000000001",
        "usd_value": "1137501.25000000000000000091",
        "usd_rate": "1",
        "usd_rate_source": "peg",
        "tier": "majors",
        "threshold_usd": "1000000",
        "trade_ids": ["a"],
        "rule": "whale/1",
    }
    return fast(WhaleTrade)(**{**_origin("whale", "binance", "BTC/USDT"), **values, **fields})


def make_liquidation(**fields: Any) -> Any:
    values = {
        "price": "60000.5",
        "price_kind": "bankruptcy",
        "amount": "2.010",
        "position_side": "long",
        "order_side": "sell",
        "sampled": True,
    }
    return fast(Liquidation)(**{**_origin("liquidation", "bybit", "BTC/USDT:USDT"), **values, **fields})


def make_alert(**fields: Any) -> Any:
    values = {
        "alert": "price_alert",
        "rule": "price/1",
        "fired_at": START,
        "late": False,
        "stands_for": 1,
        "causes": ["binance.BTC.USDT.spot.trade.7"],
        "price": "65000.10",
        "previous_price": "64999.9",
        "condition": "above",
        "threshold": "65000",
        "rule_id": "al_1",
        "owner": "alice",
        "webhooks": True,
    }
    return fast(Alert)(**{**_origin("alert", "binance", "BTC/USDT"), **values, **fields})


def make_storm(**fields: Any) -> Any:
    values = {
        "base": "BTC",
        "usd_value": "2500000.10",
        "long_usd": "2000000.10",
        "short_usd": "500000.00",
        "count": 7,
        "window_ns": 30_000_000_000,
        "threshold_usd": "2000000",
        "threshold_count": 3,
        "venues": ["binanceusdm", "bybit"],
        "liquidation_ids": ["a"],
        "sampled": True,
        "tier": "majors",
        "rule": "storm/1",
    }
    return fast(LiquidationStorm)(**{**_origin("storm", "all", "BTC/USD"), **values, **fields})


def make_cluster(**fields: Any) -> Any:
    values = {
        "base": "BTC",
        "side": "buy",
        "pattern": "accumulation",
        "count": 3,
        "usd_value": "4500000.10",
        "window_ns": 300_000_000_000,
        "venues": ["binance", "okx"],
        "whale_ids": ["a"],
        "tier": "majors",
        "rule": "cluster/1",
    }
    return fast(WhaleCluster)(**{**_origin("cluster", "all", "BTC/USD"), **values, **fields})


def make_feed_status(**fields: Any) -> Any:
    values = {"state": "gap", "reason": "sequence 7 after 5", "channel": "book"}
    return fast(FeedStatus)(**{**_origin("feed", "kraken", "BTC/USD"), **values, **fields})


def make_order(owner: str = "alice", number: int = 1, status: OrderStatus = "open") -> OrderChanged:
    filled = status == "filled"
    return OrderChanged(
        id=f"order.{owner}.{number}",
        ts=START,
        account="0123456789abcdef",
        owner=owner,
        venue="paper",
        symbol="BTC/USDT",
        order_id="ord1",
        client_id="mine-1",
        number=number,
        side="buy",
        type="limit",
        status=status,
        amount=Decimal("0.01"),
        filled=Decimal("0.01") if filled else Decimal(0),
        price=Decimal(90000),
        average_price=Decimal("89999.5") if filled else None,
        reason=None,
        strategy=None,
    )
