"""Runs checks together, each with its own limit of time; one that does not end, or breaks off, is a finding itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from deploy.doctor.faults import Finding, find
from runtime import clock

LIMIT_SECONDS: Final = 6.0
_log = structlog.get_logger("doctor")


@dataclass(frozen=True, slots=True)
class Check:
    """One look: `run` returns what is wrong; `limit` in seconds."""

    name: str
    run: Callable[[], Awaitable[list[Finding]]]
    limit: float = LIMIT_SECONDS


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at, what is wrong, how many checks came to an end, and seconds that it took."""

    target: str
    checks: tuple[str, ...]
    ended: int
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def status(self) -> int:
        """The exit code: 0 nothing is wrong, 1 something is, 2 nothing could be looked at."""
        if not self.ended:
            return 2
        return 1 if self.findings else 0


async def run_checks(target: str, checks: Sequence[Check]) -> Report:
    """Run every check at the same time and return what they found, in their order."""
    began = clock.monotonic()
    results = await asyncio.gather(*(_run(check) for check in checks))
    findings = [finding for _, found in results for finding in found]
    ended = sum(ended for ended, _ in results)
    names = tuple(check.name for check in checks)
    return Report(target, names, ended, tuple(dict.fromkeys(findings)), clock.monotonic() - began)


async def _run(check: Check) -> tuple[bool, list[Finding]]:
    try:
        async with asyncio.timeout(check.limit):
            return True, await check.run()
    except TimeoutError:
        what = f"not done within {check.limit:g} s"
        return False, [find("check_timed_out", check.name, what, name=check.name)]
    except Exception as error:  # noqa: BLE001  # whatever a broken system makes of a check: the others go on, and it is said
        _log.exception("doctor.check_failed", check=check.name)
        what = f"{type(error).__name__}: {str(error)[:200]}"
        return False, [find("check_failed", check.name, what, name=check.name)]
