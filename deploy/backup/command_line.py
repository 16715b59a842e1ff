"""The command line of `python -m deploy.backup`: what is saved or restored, where, and how it ended."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Final, get_args

from nats.errors import Error as NatsError

from deploy.backup.archive import open_archive
from deploy.backup.commands import COMMANDS, count_held
from deploy.backup.manifest import ArchiveError, Mode
from deploy.backup.places import NoServersError
from deploy.backup.restoring import NotEmptyError
from deploy.datadir import NoDirectoryError
from runtime.config.settings import SettingsError, load
from runtime.logging.logs import LogConfig, configure
from runtime.nats.bus import NoAnswerError
from runtime.nats.streams.api import ApiRefusalError
from runtime.servers.child import ServerNotReadyError
from runtime.store import StoreError

_DESCRIPTION: Final = """Saves streams, buckets and documents into one directory while they are in use, and restores
them. Of the running copy (run.json in the data directory), else of the servers of the settings (NATS_URL, MONGO_URL),
else of the files in the data directory.
Exit code: 0 it is done, 1 it is not and nothing of it stays, 2 wrong arguments."""
_REFUSALS: Final = (
    *(ArchiveError, NoServersError, NotEmptyError, NoDirectoryError, SettingsError, ServerNotReadyError),
    *(ApiRefusalError, NoAnswerError, NatsError, StoreError, OSError, ValueError),
)
_INTERRUPTED: Final = 130


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m deploy.backup", description=_DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="save|restore|check|export|import")
    save = commands.add_parser("save", help="streams, buckets and documents into a new directory")
    save.add_argument(
        "--with-keys", action="store_true", help="the master keys too: who has the archive has everything"
    )
    save.add_argument("--without", action="append", default=[], metavar="STREAM", help="leave a stream out")
    restore = commands.add_parser("restore", help="make all of it again, in servers that hold nothing")
    restore.add_argument("--other-keys", action="store_true", help="although the master keys are other ones here")
    export = commands.add_parser("export", help="documents only")
    loading = commands.add_parser("import", help="the documents of an archive into a store that holds nothing")
    for one in (save, export):
        one.add_argument(
            "--to", type=Path, required=True, metavar="DIR", help="the archive's name; nothing may be there"
        )
    for one in (restore, loading):
        one.add_argument("--from", dest="source", type=Path, required=True, metavar="DIR", help="an archive")
        one.add_argument("--replace", action="store_true", help="what is there is deleted")
    for one in (save, export, restore, loading):
        one.add_argument("--data", type=Path, metavar="DIR", help="the data directory, in place of HYDROPHONE_DATA")
        one.add_argument("--mode", choices=get_args(Mode), help="whose files in it: make demo's or make run's")
    check = commands.add_parser("check", help="compare an archive with its checksums")
    check.add_argument("source", type=Path, metavar="DIR")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Do it, a line for each part; the exit code."""
    given = parse(argv)
    try:
        if given.command == "check":
            return _check(given.source)
        settings = load()
        configure(LogConfig(part="backup", level="CRITICAL", secrets=settings.secrets()), sys.stderr)
        data = (given.data or settings.store.data).expanduser().absolute()
        return asyncio.run(until_interrupted(COMMANDS[given.command](given, settings, data)))
    except _REFUSALS as error:
        print(describe(error), file=sys.stderr)
        return 1


def describe(error: BaseException) -> str:
    """An error in words for who typed the command."""
    if isinstance(error, StoreError):
        return f"the document store: {str(error).split(', Timeout')[0]}"
    return str(error) or type(error).__name__


async def until_interrupted(work: Coroutine[None, None, None]) -> int:
    """Run it until it is done, 0, or a signal ends it as an error would, 130: nothing half done stays."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        print("interrupted: nothing of it stays", file=sys.stderr)
        return _INTERRUPTED
    return 0


def _check(source: Path) -> int:
    manifest = open_archive(source)
    print(f"{source} is whole: {count_held(manifest)}, made {manifest.began_at} to {manifest.ended_at}")
    return 0
