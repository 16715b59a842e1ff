"""What the processes of one running copy take: memory and processor by part, read from Linux's /proc."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

MIB: Final = 2**20
_TICK: Final = os.sysconf("SC_CLK_TCK")
SIMULATED: Final = ("producers.simulator", "bot.simulator")  # stand for what is not ours


class Slope(NamedTuple):
    """MiB an hour, and how far off that may be: the standard error of what does not lie on one line."""

    mib: float
    error: float

    def is_from(self, bar: float) -> bool:
        """Whether it is at or above a bar by more than its noise, twice the standard error."""
        return self.mib - 2 * self.error >= bar

    def __str__(self) -> str:
        return f"{self.mib:+.2f} ±{2 * self.error:.2f}"


@dataclass
class Part:
    """Samples of one part, each with its second: bytes of memory, those of its own, processor seconds used so far."""

    samples: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    own: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    used: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    def lows(self, since: float) -> list[tuple[float, int]]:
        """Return the least of its own memory in each minute from `since` seconds on: garbage is no growth."""
        least: dict[int, tuple[float, int]] = {}
        for at, size in self.own:
            minute = int(at // 60)
            if at >= since and (minute not in least or size < least[minute][1]):
                least[minute] = at, size
        return list(least.values())

    def slope(self, since: float) -> Slope:
        """By least squares over the least of each minute; 0 where there are less than three."""
        points = [(at / 3600, size / MIB) for at, size in self.lows(since)]
        if len(points) < 3:
            return Slope(0.0, 0.0)
        middle = sum(at for at, _ in points) / len(points)
        level = sum(size for _, size in points) / len(points)
        spread = sum((at - middle) ** 2 for at, _ in points)
        slope = sum((at - middle) * (size - level) for at, size in points) / spread
        rest = sum((size - level - slope * (at - middle)) ** 2 for at, size in points)
        return Slope(slope, (rest / (len(points) - 2) / spread) ** 0.5)

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


def memory_of(pid: int) -> tuple[int, int]:
    """Return the bytes of a process: all, pages that it shares counted in proportion, and those of no file."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    found = {line.partition(":")[0]: line.split()[1] for line in lines if line.endswith("kB")}
    return int(found.get("Pss", 0)) * 1024, int(found.get("Pss_Anon", 0)) * 1024


def used_by(pid: int) -> float:
    """Return the seconds of a processor that a process has used."""
    rest = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(rest[11]) + int(rest[12])) / _TICK


@dataclass
class Taken:
    """What a part takes at a moment: bytes as `memory_of` says, and the seconds of a processor so far."""

    size: int = 0
    own: int = 0
    used: float = 0.0


def find_parts(pids: list[int]) -> dict[str, Taken]:
    """Return what every part takes that runs."""
    found: dict[str, Taken] = defaultdict(Taken)
    for pid in pids:
        try:
            name, (size, own), seconds = name_of(pid), memory_of(pid), used_by(pid)
        except OSError:
            continue  # it has ended meanwhile
        part = found[name]
        part.size, part.own, part.used = part.size + size, part.own + own, part.used + seconds
    return dict(found)
