"""A simulated exchange of many instruments: `python -m tests.bench.live.exchange COINS …`, as producers.simulator."""

from __future__ import annotations

import sys

import uvloop

from producers.simulator.__main__ import read_arguments, run
from tests.producers.bases import list_bases

if __name__ == "__main__":
    coins = list_bases(int(sys.argv[1]))
    uvloop.run(run(*read_arguments([*sys.argv[2:], "--bases", ",".join(coins)])))
