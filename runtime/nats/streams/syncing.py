"""Whether servers sync each write to disk before they acknowledge it, as their monitoring endpoints say."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Iterable
from typing import cast


async def syncs_always(monitor_urls: Iterable[str]) -> bool:
    """Whether every server says so at its monitoring endpoint; OSError when one does not answer, False for none."""
    answers = [await asyncio.to_thread(_find_sync, url) for url in monitor_urls]
    return bool(answers) and all(answers)


def _find_sync(url: str) -> bool:
    with urllib.request.urlopen(f"{url.rstrip('/')}/jsz", timeout=5.0) as response:  # noqa: S310  # the operator's URL
        answer = cast("dict[str, dict[str, object] | None]", json.load(response))
    return (answer.get("config") or {}).get("sync_always") is True
