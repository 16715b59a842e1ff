"""`python -m tests.parity`: sessions on live paper are recorded and backtested; each difference names its first event.

The sessions run the product's executor, paper venue and documents; the time is the recorded one, so that an hour takes
as long as its orders. The status is 1 where anything differs.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from time import monotonic

from runtime.servers.embedded import document_server
from runtime.store import Store
from tests.parity.session import PARAMS, compare, record


async def main(options: argparse.Namespace) -> int:
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        async with document_server(Path(folder) / "documents") as server:
            for kind in options.kinds:
                began = monotonic()
                store, path = Store(server.url, f"parity_{kind}"), options.keep or Path(folder)
                path = path / f"{kind}.jsonl"
                await record(path, kind, options.seconds, store, options.seed)
                await store.close()
                found = await compare(path)
                failed += found.difference is not None
                said = "0 differences" if found.difference is None else f"differs at {found.difference}"
                counts = f"{found.events} events, {found.decisions} decisions, {found.fills} executions"
                print(f"{kind}: {options.seconds} s, {counts}: {said} ({monotonic() - began:.1f} s)")
    return 1 if failed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.parity", description=__doc__)
    parser.add_argument("--seconds", type=int, default=3600, help="of the recorded time")
    parser.add_argument("--seed", type=int, default=3, help="of the market")
    parser.add_argument("--keep", type=Path, help="a folder that the recorded sessions are left in")
    parser.add_argument("kinds", nargs="*", default=list(PARAMS), help="which strategies")
    sys.exit(asyncio.run(main(parser.parse_args())))
