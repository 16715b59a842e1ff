"""Windows of a document each: whoever counts at once with others is counted in one order, from the very first on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from consumers.community.moderation.evaluate import EVERYBODY, Asked
from consumers.community.store.windows import Windows
from contracts.services.community.rules import Seen
from runtime.store import Store
from tests.consumers.community.conftest import own_database

pytestmark = pytest.mark.timeout(120)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
MOST = 5


async def test_who_joins_at_once_is_counted_in_one_order_and_the_one_who_reaches_the_limit_has_all_before(
    documents_url: str,
) -> None:
    windows = Windows(Store(own_database(documents_url)))
    for turn in range(3):
        asked = Asked((f"rule{turn}", EVERYBODY), 60, MOST)
        counted = await asyncio.gather(
            *(windows.count([asked], Seen(at=NOW, user_id=user, kind="join")) for user in range(1, 41))
        )
        counts = sorted(one.count(asked.key, 0, 60) for one in counted)
        assert counts == [*range(1, 2 * MOST), *[2 * MOST] * (41 - 2 * MOST)]
        limit = next(one.users(asked.key[0]) for one in counted if one.count(asked.key, 0, 60) == MOST)
        below = [user for user, one in enumerate(counted, 1) if one.count(asked.key, 0, 60) < MOST]
        assert set(below) < set(limit)
