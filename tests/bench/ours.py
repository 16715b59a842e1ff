"""Our measuring process: `python -m tests.bench.ours`, asked on standard input."""

from __future__ import annotations

import logging

import structlog

from tests.bench import our_bus, our_frames
from tests.bench.worker import run


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    run(
        {
            "decode": our_frames.decode,
            "publish": our_frames.publish,
            "fold": our_frames.fold,
            "snapshot": our_frames.snapshot,
            "chain": our_frames.chain,
            "lane": our_bus.lane,
            "echo": our_bus.echo,
            "consume": our_bus.consume,
            "consume_faststream": our_bus.consume_faststream,
        }
    )


if __name__ == "__main__":
    main()
