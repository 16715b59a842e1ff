"""Facts and bodies: the fields of the schemas, the digits of the bus, ids that are functions of what they name."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from itertools import permutations
from typing import Any

import jsonschema
import msgspec
import pytest

from consumers.webhooks.matching.reading import STREAMS
from consumers.webhooks.payloads.body import digest_fact, event_id, make_body, message_fact
from consumers.webhooks.payloads.facts import NO_SOURCES, Sources, fact_of, order_fact
from contracts.arithmetic.usd import UsdRates
from contracts.codec import EVENTS
from contracts.services.webhooks.events import DATA, EVENT_TYPES, schema_of
from contracts.streams import SIGNALS, TRADING
from tests.consumers.webhooks.events import (
    START,
    make_alert,
    make_cluster,
    make_feed_status,
    make_liquidation,
    make_order,
    make_storm,
    make_whale,
)

ENDPOINT = "wh_00112233445566ff"
MADE = {
    "whale": lambda: fact(make_whale()),
    "liquidation": lambda: fact(make_liquidation()),
    "price_alert": lambda: fact(make_alert()),
    "storm": lambda: fact(make_storm()),
    "cluster": lambda: fact(make_cluster()),
    "feed_status": lambda: fact(make_feed_status()),
    "order": lambda: order_fact(make_order()),
}


def fact(event: Any) -> Any:
    made = fact_of(event)
    assert made is not None
    return made


def body_of(made: Any) -> tuple[bytes, dict[str, Any]]:
    body = make_body(event_id(ENDPOINT, made.source_id), made, 17)
    return body, json.loads(body, parse_float=Decimal)


def validate(parsed: dict[str, Any]) -> None:
    schema = schema_of(parsed["event_type"])
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(parsed, schema, jsonschema.Draft202012Validator)


@pytest.mark.parametrize("event_type", MADE)
def test_each_event_has_exactly_the_fields_of_its_schema(event_type: str) -> None:
    _, parsed = body_of(MADE[event_type]())
    validate(parsed)
    assert list(parsed) == ["event_id", "event_type", "symbol", "timestamp", "sequence", "sim", "data"]
    assert (parsed["event_type"], parsed["sequence"], parsed["timestamp"]) == (
        event_type,
        17,
        "2026-01-01T12:00:00.125Z",
    )
    assert list(parsed["data"]) == [field.alias or name for name, field in DATA[event_type].model_fields.items()]


@pytest.mark.parametrize("event_type", DATA)
def test_a_schema_refuses_a_body_that_lacks_a_field(event_type: str) -> None:
    schema = schema_of(event_type)
    assert set(schema["required"]) == {"event_id", "event_type", "symbol", "timestamp", "sequence", "sim", "data"}
    assert set(schema["properties"]["data"]["required"]) == set(schema["properties"]["data"]["properties"])


def test_numbers_keep_every_digit() -> None:
    body, parsed = body_of(fact(make_whale()))
    assert b'"amount":12.50000000000000000001,"price":91000.10,"usd_value":1137501.25000000000000000091' in body
    assert parsed["symbol"] == "BTC"


def test_a_liquidation_is_valued_to_the_cent_or_not_at_all() -> None:
    _, parsed = body_of(fact(make_liquidation()))
    assert parsed["data"]["usd_value"] == Decimal("120601.00")  # 60000.5 x 2.010 = 120601.005, half to even
    unknown = fact(make_liquidation(symbol="BTC/EUR:EUR"))
    assert unknown.usd_value is None
    validate(body_of(unknown)[1])
    rates = UsdRates()
    rates.on_price("EUR", "USD", "1.1", START)
    valued = fact_of(make_liquidation(symbol="BTC/EUR:EUR"), Sources(rates))
    assert valued is not None
    assert valued.usd_value == Decimal("132661.11")
    assert fact(make_liquidation(amount=None)).usd_value is None


def test_a_price_alert_is_its_owners_and_only_where_that_one_wants_it() -> None:
    made = fact_of(make_alert(), Sources(public_url="https://hydrophone.example"))
    assert made is not None
    assert made.owner == "alice"
    assert b'"why_url":"https://hydrophone.example/api/alerts/al_1/why?at=2026-01-01T12:00:00.125Z"' in made.data
    assert b'"past_url":"https://hydrophone.example/?as_of=2026-01-01T12:00:00.125Z&symbol=BTC"' in made.data
    assert fact_of(make_alert(webhooks=False)) is None
    assert fact_of(make_alert(alert="whale", owner=None, rule_id=None)) is None


def test_what_webhooks_do_not_send_is_none() -> None:
    class Other:
        kind = "trade"

    assert fact_of(Other()) is None
    assert {"whale", "liquidation", "storm", "cluster", "feed"} <= set(EVENTS)


def test_an_event_id_is_a_function_of_endpoint_and_event() -> None:
    ids = {event_id(endpoint, source) for endpoint in ("wh_a", "wh_b") for source in ("1", "2")}
    assert len(ids) == 4
    assert event_id("wh_a", "1") == "evt_" + hashlib.sha256(b"wh_a\n1").hexdigest()[:32]


def test_a_digest_stands_for_all_and_shows_the_largest() -> None:
    facts = [
        fact(make_whale(id=f"w{number}", usd_value=f"{number}000000.10", ts_event=START + number))
        for number in range(12)
    ]
    digest = digest_fact(facts)
    assert digest == digest_fact(facts[::-1])
    _, parsed = body_of(digest)
    validate(parsed)
    data = parsed["data"]
    assert (data["event_type"], data["count"], data["usd_value"]) == ("whale", 12, Decimal("66000001.20"))
    assert [one["data"]["transaction_id"] for one in data["largest"]] == [f"w{number}" for number in range(11, 1, -1)]
    assert digest_fact(facts[:3]).source_id != digest_fact(facts[:4]).source_id
    with pytest.raises(ValueError, match="one event type"):
        digest_fact([facts[0], fact(make_liquidation())])


def test_a_feed_status_says_which_connection_it_is_about() -> None:
    for connection in ("public.0:00000001", None):
        _, parsed = body_of(fact(make_feed_status(connection=connection)))
        validate(parsed)
        assert parsed["data"]["connection"] == connection


def test_a_digest_of_what_has_no_value_shows_the_newest() -> None:
    facts = [
        fact(make_feed_status(id=f"f{number}", ts_event=START + number, reason=str(number))) for number in range(3)
    ]
    for order in permutations(facts):
        _, parsed = body_of(digest_fact(order))
        validate(parsed)
        assert parsed["data"]["usd_value"] is None
        assert [one["data"]["reason"] for one in parsed["data"]["largest"]] == ["2", "1", "0"]


@pytest.mark.parametrize("event_type", ["test", "endpoint.disabled"])
def test_messages_about_the_endpoint(event_type: Any) -> None:
    _, parsed = body_of(message_fact(event_type, "s", START, 'says "so"'))
    validate(parsed)
    assert parsed["symbol"] is None


def test_every_event_type_that_is_sent_is_made_here() -> None:
    assert set(EVENT_TYPES) == set(MADE)


def test_a_stream_is_one_row_that_decodes_its_messages_and_makes_their_facts() -> None:
    rows = {row.stream: row for row in STREAMS}
    assert len(rows) == len(STREAMS)
    messages = (
        (TRADING, make_order().subject, make_order().model_dump_json().encode(), MADE["order"]()),
        (SIGNALS, "signal.v1.whale.binance.BTC.USDT.spot", msgspec.json.encode(make_whale()), MADE["whale"]()),
    )
    for stream, subject, body, made in messages:
        row = rows[stream]
        assert row.make_fact(row.decode(subject, body), NO_SOURCES) == made
