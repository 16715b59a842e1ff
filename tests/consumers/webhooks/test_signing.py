"""Signatures: the vectors of both schemes, the key bytes of each kind of secret, and the oracle's library."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from consumers.webhooks.signing import SecretError, SigningKeys, key_bytes, sign

VECTORS = json.loads((Path(__file__).parents[3] / "examples/webhooks/vectors.json").read_text())
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PLAIN = "a secret of 28 characters: ü"
bodies = st.text().map(lambda text: json.dumps({"text": text}, ensure_ascii=False).encode("utf-8", "replace"))


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_vectors(vector: dict[str, Any]) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(VECTORS["ed25519_seed_hex"]))
    headers = sign(
        vector["body"].encode(), vector["id"], vector["timestamp"], SigningKeys(tuple(vector["secrets"]), key)
    )
    assert headers == vector["headers"]


def test_the_vector_of_the_standard_itself() -> None:
    headers = sign(b'{"test": 2432232314}', "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, SigningKeys((SECRET,)))
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(bodies)
def test_the_library_accepts_each_live_secret(body: bytes) -> None:
    headers = sign(body, "evt_1", int(time.time()), SigningKeys((SECRET, PLAIN), Ed25519PrivateKey.generate()))
    for key in (SECRET, PLAIN.encode()):
        assert Webhook(key).verify(body, headers) == json.loads(body)


@given(bodies)
def test_the_older_check_accepts_the_whole_secret_string(body: bytes) -> None:
    for secret in (SECRET, PLAIN):
        header = sign(body, "evt_1", 1, SigningKeys((secret,)))["X-Webhook-Signature"]
        assert header == "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_our_own_key_signs_the_same_bytes() -> None:
    key = Ed25519PrivateKey.generate()
    headers = sign(b"{}", "evt_1", 17, SigningKeys((SECRET,), key))
    _, _, signature = headers["webhook-signature"].partition(" v1a,")
    key.public_key().verify(base64.b64decode(signature), b"evt_1.17.{}")


def test_key_bytes() -> None:
    assert key_bytes(SECRET) == base64.b64decode(SECRET[6:])
    assert key_bytes("0123456789abcdef") == b"0123456789abcdef"
    assert key_bytes("üüüüüüüüüüüüüüüü") == "üüüüüüüüüüüüüüüü".encode()


@pytest.mark.parametrize(
    "secret",
    [
        *("", "0123456789abcde", "üüüüüüüü", "x" * 257),
        *("whsec_", "whsec_short", "whsec_MfKQ9r8G!KYqrTwjUPD8ILPZIo2LaLaSw"),
        "whsec_" + base64.b64encode(b"x" * 15).decode(),
    ],
)
def test_what_is_no_secret_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(SecretError) as raised:
        key_bytes(secret)
    assert not secret or secret.removeprefix("whsec_") not in str(raised.value) or secret == "whsec_"


def test_secrets_are_in_no_repr() -> None:
    assert SECRET not in repr(SigningKeys((SECRET,), Ed25519PrivateKey.generate()))
