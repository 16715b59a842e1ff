"""Our measuring process: `python -m tests.bench.ours [http]`, asked on standard input; `http` for what the API does."""

from __future__ import annotations

import logging
import sys

import structlog

from tests.bench import our_bus, our_frames
from tests.bench.worker import run


def main(about: list[str]) -> None:
    if about == ["http"]:
        from tests.bench import our_http  # noqa: PLC0415 - the API's imports are no part of the other measurements

        names = ("get_raw", "get_fastapi", "fan_out", "fan_out_starlette")
        run({name: getattr(our_http, name) for name in names})
        return
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
    main(sys.argv[1:])
