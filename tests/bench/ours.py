"""Our measuring process: `python -m tests.bench.ours`, asked on standard input."""

from __future__ import annotations

import logging

import structlog

from tests.bench import our_bus, our_frames
from tests.bench.worker import run


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    reading = our_bus.Reading()
    run(
        {
            "decode": our_frames.decode,
            "publish": our_frames.publish,
            "chain": our_frames.chain,
            "lane": our_bus.lane,
            "echo": our_bus.echo,
            "send": our_bus.send,
            "start_lane": reading.start_lane,
            "start_faststream": reading.start_faststream,
            "result": reading.result,
        }
    )


if __name__ == "__main__":
    main()
