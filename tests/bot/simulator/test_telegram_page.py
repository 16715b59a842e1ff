"""docs/TELEGRAM.md: what its examples ask of the test server is asked, and what they show is what comes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.simulator.web.app import serving
from bot.simulator.web.testing import DEEDS
from bot.simulator.world import Options

PAGE = (Path(__file__).parents[3] / "docs" / "TELEGRAM.md").read_text()
EXAMPLE = re.compile(r"^(GET|POST) (\S+) ?(\{.*\})?\n([\[{].*)$", re.MULTILINE)


def holds(found: Any, shown: Any) -> bool:
    """Whether what was found has all that is shown, and lists no more and no less."""
    if isinstance(shown, dict):
        return isinstance(found, dict) and all(key in found and holds(found[key], shown[key]) for key in shown)
    if isinstance(shown, list):
        return len(found) == len(shown) and all(map(holds, found, shown))
    return found == shown


@pytest.mark.docs
async def test_the_examples_are_true() -> None:
    blocks = re.findall(r"```http\n(.*?)```", PAGE, re.DOTALL)
    steps = [match.groups() for block in blocks for match in EXAMPLE.finditer(block)]
    assert len(steps) * 2 == sum(len(block.splitlines()) for block in blocks)
    async with serving(Options()) as (_, url), httpx.AsyncClient(base_url=url) as client:
        for method, path, body, shown in steps:
            answer = await client.request(method, path, json=json.loads(body) if body else None)
            assert holds(answer.json(), json.loads(shown)), (path, body, answer.json())


@pytest.mark.docs
def test_every_deed_is_on_the_page() -> None:
    assert [deed for deed in (*DEEDS, "fail", "settings", "sent", "breaches", "chats") if deed not in PAGE] == []
