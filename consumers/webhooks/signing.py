"""The headers that prove who sent a body: Standard Webhooks 1.0 (`v1`, `v1a`), and the older `sha256=`. Pure.

Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PREFIX: Final = "whsec_"
SHORTEST_SECRET: Final = 16  # characters, or decoded bytes of one with the prefix
LONGEST_SECRET: Final = 256
ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"
OLDER_SIGNATURE: Final = "X-Webhook-Signature"


class SecretError(ValueError):
    """A secret cannot be used; the text says why, and holds nothing of it."""


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The live secrets of an endpoint, the newest first, at least one; and our own key for `v1a`, if any."""

    secrets: tuple[str, ...] = field(repr=False)
    ed25519: Ed25519PrivateKey | None = field(default=None, repr=False)


def key_bytes(secret: str) -> bytes:
    """Return the key of `v1`: `whsec_<base64>` decoded, any other secret as its UTF-8 bytes. Raises SecretError."""
    if len(secret) > LONGEST_SECRET:
        raise SecretError(f"a secret has at most {LONGEST_SECRET} characters")
    if not secret.startswith(PREFIX):
        if len(secret) < SHORTEST_SECRET:
            raise SecretError(f"a secret has at least {SHORTEST_SECRET} characters")
        return secret.encode()
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise SecretError(f"what follows {PREFIX} must be base64") from None
    if len(key) < SHORTEST_SECRET:
        raise SecretError(f"what follows {PREFIX} must decode to at least {SHORTEST_SECRET} bytes")
    return key


def sign(body: bytes, event_id: str, at: int, keys: SigningKeys) -> dict[str, str]:
    """Return the headers of one attempt at `at` (seconds UTC), over the exact bytes of the body.

    `webhook-signature` has a `v1` for each live secret, so that a receiver may change over while they overlap.
    `X-Webhook-Signature` has room for one: that of the newest.
    """
    signed = b"%s.%d.%s" % (event_id.encode(), at, body)
    signatures = [f"v1,{_base64(_mac(_standard(secret), signed).digest())}" for secret in keys.secrets]
    if keys.ed25519 is not None:
        signatures.append(f"v1a,{_base64(keys.ed25519.sign(signed))}")
    return {
        ID: event_id,
        TIMESTAMP: str(at),
        SIGNATURE: " ".join(signatures),
        OLDER_SIGNATURE: f"sha256={_mac(_older(keys.secrets[0]), body).hexdigest()}",
    }


@lru_cache(1024)
def _standard(secret: str) -> hmac.HMAC:
    """Return what `v1` is made with, once for many posts; unlike `hmac.digest` it never lets go of the interpreter."""
    return hmac.new(key_bytes(secret), digestmod="sha256")


@lru_cache(1024)
def _older(secret: str) -> hmac.HMAC:
    return hmac.new(secret.encode(), digestmod="sha256")


def _mac(keyed: hmac.HMAC, data: bytes) -> hmac.HMAC:
    mac = keyed.copy()
    mac.update(data)
    return mac


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
