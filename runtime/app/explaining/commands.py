"""The commands by which a consumer explains its rules: `cmd.v1.<consumer>.why`, `.why_not`, `.dry_run`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from faststream.nats import NatsRouter

from contracts.services.explaining import DryRunQuery, DryRunReply, Explanation, WhyNotQuery, WhyQuery
from contracts.subjects import COMMAND
from runtime.app.commands import command
from runtime.app.explaining.explainer import Explainer
from runtime.app.explaining.rule import Rule
from runtime.nats.bus import Bus

_AT_ONCE = 4  # each reads a part of a stream


def add_explaining(router: NatsRouter, consumer: str, rules: Sequence[Rule], bus: Callable[[], Bus]) -> None:
    """Let a consumer's router reply to why, why not and dry run of its rules."""
    explainer, prefix = Explainer(bus, rules), f"{COMMAND}{consumer}."

    @router.subscriber(**command(prefix + "why", consumer, at_once=_AT_ONCE))
    async def on_why(query: WhyQuery) -> Explanation:
        """Reply with what made a signal."""
        return await explainer.why(query)

    @router.subscriber(**command(prefix + "why_not", consumer, at_once=_AT_ONCE))
    async def on_why_not(query: WhyNotQuery) -> Explanation:
        """Reply with what a rule decided at a moment."""
        return await explainer.why_not(query)

    @router.subscriber(**command(prefix + "dry_run", consumer, at_once=_AT_ONCE))
    async def on_dry_run(query: DryRunQuery) -> DryRunReply:
        """Reply with how often a rule would have fired."""
        return await explainer.dry_run(query)
