"""Queues what is wanted of Telegram, for its gateway to carry out."""

from __future__ import annotations

from typing import Final

from contracts import streams
from contracts.services.telegram.jobs import TelegramJob
from contracts.subjects import HEADER_MESSAGE_ID
from runtime import retry
from runtime.nats.bus import Bus
from runtime.tracing.tracing import current_headers

_POLICY: Final = retry.Policy(timeout=5.0)


async def publish_job(bus: Bus, job: TelegramJob) -> None:
    """Queue a job; nats.errors.Error where the stream does not take it in time. The same id is stored once."""
    headers = {HEADER_MESSAGE_ID: job.message_id, **(current_headers() if bus.tracing.on else {})}
    body = job.model_dump_json().encode()
    await bus.publish_acked(job.subject, body, headers=headers, stream=streams.JOBS, policy=_POLICY)
