"""The venues' public test networks: used where wanted, reported where there is none, and never passed off as real."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs
from websockets.asyncio.server import serve

from producers.connection.feed import Feed, FeedParts
from producers.connection.publisher import Publisher
from producers.connection.session import SessionParts
from producers.connection.socket import OPENERS
from producers.process import log_sandboxes, plans
from producers.registry import VENUES
from producers.rest.client import RestClient, open_http
from producers.rest.rate_limit import LocalRateLimit
from producers.venue import CHANNELS, ConnectionPlan, RestCall
from runtime.book.books import BookPace
from runtime.config.settings import VenueSettings
from runtime.nats.lanes.message import Parts
from tests.producers.playing import Exchange

HAVE = sorted(name for name, venue in VENUES.items() if venue.sandbox is not None)
HAVE_NONE = sorted(VENUES.keys() - set(HAVE))


def settings(**changes: Any) -> VenueSettings:
    values: dict[str, Any] = {"sandbox": True, **changes}
    return VenueSettings.model_construct(None, **values)


@pytest.mark.parametrize("name", HAVE)
def test_every_connection_goes_to_the_test_network_where_there_is_one(name: str) -> None:
    venue, [plan] = VENUES[name], plans(settings(), [name])
    assert venue.sandbox is not None
    assert (plan.ws_url, plan.rest_url, plan.sandbox) == (venue.sandbox.ws_url, venue.sandbox.rest_url, True)
    instruments = [instrument for _, instrument in Exchange(venue).instruments]
    connections = venue.plan(venue.sandbox.ws_url, instruments, CHANNELS)
    assert connections
    assert all(connection.url.startswith(venue.sandbox.ws_url) for connection in connections)
    assert venue.sandbox.ws_url != venue.ws_url
    assert venue.sandbox.rest_url != venue.rest.base_url


@pytest.mark.parametrize("name", HAVE_NONE)
def test_a_venue_without_a_test_network_is_reported_at_start_and_keeps_its_addresses(name: str) -> None:
    work = plans(settings(), [name])
    assert [(plan.ws_url, plan.rest_url, plan.sandbox) for plan in work] == [(None, None, False)]
    with capture_logs() as logs:
        log_sandboxes(work)
    [entry] = logs
    assert (entry["event"], entry["venue"], entry["log_level"]) == ("venue.no_sandbox", name, "warning")


def test_addresses_of_the_settings_win() -> None:
    [plan] = plans(settings(ws_urls={"deribit": "ws://here:1"}), ["deribit"])
    assert (plan.ws_url, plan.rest_url, plan.sandbox) == ("ws://here:1", None, False)


def test_without_the_setting_no_test_network_is_used() -> None:
    assert not any(plan.sandbox or plan.ws_url for plan in plans(settings(sandbox=False), []))


class NoLane:
    def write(self, parts: Parts) -> None: ...


async def test_what_a_test_network_sends_is_marked_as_simulated() -> None:
    venue = replace(VENUES["deribit"], policy=replace(VENUES["deribit"].policy, connect_pace=0.0))

    ready = asyncio.Event()

    async def hold(connection: Any) -> None:
        await connection.wait_closed()

    async with serve(hold, "127.0.0.1", 0) as server, open_http() as http:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        rest = RestClient(venue, None, http, LocalRateLimit(venue.rest.budget), sandbox=True)
        session = SessionParts(
            venue=venue,
            find=lambda name: venue.guess(venue.markets[0], name),
            publisher=Publisher(venue.id, NoLane(), lambda: 0),
            on_undecodable=lambda _frame, _error: None,
            pace=BookPace(),
        )
        parts = FeedParts(
            session=session,
            rest=rest,
            open_socket=OPENERS["websockets"],
            on_change=lambda _reason: ready.set(),
            sandbox=True,
        )
        feed = Feed(ConnectionPlan("one", venue.markets[0], url, (), ()), parts)
        running = asyncio.create_task(feed.run())
        await asyncio.wait_for(ready.wait(), 10)
        assert feed.session.simulated
        assert feed.session.books.simulated
        running.cancel()
        await asyncio.wait({running})


async def test_an_answer_of_a_test_network_is_marked_as_simulated() -> None:
    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    venue = VENUES["deribit"]
    async with await asyncio.start_server(respond, "127.0.0.1", 0) as server, open_http() as http:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for sandbox in (True, False):
            rest = RestClient(venue, url, http, LocalRateLimit(venue.rest.budget), sandbox=sandbox)
            assert (await rest.request(RestCall("/x"))).simulated is sandbox
