"""The sections about the past measure what they say, on a real bus."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from runtime.servers.embedded import nats_server
from tests.bench import harness, past, peering
from tests.bench.harness import Setting
from tests.bench.sides.our_past import TRADES, _documents

pytestmark = pytest.mark.nats


@pytest_asyncio.fixture
async def setting(tmp_path: Path) -> AsyncGenerator[Setting]:
    """One turn on a bus of its own."""
    (tmp_path / "nats").mkdir()
    async with nats_server(tmp_path / "nats") as server:
        made = Setting(tmp_path, server.url, peering.Peers(None, (), ""), [], [], turns=1)
        yield made
        await made.close()


def test_documents_are_what_the_cache_writes_of_an_event() -> None:
    kinds = {kind: [key.partition(".")[0] for key, _ in _documents(kind, TRADES)] for kind in past.DOCUMENTS}
    assert kinds["ticker"] == ["ticker"] * TRADES
    assert kinds["book"] == ["book"] * TRADES
    assert kinds["trade"].count("trade") == TRADES
    assert kinds["trade"].count("trades_page") == (TRADES - 1) // 10


async def test_a_document_costs_the_bus_something_recorded_or_not(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "WRITES", 2000)
    monkeypatch.setattr(past, "DOCUMENTS", {"ticker": "a ticker"})
    (row,) = (await harness.run(past.recording(setting), setting)).rows
    assert row.missing() == ""
    assert (row.middle("ours") or 0) >= (row.middle("not recorded") or 0) > 0


@pytest.mark.long
@pytest.mark.timeout(180)
async def test_answers_of_moments_are_timed_beside_live_ones(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "MOMENTS", 5)
    for row in (await harness.run(past.past(setting), setting)).rows:
        assert row.missing() == ""
        assert (row.middle("ours") or 0) > 0 < (row.middle("live") or 0)
