"""How the launcher knows that a part serves, and which ports it may give away."""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import tempfile
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from runtime.servers.embedded import free_port


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


@contextmanager
def reserved(port: int) -> Generator[bool]:
    """Whether no other starting copy has this port in mind; if so it is ours while the block lasts."""
    name = f"hydrophone-{os.getuid()}-{port}.port"
    lock = os.open(Path(tempfile.gettempdir()) / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(lock)


def choose_port(host: str, wanted: int, *, setting: str, insist: bool, mine: bool = True) -> int:
    """The wanted port if it is free and `mine` to take, else any free one; OSError where no other will do.

    `setting`: what asks for it, for the error.
    """
    if wanted and mine and is_free(host, wanted):
        return wanted
    if insist and wanted:
        raise OSError(f"port {wanted} on {host} is taken ({setting} asks for it)")
    return free_port()
