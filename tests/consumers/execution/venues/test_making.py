"""Accounts at exchanges by the exchange's name: an adapter of ours, else CCXT, else a reason."""

from __future__ import annotations

import pytest

from consumers.execution.venues.ccxt_making import CcxtMaker
from consumers.execution.venues.ccxt_venue import CcxtVenue
from consumers.execution.venues.making import Exchanges, Means
from contracts.errors import InvalidParameterError
from runtime.credentials import Credential

KEY = Credential("key", "secret")


@pytest.mark.parametrize("name", ["binance", "bybit"])
async def test_an_exchange_without_an_adapter_of_ours_is_spoken_to_by_ccxt(name: str) -> None:
    exchanges = Exchanges(Means(urls={name: f"http://127.0.0.1:9/{name}"}))
    venue = exchanges.make(name, KEY)
    assert isinstance(venue, CcxtVenue)
    await venue.close()
    await exchanges.close()


async def test_all_accounts_at_an_exchange_keep_to_one_rate_limit() -> None:
    maker = CcxtMaker("binance", "http://127.0.0.1:9/binance")
    one, other = (maker.make(key) for key in (KEY, Credential("other", "secret")))
    for venue in (one, other):
        await venue._client.start()
    assert one._client.exchange.throttler is other._client.exchange.throttler
    assert one._client.exchange.apiKey != other._client.exchange.apiKey
    for venue in (one, other):
        await venue.close()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mtgox", "it was not tried"),
        ("kucoin", "one symbol at a time"),
        ("gate", "begin with t-"),
        ("okx", "it was not tried whether its client order ids find every order again"),
    ],
)
async def test_an_exchange_that_cannot_do_what_safety_needs_is_refused_with_the_reason(name: str, words: str) -> None:
    with pytest.raises(InvalidParameterError, match=words):
        Exchanges().make(name, KEY)
