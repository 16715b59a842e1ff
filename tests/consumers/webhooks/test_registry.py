"""Endpoints over commands: whose they are, how many, what is kept of them, and what is never shown again."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from standardwebhooks import Webhook

from consumers.webhooks.handlers import WebhooksPlan
from consumers.webhooks.registry import core
from consumers.webhooks.registry.endpoint import EndpointSecret
from consumers.webhooks.registry.sealing import PURPOSE, Sealer, UnsealableError
from consumers.webhooks.store.endpoints import ENDPOINTS, EndpointStore
from contracts import streams
from contracts.errors import ConflictError, InvalidParameterError, LimitReachedError, NotFoundError, NotReadyError
from contracts.services.access import Caller
from contracts.services.webhooks import endpoints as contract
from runtime.clients.command_client import CommandClient
from runtime.nats.bus import Bus
from runtime.pepper import sealing_key
from runtime.store import Store
from tests.consumers.webhooks.conftest import KEY, PEPPER, Begin
from tests.consumers.webhooks.events import SECRET, START, make_endpoint
from tests.consumers.webhooks.receiver import OK, Request, answering, receiving

pytestmark = [pytest.mark.nats, pytest.mark.timeout(120)]
CALLER = Caller(actor="0123456789abcdef", address="10.0.0.9", request_id="req-1")
URL = "https://127.0.0.1/hooks/path-token-0123456789"
OWN_SECRET = "a-secret-of-my-own-0123456789"


def registration(owner: str = "alice", **fields: Any) -> contract.RegisterEndpoint:
    values = {"owner": owner, "caller": CALLER, "url": URL, "events": ("whale",), **fields}
    return contract.RegisterEndpoint.model_validate(values)


class Asking:
    def __init__(self, bus: Bus) -> None:
        self._client = CommandClient(bus)

    async def register(self, **fields: Any) -> contract.EndpointShown:
        return await self._client.request("webhooks.register", registration(**fields), contract.EndpointShown)

    async def change(self, verb: str, name: str, owner: str = "alice", **fields: Any) -> contract.EndpointInfo:
        kinds = {
            "update": contract.UpdateEndpoint,
            "delete": contract.DeleteEndpoint,
            "pause": contract.PauseEndpoint,
            "resume": contract.ResumeEndpoint,
        }
        request = kinds[verb].model_validate({"owner": owner, "caller": CALLER, "id": name, **fields})
        return await self._client.request(f"webhooks.{verb}", request, contract.EndpointInfo)

    async def rotate(self, name: str, owner: str = "alice", **fields: Any) -> contract.EndpointShown:
        request = contract.RotateSecret.model_validate({"owner": owner, "caller": CALLER, "id": name, **fields})
        return await self._client.request("webhooks.rotate_secret", request, contract.EndpointShown)

    async def test(self, name: str, owner: str = "alice") -> contract.TestReply:
        request = contract.TestEndpoint(owner=owner, caller=CALLER, id=name)
        return await self._client.request("webhooks.test", request, contract.TestReply)

    async def find(self, name: str, owner: str = "alice") -> contract.EndpointInfo:
        query = contract.FindEndpoint(owner=owner, id=name)
        return await self._client.request("webhooks.find", query, contract.EndpointInfo)

    async def list_of(self, owner: str = "alice", **page: Any) -> contract.EndpointPage:
        query = contract.ListEndpoints(owner=owner, **page)
        return await self._client.request("webhooks.list", query, contract.EndpointPage)


def store_of(plan: WebhooksPlan, pepper: bytes = PEPPER) -> EndpointStore:
    return EndpointStore(Store(plan.documents), Sealer(sealing_key(pepper, PURPOSE)))


async def audited(bus: Bus, count: int) -> list[dict[str, Any]]:
    subscription = await bus.client.jetstream().pull_subscribe("audit.v1.webhooks.>", stream=streams.AUDIT)
    return [json.loads(message.data) for message in await subscription.fetch(count, timeout=5)]


async def test_an_endpoint_from_registration_to_its_end(begin: Begin, own: Bus, plan: WebhooksPlan) -> None:
    await begin()
    ask, received = Asking(own), await own.client.subscribe("webhooks.v1.changed.>")
    made = await ask.register(
        events=["whale", "liquidation", "whale"],
        symbols=["btc", "eth-usdt", "SOL/USDT:USDT"],
        exchanges=["HUOBI", "okx"],
        min_usd=1000000.10,
        ordering="symbol",
        description="bot",
    )
    assert made.secret.startswith("whsec_")
    assert (made.events, made.symbols) == (("whale", "liquidation"), ("BTC", "ETH/USDT", "SOL/USDT:USDT"))
    assert (made.exchanges, made.min_usd, made.state) == (("htx", "okx"), Decimal("1000000.1"), "active")
    shown = contract.EndpointInfo(**made.model_dump(exclude={"secret"}))
    assert await ask.find(made.id) == shown
    assert (await ask.list_of()).items == [shown]

    change = {"symbols": [], "events": ["storm"], "min_usd": None}
    changed = await ask.change("update", made.id, change=change, clear=["min_usd", "description"])
    assert (changed.symbols, changed.events, changed.min_usd, changed.description) == ((), ("storm",), None, None)
    assert changed.url == URL
    paused = await ask.change("pause", made.id)
    assert (paused.state, paused.state_reason) == ("paused", "paused by its owner")
    assert await ask.change("pause", made.id) == paused  # nothing changes, nothing is published
    assert (await ask.change("resume", made.id)).state == "active"
    assert (await ask.change("delete", made.id)).id == made.id
    with pytest.raises(NotFoundError):
        await ask.find(made.id)
    assert (await ask.list_of()).total == 0
    assert await Store(plan.documents).collection(ENDPOINTS).find_one({"_id": made.id}) is None

    subjects = {(await received.next_msg(2)).subject for _ in range(5)}
    assert subjects == {f"webhooks.v1.changed.{made.id}"}
    events = await audited(own, 5)
    assert [event["action"] for event in events] == ["register", "update", "pause", "resume", "delete"]
    assert events[1]["details"] == {
        "owner": "alice",
        "changed": ["events", "symbols", "min_usd", "description"],
    }
    assert {(event["actor"], event["address"], event["request_id"]) for event in events} == {
        ("0123456789abcdef", "10.0.0.9", "req-1")
    }
    assert made.secret not in json.dumps(events)
    assert "path-token" not in json.dumps(events)


async def test_another_owners_endpoint_is_not_there(begin: Begin, own: Bus) -> None:
    await begin()
    ask = Asking(own)
    made = await ask.register()
    assert (await ask.list_of("bob")).total == 0
    for act in (
        ask.find(made.id, "bob"),
        ask.test(made.id, "bob"),
        ask.rotate(made.id, "bob"),
        ask.change("update", made.id, "bob", change={"url": "https://127.0.0.1/mine"}),
        ask.change("pause", made.id, "bob"),
        ask.change("resume", made.id, "bob"),
        ask.change("delete", made.id, "bob"),
    ):
        with pytest.raises(NotFoundError):
            await act
    assert (await ask.find(made.id)).url == URL


async def test_an_owner_has_so_many_and_no_more(begin: Begin, own: Bus) -> None:
    await begin(most=3)
    ask = Asking(own)
    results = await asyncio.gather(*(ask.register() for _ in range(6)), return_exceptions=True)
    refused = [one for one in results if isinstance(one, BaseException)]
    assert len(refused) == 3
    assert all(isinstance(one, LimitReachedError) and one.details == {"maximum": 3} for one in refused)
    await ask.register(owner="bob")
    first = (await ask.list_of()).items[0]
    await ask.change("delete", first.id)
    await ask.register()


@pytest.mark.parametrize(
    "url",
    ["http://8.8.8.8/", "https://10.0.0.1/", "https://user:pass@8.8.8.8/", "https://8.8.8.8:22/", "https://localhost/"],
)
async def test_a_url_that_may_not_be_posted_to_is_not_registered(begin: Begin, own: Bus, url: str) -> None:
    await begin()
    ask = Asking(own)
    with pytest.raises(InvalidParameterError) as raised:
        await ask.register(url=url)
    assert raised.value.details == {"parameter": "url"}
    made = await ask.register()
    with pytest.raises(InvalidParameterError):
        await ask.change("update", made.id, change={"url": url})


@pytest.mark.parametrize(
    ("secret", "good"), [("0123456789abcde", False), ("whsec_!", False), ("0123456789abcdef", True), (SECRET, True)]
)
async def test_own_secrets(begin: Begin, own: Bus, secret: str, good: bool) -> None:
    await begin()
    if good:
        assert (await Asking(own).register(secret=secret)).secret == secret
        return
    with pytest.raises(InvalidParameterError) as raised:
        await Asking(own).register(secret=secret)
    assert secret not in f"{raised.value} {raised.value.details}"


async def test_a_repeated_request_makes_one_endpoint(begin: Begin, own: Bus) -> None:
    await begin()
    ask = Asking(own)
    first, again = [await ask.register(request_key="ab12") for _ in range(2)]
    assert (first.id, (await ask.list_of()).total) == (again.id, 1)
    assert first.secret != again.secret
    assert (await ask.register(owner="bob", request_key="ab12")).id != first.id
    with pytest.raises(ConflictError):
        await ask.register(request_key="ab12", events=("storm",))
    await ask.change("pause", first.id)
    with pytest.raises(ConflictError):
        await ask.register(request_key="ab12")


async def test_what_is_kept_and_logged_holds_no_secret(
    begin: Begin, own: Bus, plan: WebhooksPlan, capfd: pytest.CaptureFixture[str]
) -> None:
    await begin()
    ask = Asking(own)
    made, given = await ask.register(), await ask.register(secret=OWN_SECRET)
    await ask.rotate(made.id, secret=OWN_SECRET + "-new")
    with pytest.raises(ConflictError):
        await ask.rotate(given.id, secret=OWN_SECRET)
    documents = [document async for document in Store(plan.documents).collection(ENDPOINTS).find({})]
    everything = repr(documents) + "".join(capfd.readouterr()) + json.dumps(await audited(own, 3))
    for secret in (made.secret, made.secret.removeprefix("whsec_"), OWN_SECRET):
        assert secret not in everything
    assert "path-token" not in "".join(capfd.readouterr())
    kept = await store_of(plan).find(made.id)
    assert kept is not None
    assert kept.live_secrets(0) == (OWN_SECRET + "-new", made.secret)


async def test_a_secret_opens_only_where_it_was_sealed(begin: Begin, own: Bus, plan: WebhooksPlan) -> None:
    await begin()
    ask = Asking(own)
    alices, bobs = await ask.register(), await ask.register(owner="bob")
    collection = Store(plan.documents).collection(ENDPOINTS)
    theirs = await collection.find_one({"_id": alices.id})
    assert theirs is not None
    await collection.update_one({"_id": bobs.id}, {"$set": {"secrets": theirs["secrets"]}})
    with pytest.raises(UnsealableError):
        await store_of(plan).find(bobs.id)
    with pytest.raises(UnsealableError):
        await store_of(plan, b"another pepper of sixteen").find(alices.id)
    with pytest.raises(NotReadyError) as raised:
        await ask.test(bobs.id, "bob")
    assert raised.value.details == {"waiting_for": ["HYDROPHONE_KEY_PEPPER"]}
    assert (await ask.find(bobs.id, "bob")).id == bobs.id
    await ask.change("delete", bobs.id, "bob")


async def test_rotation_signs_with_both_until_the_overlap_ends(begin: Begin, own: Bus) -> None:
    await begin()
    ask = Asking(own)
    async with receiving() as receiver:
        made = await ask.register(url=receiver.url)
        rotated = await ask.rotate(made.id)
        assert rotated.previous_ends_at is not None
        await ask.test(made.id)
        request = receiver.requests[-1]
        for secret in (made.secret, rotated.secret):
            assert Webhook(secret).verify(request.body, request.headers)["event_type"] == "test"
        last = await ask.rotate(made.id, overlap_seconds=0)
        assert last.previous_ends_at is None
        await ask.test(made.id)
        signatures = receiver.requests[-1].headers["webhook-signature"].split(" ")
        assert [signature.partition(",")[0] for signature in signatures] == ["v1", "v1a"]
    with pytest.raises(NotFoundError):
        await ask.rotate("wh_0000000000000000")


async def test_under_load_no_request_is_refused_while_secrets_rotate(begin: Begin, own: Bus) -> None:
    await begin()
    ask, held = Asking(own), [""]
    held_then: list[str] = []

    async def note(_request: Request, writer: asyncio.StreamWriter) -> None:
        held_then.append(held[0])
        writer.write(OK)

    async with receiving(note) as receiver:
        made = await ask.register(url=receiver.url)
        held[0] = made.secret

        async def rotate() -> None:
            for _ in range(6):
                held[0] = (await ask.rotate(made.id)).secret

        async def send() -> None:
            for _ in range(15):
                await ask.test(made.id)

        await asyncio.gather(rotate(), send(), send())
        assert len(set(held_then)) > 2
        await ask.test(made.id)
        assert held_then[-1] == held[0]
        for request in receiver.requests:  # who still holds the first secret verifies each
            Webhook(made.secret).verify(request.body, request.headers)
        Webhook(held[0]).verify(receiver.requests[-1].body, receiver.requests[-1].headers)


@pytest.mark.parametrize(
    ("reply", "delivered", "status", "answer"),
    [
        (OK, True, 200, "ok"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\nbr\xffke", False, 500, "br\ufffdke"),
        (b"", False, None, None),
    ],
)
async def test_a_test_says_what_the_receiver_answered(
    begin: Begin, own: Bus, reply: bytes, delivered: bool, status: int | None, answer: str | None
) -> None:
    await begin()
    ask = Asking(own)
    async with receiving(answering(reply, close=True)) as receiver:
        made = await ask.register(url=receiver.url)
        tested = await ask.test(made.id)
        assert (tested.delivered, tested.status, tested.answer) == (delivered, status, answer)
        assert (tested.error is None) == (status is not None)
        body = json.loads(receiver.requests[0].body)
        assert (body["event_id"], body["sequence"]) == (tested.event_id, 0)
        assert receiver.requests[0].headers["webhook-id"] == tested.event_id


async def test_an_endpoint_that_is_no_longer_allowed_is_not_posted_to(
    begin: Begin, own: Bus, plan: WebhooksPlan
) -> None:
    first = await begin()
    async with receiving() as receiver:
        made = await Asking(own).register(url=receiver.url)
        first.stop.set()
        await begin(rules=replace(plan.rules, allow=frozenset()))
        tested = await Asking(own).test(made.id)
        assert (tested.delivered, tested.error) == (False, "refused: only https is posted to")
        assert receiver.connections == 0


async def test_the_public_key_is_what_signs(begin: Begin, own: Bus) -> None:
    await begin()
    query, reply = contract.KeysQuery(), contract.KeysReply
    found = (await CommandClient(own).request("webhooks.keys", query, reply)).keys
    assert found == [core.public_key(KEY.public_key())]
    assert found[0].whpk == "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="


async def test_the_store_for_workers(begin: Begin, own: Bus, plan: WebhooksPlan) -> None:
    await begin()
    ask, documents = Asking(own), store_of(plan)
    made = await ask.register()
    (known,) = [endpoint async for endpoint in documents.every()]
    assert known.id == made.id
    with pytest.raises(ValueError, match="were not read"):
        known.live_secrets(0)
    assert await documents.set_state(made.id, "open", "5 failures in a row", among=("active",), now_ns=START)
    assert not await documents.set_state(made.id, "open", "again", among=("active",), now_ns=START)
    shown = await ask.find(made.id)
    assert (shown.state, shown.state_reason) == ("open", "5 failures in a row")
    assert (await ask.change("resume", made.id)).state_reason is None


async def test_switched_off_nothing_is_served(begin: Begin, own: Bus) -> None:
    await begin(enabled=False)
    with pytest.raises(NotReadyError):
        await Asking(own).list_of()


def test_a_rotation_never_ends_a_secret_early() -> None:
    endpoint = make_endpoint()
    for number in range(contract.MOST_SECRETS - 1):
        endpoint = core.rotate(endpoint, f"{OWN_SECRET}-{number}", 86_400, START)
    with pytest.raises(ConflictError):
        core.rotate(endpoint, OWN_SECRET, 86_400, START)
    again = core.rotate(endpoint, OWN_SECRET, 0, START)
    assert again.secrets == (EndpointSecret(OWN_SECRET),)


def test_numbers_of_registrations() -> None:
    for given, kept in ((0.1, "0.1"), ("250000.50", "250000.50"), (3, "3"), (1e14, "100000000000000.0")):
        assert registration(min_usd=given).min_usd == Decimal(kept)
        assert json.loads(registration(min_usd=given).model_dump_json())["min_usd"] == kept
    for bad in (-1, True, "x", 1e15, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="min_usd"):
            registration(min_usd=bad)
