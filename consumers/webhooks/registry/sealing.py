"""Secrets as they are kept: sealed with AES-256-GCM, each bound to its endpoint and its owner. Pure but for nonces."""

from __future__ import annotations

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PURPOSE: Final = "webhook secrets"
_FORM: Final = b"\x01"
_NONCE_BYTES: Final = 12


class UnsealableError(RuntimeError):
    """A secret was sealed with another pepper, or for another endpoint or owner."""


class Sealer:
    """Seals with one key; it is in no repr."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, secret: str, owner: str, endpoint_id: str) -> bytes:
        """Return what may be kept of a secret."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FORM + nonce + self._cipher.encrypt(nonce, secret.encode(), _bound_to(owner, endpoint_id))

    def open(self, sealed: bytes, owner: str, endpoint_id: str) -> str:
        """Return a secret; UnsealableError where it was sealed with another key or for something else."""
        nonce, rest = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            if sealed[:1] != _FORM:
                raise InvalidTag
            return self._cipher.decrypt(nonce, rest, _bound_to(owner, endpoint_id)).decode()
        except (InvalidTag, ValueError):
            raise UnsealableError(f"the secret of {endpoint_id} was sealed with another pepper") from None


def _bound_to(owner: str, endpoint_id: str) -> bytes:
    return b"\n".join((_FORM, owner.encode(), endpoint_id.encode()))
