"""Requests and replies of `cmd.v1.webhooks.<verb>`: an owner's endpoints. A secret is shown once and kept sealed."""

from __future__ import annotations

from typing import Final, Literal

QUEUE: Final = "webhooks"
Ordering = Literal["none", "symbol"]
EndpointState = Literal["active", "paused", "open", "disabled"]
