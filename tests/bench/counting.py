"""Instructions instead of CPU time: sides run under callgrind, which a busy machine does not change. Optional.

Needs valgrind with its headers and a C compiler. A side starts uncounted (and ten times slower than alone), and is
counted (fifty times slower) from its first figure on, so that imports and seeding are no part of a count.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parent / "sides" / "counter.c"
SLOWER = 30.0  # how much longer a side may take for an answer


@dataclass(frozen=True, slots=True)
class Counting:
    """How a side is started so that it counts; `keep`: its last counts by function stay in `dumps`."""

    library: Path
    dumps: Path
    keep: bool = False

    def command(self, name: str, command: tuple[str, ...]) -> tuple[str, ...]:
        """`command` under callgrind; the worker finds the counter in its environment."""
        out = f"--callgrind-out-file={self.out(name)}"
        return ("valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", out, *command)

    def environment(self, name: str) -> dict[str, str]:
        return {
            "BENCH_COUNTER": str(self.library),
            "BENCH_DUMPS": str(self.out(name)),
            "BENCH_KEEP": "1" if self.keep else "",
        }

    def out(self, name: str) -> Path:
        return self.dumps / f"callgrind.{name}"


async def prepare(work: Path, *, keep: bool = False) -> Counting | str:
    """Compile the counter into `work`; why not, where valgrind or a compiler is missing."""
    compiler = shutil.which("cc")
    if shutil.which("valgrind") is None or compiler is None:
        return "no instructions: valgrind or a C compiler is missing (apt-get install valgrind gcc)"
    library, dumps = work / "counter.so", work / "callgrind"
    shutil.rmtree(dumps, ignore_errors=True)
    dumps.mkdir(parents=True)
    made = await asyncio.create_subprocess_exec(
        compiler, "-shared", "-fPIC", "-O1", str(SOURCE), "-o", str(library), stderr=subprocess.PIPE
    )
    _, errors = await made.communicate()
    if made.returncode:
        return f"no instructions: the counter could not be compiled: {errors.decode(errors='replace').strip()[-200:]}"
    return Counting(library, dumps, keep)
