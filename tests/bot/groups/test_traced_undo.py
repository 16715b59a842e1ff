"""An undo that was asked for elsewhere is carried out on the trace of who asked."""

from __future__ import annotations

import asyncio
import json

import pytest
from opentelemetry.trace import SpanKind

from runtime.servers.embedded import NatsServer
from tests.bot.groups.stage import SECONDS, staged
from tests.bot.groups.test_undo import made_rule, muted
from tests.recording import ids, parent_ids, recording

pytestmark = [pytest.mark.nats, pytest.mark.timeout(120)]


async def test_what_undoes_is_on_the_trace_of_who_asked(groups_nats: NatsServer, documents_url: str) -> None:
    (asking, asked), (lifting, lifted) = recording(1.0, "community"), recording(0.0, "bot")
    async with staged(groups_nats, documents_url, asking) as stage, stage.bot(lifting):
        group = await stage.group()
        await muted(group, 2, await made_rule(group, "no ads"))
        wanted = [one["id"] for one in await group.log(kind="mute")]
        request = {"group_id": group.group_id, "caller": {"actor": "key:1"}}
        request |= {"undo": {"ids": wanted, "moderator_id": group.owner}, "lift": True}
        with asking.beginning("POST undo", kind=SpanKind.SERVER):
            await stage.bus.request("cmd.v1.community.undo_actions", json.dumps(request).encode(), SECONDS)
        async with asyncio.timeout(SECONDS):
            while not any(span.name == "undo actions" for span in lifted.get_finished_spans()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    spans = [*asked.get_finished_spans(), *lifted.get_finished_spans()]
    (root,) = (span for span in spans if span.name == "POST undo")
    (undo_span,) = (span for span in spans if span.name == "undo actions")
    of_trace = {ids(span): span for span in spans if ids(span)[0] == ids(root)[0]}
    assert ids(undo_span) in of_trace
    sent = [span for span in of_trace.values() if span.name == "send restrictChatMember"]
    assert len(sent) == 2  # what Telegram was asked for is under it
    for span in sent:
        above = parent_ids(span)
        while above is not None and of_trace[above] is not undo_span:
            above = parent_ids(of_trace[above])
        assert above is not None
