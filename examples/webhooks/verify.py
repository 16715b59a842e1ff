"""Checks that a webhook comes from Hydrophone. Copy this file: it needs nothing but Python.

    verify(body, headers, secret)          # Standard Webhooks: raises VerificationError, or returns the event
    verify_older(body, headers, secret)    # X-Webhook-Signature: sha256=…

`body` are the bytes as they came: JSON that was read and written again has other bytes. `secret` is what the
registration answered, the whole of it; while a secret rotates, pass both.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

TOLERANCE_SECONDS = 300  # how old, or how far ahead, a request may be


class VerificationError(Exception):
    """It does not come from whoever knows the secret, or it is too old."""


def key_bytes(secret: str) -> bytes:
    """`whsec_<base64>` decoded; any other secret as UTF-8."""
    if secret.startswith("whsec_"):
        return base64.b64decode(secret[len("whsec_") :], validate=True)
    return secret.encode()


def verify(body: bytes, headers: Mapping[str, str], *secrets: str, now: float | None = None) -> Any:
    """Return the event; raise VerificationError."""
    found = {name.lower(): value for name, value in headers.items()}
    try:
        name, stamp, signatures = (found[f"webhook-{part}"] for part in ("id", "timestamp", "signature"))
    except KeyError as error:
        raise VerificationError(f"the header {error} is missing") from None
    if not stamp.isascii() or not stamp.isdigit():
        raise VerificationError("webhook-timestamp is no number of seconds")
    if abs((time.time() if now is None else now) - int(stamp)) > TOLERANCE_SECONDS:
        raise VerificationError("webhook-timestamp is too far from now")
    signed = f"{name}.{stamp}.".encode() + body
    expected = [base64.b64encode(hmac.digest(key_bytes(secret), signed, "sha256")).decode() for secret in secrets]
    given = [text[len("v1,") :] for text in signatures.split(" ") if text.startswith("v1,")]
    if not _any_equal(given, expected):
        raise VerificationError("no signature fits")
    return json.loads(body)


def verify_older(body: bytes, headers: Mapping[str, str], *secrets: str) -> Any:
    """The older scheme, without a time: keep the `event_id`s that you have seen. Return the event; raise."""
    found = {name.lower(): value for name, value in headers.items()}
    expected = [f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}" for secret in secrets]
    if not _any_equal([found.get("x-webhook-signature", "")], expected):
        raise VerificationError("X-Webhook-Signature does not fit")
    return json.loads(body)


def _any_equal(given: Iterable[str], expected: Iterable[str]) -> bool:
    """Compare each with each, in a time that says nothing of where they differ."""
    found, known = False, [text.encode() for text in expected]
    for text in given:
        for one in known:
            found |= hmac.compare_digest(text.encode(), one)
    return found
