"""How execution serves its commands: their subjects, and what fails below them said as NotReadyError."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import structlog
from nats.errors import Error as NatsError

from consumers.execution.ports import ChangedElsewhereError, UnclearError
from contracts import subjects
from contracts.errors import NotReadyError
from contracts.services.trading.orders import QUEUE
from runtime.app.commands import CommandArguments, command
from runtime.store import StoreError

_log = structlog.get_logger("execution")


def trading_command(verb: str) -> CommandArguments:
    """Return what a handler of `cmd.v1.trading.<verb>` subscribes with."""
    return command(subjects.TRADING_COMMAND + verb, QUEUE)


@asynccontextmanager
async def reachable() -> AsyncGenerator[None]:
    """Raise NotReadyError where documents, the bus or a venue fail: what is written down is gone on with."""
    try:
        yield
    except UnclearError as error:
        raise NotReadyError(f"The exchange gave no clear answer: {error}", waiting_for=["exchange"]) from None
    except (StoreError, NatsError, ChangedElsewhereError) as error:
        _log.warning("execution.failed", error=str(error) or type(error).__name__)
        raise NotReadyError("It is not known how far it went: look at the orders", waiting_for=["trading"]) from None
