"""The command line of `python -m runtime.doctor`: what to look at, how it is printed, the exit code."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Final

import httpx

from deploy.datadir import read_run
from deploy.doctor.checks import Checks, Connection
from deploy.doctor.faults import Finding
from deploy.doctor.judging import judge_settings
from deploy.doctor.looking.outside import REQUEST_SECONDS
from deploy.doctor.running import Report, run_checks
from deploy.doctor.target import Target, find_target
from runtime.config.settings import Settings, SettingsError, load
from runtime.logging.logs import LogConfig, configure

_DESCRIPTION: Final = """Names what is wrong with a running copy (run.json in the data directory), else with the system
of the settings (NATS_URL), else with this machine, each with its fix. Nothing is changed.
Exit code: 0 nothing is wrong, 1 something is, 2 it cannot be looked at."""


def parse(argv: list[str]) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m runtime.doctor", description=_DESCRIPTION)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--data", type=Path, metavar="DIR", help="the data directory, in place of HYDROPHONE_DATA")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Look and print; the exit code."""
    given = parse(argv)
    try:
        settings = load()
    except SettingsError as error:
        report = Report("settings", ("settings",), 1, tuple(judge_settings(error.problems, ())), 0.0)
        _print(report, as_json=given.json)
        return report.status
    configure(LogConfig(part="doctor", level="CRITICAL", secrets=settings.secrets()), sys.stderr)
    data = (given.data or settings.store.data).expanduser().absolute()
    try:
        target = find_target(settings, data, read_run(data))
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"{data / 'run.json'} cannot be read: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    report = asyncio.run(examine(target, settings))
    _print(report, as_json=given.json)
    return report.status


async def examine(target: Target, settings: Settings) -> Report:
    """Run every check of a target."""
    connection = None if target.bus is None else Connection(target.bus)
    timeout = httpx.Timeout(REQUEST_SECONDS)
    async with (
        httpx.AsyncClient(timeout=timeout, follow_redirects=False) as http,
        httpx.AsyncClient(timeout=timeout, trust_env=False) as near,
    ):
        try:
            return await run_checks(target.name, Checks(target, settings, http, near, connection).list())
        finally:
            if connection is not None:
                await connection.close()


def _print(report: Report, *, as_json: bool) -> None:
    if as_json:
        found = [finding.json() for finding in report.findings]
        facts = {"target": report.target, "checks": list(report.checks), "seconds": round(report.seconds, 2)}
        print(json.dumps({**facts, "findings": found}, indent=2, ensure_ascii=False))
        return
    print(f"looked at {report.target}: {', '.join(report.checks)} ({report.seconds:.1f} s)")
    for finding in report.findings:
        print("\n".join(describe(finding)))
    print(f"{len(report.findings)} findings" if report.findings else "nothing is wrong")


def describe(finding: Finding) -> tuple[str, ...]:
    """Return a finding in lines."""
    return (
        f"✗ {finding.where}: {finding.what} [{finding.code}]",
        f"    because of it: {finding.why}",
        f"    fix: {finding.fix}",
    )
