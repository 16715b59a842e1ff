"""Seals credentials: AES-256-GCM under a data key of their own, which is wrapped by a key made of `APP_SECRET_KEY`.

What is sealed is bound to its user, account and venue: moved to another, it does not open. A new secret is taken beside
the old ones while the vault is in use; `rewrap` brings what was sealed under an old one to the new one without opening
the credential itself. Nonces are 96 random bits, as NIST SP 800-38D asks for; the data key is used once.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from runtime.config.fields import SHORTEST_SECRET

_VERSION: Final = "1"
_SALT: Final = b"hydrophone vault"
_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32
_ID_CHARACTERS: Final = 16


class SealBrokenError(Exception):
    """What is sealed does not open: it was changed, belongs to somebody else, or its key is not known any more."""


class WeakSecretError(ValueError):
    """The secret is too short to make a key of."""


@dataclass(frozen=True, slots=True)
class Belonging:
    """Whose credential it is, and for what."""

    user: str
    account: str
    venue: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed credential as it is kept, every part as base64: nothing of it is secret."""

    key_id: str  # of the secret that wraps the data key
    wrapped: str  # nonce and data key, encrypted
    body: str  # nonce and credential, encrypted


class _Master:
    """One secret as a key. The key itself is in no repr."""

    __slots__ = ("_cipher", "id")

    def __init__(self, secret: str) -> None:
        if len(secret) < SHORTEST_SECRET:
            raise WeakSecretError(f"a secret has at least {SHORTEST_SECRET} characters")
        self.id = hashlib.sha256(_derive(secret, b"id")).hexdigest()[:_ID_CHARACTERS]
        self._cipher = AESGCM(_derive(secret, b"master"))

    def wrap(self, data_key: bytes, whose: Belonging) -> str:
        return _encrypt(self._cipher, data_key, _associated(whose, "key", self.id))

    def unwrap(self, wrapped: str, whose: Belonging) -> bytes:
        return _decrypt(self._cipher, wrapped, _associated(whose, "key", self.id))


class Vault:
    """Seals and opens credentials; seals with the newest secret, opens with every one that it has."""

    def __init__(self, secret: str, old: Iterable[str] = ()) -> None:
        masters = [_Master(text) for text in (secret, *old)]
        self._newest = masters[0]
        self._masters = {master.id: master for master in reversed(masters)}

    def __repr__(self) -> str:
        return f"Vault({len(self._masters)} keys)"

    def take(self, secret: str) -> None:
        """Seal with another secret from now on; what was sealed before still opens. WeakSecretError for a short one."""
        newest = _Master(secret)
        self._masters = {**self._masters, newest.id: newest}
        self._newest = newest

    def learn(self, secrets: Iterable[str]) -> None:
        """Open what was sealed with these secrets as well. WeakSecretError for a short one."""
        self._masters = {**{master.id: master for master in map(_Master, secrets)}, **self._masters}

    def seal(self, credential: bytes, whose: Belonging) -> Sealed:
        """Return a credential sealed; each call gives another text."""
        newest, data_key = self._newest, os.urandom(_KEY_BYTES)
        body = _encrypt(AESGCM(data_key), credential, _associated(whose, "body", ""))
        return Sealed(newest.id, newest.wrap(data_key, whose), body)

    def open(self, sealed: Sealed, whose: Belonging) -> bytes:
        """Return the credential; raises SealBrokenError, which says nothing of it."""
        data_key = self._find(sealed).unwrap(sealed.wrapped, whose)
        return _decrypt(AESGCM(data_key), sealed.body, _associated(whose, "body", ""))

    def rewrap(self, sealed: Sealed, whose: Belonging) -> Sealed | None:
        """Return it under the newest secret, None where it is already; raises SealBrokenError."""
        newest = self._newest
        if sealed.key_id == newest.id:
            return None
        data_key = self._find(sealed).unwrap(sealed.wrapped, whose)
        return Sealed(newest.id, newest.wrap(data_key, whose), sealed.body)

    def _find(self, sealed: Sealed) -> _Master:
        master = self._masters.get(sealed.key_id)
        if master is None:
            raise SealBrokenError("it was sealed under a secret that is not known any more")
        return master


def _derive(secret: str, purpose: bytes) -> bytes:
    return HKDF(SHA256(), _KEY_BYTES, _SALT, purpose).derive(secret.encode())


def _associated(whose: Belonging, part: str, key_id: str) -> bytes:
    """Return what is authenticated beside a ciphertext; lengths stand before texts, so that none runs into the next."""
    texts = (_VERSION, part, whose.user, whose.account, whose.venue, key_id)
    return b"".join(b"%d:%b|" % (len(data), data) for data in (text.encode() for text in texts))


def _encrypt(cipher: AESGCM, plain: bytes, associated: bytes) -> str:
    nonce = os.urandom(_NONCE_BYTES)
    return base64.b64encode(nonce + cipher.encrypt(nonce, plain, associated)).decode()


def _decrypt(cipher: AESGCM, text: str, associated: bytes) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
        return cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], associated)
    except (InvalidTag, ValueError):
        raise SealBrokenError("it does not open: changed, or not of this user, account and venue") from None
