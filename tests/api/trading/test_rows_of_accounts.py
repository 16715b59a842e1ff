"""One test a row of `/api/trading` about accounts and the switch, as somebody reads of it."""

from __future__ import annotations

import json

import pytest

from api.app import ApiOptions
from contracts import streams, subjects
from contracts.services.trading.accounts import CreateAccount
from runtime.credentials import Credential, belonging_of, make_vault, open_credential
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import ALL
from runtime.servers.embedded import NatsServer
from tests.api.conftest import Start, Store
from tests.api.trading.conftest import SECRET, Trader
from tests.api.world import ADMIN_KEY, api_settings
from tests.serving import serve

pytestmark = [pytest.mark.nats, pytest.mark.timeout(120)]


async def test_a_paper_account_from_its_making_to_its_end(ann: Trader, bob: Trader) -> None:
    made = await ann.good("POST", "/accounts", {"name": "paper", "venue": "paper"}, 201)
    assert (made["venue"], made["exchange"]) == ("paper", "binance")
    assert made["balances"] == [{"currency": "USDT", "free": 10000, "held": 0}]
    own = {"name": "rupiah", "venue": "paper", "exchange": "indodax", "balance": {"IDR": "150000000.5"}}
    limits = {"limits": {"order_value": {"IDR": 1e6}, "open_orders": 3, "symbols": ["BTC/IDR"]}}
    second = await ann.good("POST", "/accounts", {**own, **limits}, 201)
    assert second["balances"][0]["free"] == 150000000.5
    assert second["limits"]["order_value"] == {"IDR": 1000000}
    listed = await ann.good("GET", "/accounts")
    assert [one["name"] for one in listed["items"]] == ["paper", "rupiah"]
    assert (listed["total"], listed["halted"]) == (2, False)
    assert (await bob.good("GET", "/accounts"))["items"] == []
    again = await ann.ask("POST", "/accounts", own)
    assert (again.status_code, again.json()["error"]) == (409, "ALREADY_EXISTS")
    assert (await bob.ask("DELETE", "/accounts/rupiah")).status_code == 404
    assert (await ann.good("DELETE", "/accounts/rupiah"))["success"] is True
    assert (await ann.ask("DELETE", "/accounts/rupiah")).status_code == 404
    assert (await ann.ask("DELETE", "/accounts/No%20Name")).status_code == 404


async def test_what_is_wrong_with_an_account_is_named(ann: Trader) -> None:
    cases: tuple[tuple[dict[str, object], str], ...] = (
        ({"venue": "paper", "key": "k"}, "key"),
        ({"venue": "indodax", "key": "k"}, "secret"),
        ({"venue": "indodax", "key": "k", "secret": "s", "balance": {"IDR": 1}}, "balance"),
        ({"name": "No Name"}, "name"),
        ({"balance": {"USDT": -1}}, "balance.USDT"),
        ({"balance": {}}, "balance"),
        ({"more": 1}, "more"),
    )
    for body, field in cases:
        refused = await ann.ask("POST", "/accounts", body)
        assert (refused.status_code, refused.json()["error"]) == (400, "INVALID_BODY")
        assert list(refused.json()["fields"]) == [field]


async def test_key_and_secret_are_sealed_before_they_are_sent(api_nats: NatsServer, store: Store, start: Start) -> None:
    api = await start({"secrets": (SECRET,)})
    bus = await Bus(BusOptions(servers=(api_nats.url,), name="listener")).connect()
    seen: list[bytes] = []

    async def on_create(body: bytes) -> bytes:
        seen.append(body)
        return b'{"error":{"code":"INVALID_PARAMETER","message":"It can withdraw","details":{"parameter":"key"}}}'

    await serve(bus, f"{subjects.TRADING_COMMAND}create_account", on_create)
    body = {"name": "main", "venue": "indodax", "key": "PLANTED-KEY", "secret": "PLANTED-SECRET"}
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    answer = await api.client.post("/api/trading/accounts", json=body, headers=headers)
    assert (answer.status_code, answer.json()["fields"]) == (400, {"key": "It can withdraw"})
    assert b"PLANTED" not in seen[0] + answer.content
    request = CreateAccount.model_validate_json(seen[0])
    vault = make_vault((SECRET,))
    assert vault is not None
    assert request.credential is not None
    whose = belonging_of(request.owner, "main", "indodax")
    assert open_credential(vault, request.credential, whose) == Credential("PLANTED-KEY", "PLANTED-SECRET")
    kept = await read_past(bus, f"KV_{streams.IDEMPOTENCY}", (">",), ALL)
    assert all(b"PLANTED" not in row.payload for row in kept)
    await bus.close()


async def test_without_a_secret_to_seal_with_nothing_is_sent(store: Store, start: Start) -> None:
    api = await start()
    body = {"name": "main", "venue": "indodax", "key": "k", "secret": "s"}
    answer = await api.client.post("/api/trading/accounts", json=body, headers={"Authorization": f"Bearer {ADMIN_KEY}"})
    assert (answer.status_code, answer.json()["error"]) == (503, "DISABLED")
    assert "APP_SECRET_KEY" in answer.json()["detail"]


def test_the_options_of_the_api_do_not_show_their_secrets() -> None:
    bus = BusOptions(servers=("nats://127.0.0.1:9",), name="api")
    assert SECRET not in repr(ApiOptions(settings=api_settings(), bus=bus, secrets=(SECRET,)))


async def test_kill_says_what_was_confirmed_and_nothing_new_is_sent_until_resume(ann: Trader, bob: Trader) -> None:
    placed = [await ann.order(price=price) for price in (97, 98)]
    assert (await bob.good("POST", "/kill")) == {"halted": True, "cancelled": [], "waiting": []}
    assert (await ann.ask("DELETE", "/accounts/paper")).status_code == 409
    killed = await ann.good("POST", "/kill")
    assert (killed["halted"], sorted(killed["cancelled"])) == (True, sorted(order["id"] for order in placed))
    assert killed["waiting"] == []
    assert (await ann.good("GET", "/accounts"))["halted"] is True
    refused = await ann.order()
    assert (refused["status"], refused["reason"]) == ("rejected", "trading is stopped: resume it first")
    assert (await ann.good("POST", "/resume"))["success"] is True
    assert (await ann.order())["status"] == "open"
    assert json.loads((await ann.ask("GET", "/accounts")).content)["halted"] is False
