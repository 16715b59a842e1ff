"""Which events an endpoint wants."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from consumers.webhooks.payloads.facts import Fact, fact_of
from consumers.webhooks.registry.endpoint import EndpointSecret, matches
from tests.consumers.webhooks.events import (
    SECRET,
    make_alert,
    make_endpoint,
    make_feed_status,
    make_liquidation,
    make_storm,
    make_whale,
)


def fact(event: Any) -> Fact:
    made = fact_of(event)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("fields", "event", "wanted"),
    [
        ({}, make_whale(), True),
        ({}, make_storm(), False),
        ({"symbols": ("BTC", "ETH")}, make_whale(), True),
        ({"symbols": ("BTC/USDT",)}, make_whale(), True),
        ({"symbols": ("BTC/USD", "ETH")}, make_whale(), False),
        ({"exchanges": ("binance",)}, make_whale(), True),
        ({"exchanges": ("okx",)}, make_whale(), False),
        ({"min_usd": Decimal("1137501.25000000000000000091")}, make_whale(), True),
        ({"min_usd": Decimal("1137501.25000000000000000092")}, make_whale(), False),
        ({"min_usd": Decimal(1)}, make_liquidation(amount=None), False),
        ({}, make_liquidation(amount=None), True),
        ({"events": ("storm",), "exchanges": ("bybit",)}, make_storm(), True),
        ({"events": ("storm",), "exchanges": ("okx",)}, make_storm(), False),
        ({"events": ("price_alert",), "min_usd": Decimal(10)}, make_alert(), True),
        ({"events": ("price_alert",), "owner": "bob"}, make_alert(), False),
        ({"events": ("feed_status",), "symbols": ("ETH",)}, make_feed_status(symbol=None), True),
        ({"events": ("feed_status",), "symbols": ("ETH",)}, make_feed_status(), False),
    ],
)
def test_matching(fields: dict[str, Any], event: Any, wanted: bool) -> None:
    assert matches(make_endpoint(**fields), fact(event)) is wanted


def test_what_is_of_an_owner_is_matched_in_every_state() -> None:
    endpoint = make_endpoint(events=("price_alert",))
    for state in ("active", "paused", "open", "disabled"):
        assert matches(replace(endpoint, state=state), fact(make_alert()))


def test_secrets_live_until_they_end_and_are_in_no_repr() -> None:
    endpoint = make_endpoint(secrets=(EndpointSecret("new-secret-0123456789"), EndpointSecret(SECRET, 100)))
    assert endpoint.live_secrets(99) == ("new-secret-0123456789", SECRET)
    assert endpoint.live_secrets(100) == ("new-secret-0123456789",)
    assert SECRET not in repr(endpoint)
    assert "0123456789" not in repr(endpoint)
