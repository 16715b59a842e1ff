"""How the launcher knows that a part serves, and which ports it may give away."""

from __future__ import annotations

import asyncio
import socket
import urllib.request
from pathlib import Path

from runtime.embedded import free_port


async def file_appears(path: Path) -> None:
    """Returns when the file is there; OSError before."""
    await asyncio.to_thread(path.stat)


async def http_answers(url: str) -> None:
    """Returns when the URL answers 200; OSError (which HTTP errors are) before."""
    await asyncio.to_thread(_get, url)


def _get(url: str) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=4.0) as answer:
        if answer.status != 200:  # noqa: PLR2004  # HTTP's own number
            raise OSError(f"{url} answered {answer.status}")


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def choose_port(host: str, wanted: int, *, insist: bool) -> int:
    """The wanted port if it is free, else any free one; OSError if it is not free and no other will do."""
    if wanted and is_free(host, wanted):
        return wanted
    if insist and wanted:
        raise OSError(f"port {wanted} on {host} is taken (GPT_API_PORT asks for it)")
    return free_port()
