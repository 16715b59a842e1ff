"""Posts one event to an endpoint: the one way out, of deliveries and of tests alike."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consumers.webhooks.registry.endpoint import Endpoint
from consumers.webhooks.signing import SigningKeys, sign
from consumers.webhooks.transport import Answer, Transport
from contracts.subjects import HEADER_TRACE

_SECOND_NS: Final = 1_000_000_000


class Poster:
    """Signs again for each attempt, with every secret that is alive and with our own key, and posts."""

    def __init__(self, transport: Transport, key: Ed25519PrivateKey | None) -> None:
        self._transport, self._key = transport, key

    async def post(
        self, endpoint: Endpoint, event_id: str, body: bytes, now_ns: int, *, trace: str | None = None
    ) -> Answer:
        """Return the answer; `trace` is the `traceparent` of a sampled event.

        Raises RefusedAddressError, which is final, and DeliveryError.
        """
        keys = SigningKeys(endpoint.live_secrets(now_ns), self._key)
        headers = sign(body, event_id, now_ns // _SECOND_NS, keys)
        if trace is not None:
            headers = {**headers, HEADER_TRACE: trace}
        return await self._transport.post(endpoint.url, body, headers)
