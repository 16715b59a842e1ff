"""`/api/trading/signals`: signed signals from outside, for the strategies that they name."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Request, Response

from api.trading.sending import ACCEPTED, ROUTER, Commands, answer, failures
from contracts.errors import InvalidParameterError
from contracts.services.trading import strategies
from contracts.services.trading.strategy_events import MOST_SIGNAL_BYTES

router: Final = APIRouter(**ROUTER)
_HEX: Final = re.compile(r"[0-9a-f]{64}")
_MAC_BYTES: Final = 32
SignalId = Annotated[
    str | None, Header(alias="webhook-id", max_length=64, description="names the signal: each is taken once")
]
SignedAt = Annotated[
    str | None, Header(alias="webhook-timestamp", max_length=16, description="seconds since 1970; good for 60 s")
]
Signature = Annotated[
    str | None,
    Header(
        alias="webhook-signature",
        max_length=1024,
        description="`v1,<base64>`, or hexadecimal digits: HMAC-SHA256 of `<id>.<timestamp>.<body>`",
    ),
]


class SignalHeaders:
    """What a signal is signed with; InvalidParameterError where one of it is missing."""

    def __init__(self, named: SignalId = None, signed_at: SignedAt = None, signature: Signature = None) -> None:
        given = {"webhook-id": named, "webhook-timestamp": signed_at, "webhook-signature": signature}
        missing = next((header for header, value in given.items() if not value), None)
        if missing is not None:
            raise InvalidParameterError(f"{missing} is missing", parameter=missing)
        self.named, self.signed_at, self.signature = named or "", signed_at or "", signature or ""


@router.post(
    "/signals",
    operation_id="takeSignal",
    status_code=ACCEPTED,
    response_model=strategies.SignalTaken,
    responses=failures(404, 409, 413),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "properties": {"strategy": {"type": "string"}},
                        "required": ["strategy"],
                    },
                    "example": {"strategy": "5d41402abc4b2a76", "side": "buy"},
                }
            },
        }
    },
)
async def signal(request: Request, commands: Commands, headers: Annotated[SignalHeaders, Depends()]) -> Response:
    """Hand a signed signal to the strategy that its body names.

    The body is signed as it is, as webhooks are: `webhook-id`, `webhook-timestamp` and `webhook-signature`.
    """
    taken = strategies.TakeSignal(
        id=_signal_id(headers.named),
        timestamp=_seconds(headers.signed_at),
        signature=read_signature(headers.signature),
        body=await _body(request),
    )
    found = await commands.send("strategies.signal", taken, strategies.SignalTaken)
    return answer(found, ACCEPTED).as_response()


def read_signature(text: str) -> str:
    """Return a signature as hexadecimal digits; InvalidParameterError for what is none."""
    for part in text.split():
        if _HEX.fullmatch(digits := part.removeprefix("sha256=")):
            return digits
        try:
            mac = base64.b64decode(part.removeprefix("v1,"), validate=True)
        except binascii.Error:
            continue
        if part.startswith("v1,") and len(mac) == _MAC_BYTES:
            return mac.hex()
    raise InvalidParameterError("It is no `v1,<base64>` of HMAC-SHA256", parameter="webhook-signature")


def _signal_id(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text) is None:
        raise InvalidParameterError("webhook-id has 1 to 64 letters, digits, - and _", parameter="webhook-id")
    return text


def _seconds(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,10}", text) is None:
        raise InvalidParameterError("webhook-timestamp is seconds since 1970", parameter="webhook-timestamp")
    return int(text)


async def _body(request: Request) -> str:
    body = await request.body()
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise InvalidParameterError("A signal is text", parameter="body") from None
    if len(body) > MOST_SIGNAL_BYTES:
        raise InvalidParameterError(f"A signal has at most {MOST_SIGNAL_BYTES} bytes", parameter="body")
    return text
