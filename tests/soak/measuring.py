"""What the processes of one running copy take: memory and processor by part, read from Linux's /proc."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

MIB: Final = 2**20
_TICK: Final = os.sysconf("SC_CLK_TCK")
SIMULATED: Final = ("producers.simulator", "bot.simulator")  # stand for what is not ours


@dataclass
class Part:
    """Samples of one part: (seconds, bytes of memory), and the processor's seconds that it has used."""

    samples: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    used: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    def slope(self, since: float) -> float:
        """MiB an hour by least squares over the samples from `since` seconds on; 0 where there are less than three."""
        points = [(at / 3600, size / MIB) for at, size in self.samples if at >= since]
        if len(points) < 3:
            return 0.0
        middle = sum(at for at, _ in points) / len(points)
        level = sum(size for _, size in points) / len(points)
        spread = sum((at - middle) ** 2 for at, _ in points)
        return sum((at - middle) * (size - level) for at, size in points) / spread

    def cores(self, since: float) -> float:
        """Processors used from `since` seconds on, 1.0 for a whole one."""
        points = [(at, used) for at, used in self.used if at >= since]
        return (points[-1][1] - points[0][1]) / (points[-1][0] - points[0][0]) if len(points) > 1 else 0.0


def name_of(pid: int) -> str:
    """Return the part that a process is: what `-m` names, or the program."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    if "-m" in words:
        place = words.index("-m")
        return " ".join(word for word in words[place + 1 : place + 3] if word == words[place + 1] or word == "--keep")
    script = len(words) > 1 and Path(words[0]).name.startswith("python") and not words[1].startswith("-")
    return Path(words[1 if script else 0]).name or "?"


def memory_of(pid: int) -> int:
    """Return the bytes of a process, pages that it shares counted in proportion."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def used_by(pid: int) -> float:
    """Return the seconds of a processor that a process has used."""
    rest = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(rest[11]) + int(rest[12])) / _TICK


def find_parts(pids: list[int]) -> tuple[dict[str, int], dict[str, float]]:
    """Return the bytes and the processor seconds of every part that runs."""
    sizes: dict[str, int] = defaultdict(int)
    used: dict[str, float] = defaultdict(float)
    for pid in pids:
        try:
            name, size, seconds = name_of(pid), memory_of(pid), used_by(pid)
        except OSError:
            continue  # it has ended meanwhile
        sizes[name] += size
        used[name] += seconds
    return dict(sizes), dict(used)
