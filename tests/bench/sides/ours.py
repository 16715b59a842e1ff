"""Our measuring process: asked on standard input.

`python -m tests.bench.sides.ours [http | hooks | python]`: `http` for what the API does, `hooks` for webhooks, `python`
without the compiled parts.
"""

from __future__ import annotations

import logging
import sys

import structlog

from runtime.app.entry import freeze_imports
from tests.bench.sides.worker import Handler, run

COMPILED = (
    "contracts.compiled.decimals",
    "producers.normalize.compiled.writing",
    "runtime.book.compiled.book_side",
    "runtime.nats.lanes.compiled.framing",
    "runtime.seen.compiled.seen_ids",
)


def main(about: list[str]) -> None:
    if about == ["http"]:
        from tests.bench.sides import our_http, our_past  # noqa: PLC0415 - the API's imports are no part of the others

        freeze_imports()  # as every entry of ours does
        names = ("get_raw", "get_fastapi", "fan_out", "fan_out_starlette")
        served: dict[str, Handler] = {name: getattr(our_http, name) for name in names}
        run({**served, "find_past": our_past.find_past, "record": our_past.record})
        return
    if about == ["hooks"]:
        from tests.bench.sides import our_deliveries, our_hooks  # noqa: PLC0415 - nor are those of the webhooks

        freeze_imports()
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
        names = ("post_bare", "post_signed", "post_httpx", "post_aiohttp")
        posts: dict[str, Handler] = {name: getattr(our_hooks, name) for name in names}
        run({**posts, "deliver": our_deliveries.deliver, "delay": our_deliveries.delay})
        return
    if about == ["python"]:
        sys.modules.update(dict.fromkeys(COMPILED))  # type: ignore[arg-type]
    from tests.bench.sides import our_books, our_bus, our_frames  # noqa: PLC0415 - only now is it known what they may use

    freeze_imports()  # as every entry of ours does
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    run(
        {
            "decode": our_frames.decode,
            "publish": our_frames.publish,
            "fold": our_books.fold,
            "snapshot": our_books.snapshot,
            "second": our_books.second,
            "memory": our_books.memory,
            "chain": our_frames.chain,
            "lane": our_bus.lane,
            "echo": our_bus.echo,
            "consume": our_bus.consume,
            "consume_faststream": our_bus.consume_faststream,
        }
    )


if __name__ == "__main__":
    main(sys.argv[1:])
