"""Signs requests to Indodax: HMAC-SHA512 of the text that is sent, byte for byte. Pure.

https://github.com/btcid/indodax-official-api-docs/blob/master/Private-RestAPI.md#signed-trade-and-user_data-endpoint-security

A request says when it was made and how long it may be on its way, in place of a nonce: the venue refuses it after that,
so that what was not answered cannot be acted on later, and processes of one account need not count together.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

WINDOW_MS: Final = 5000  # how long a request may be on its way


def write(fields: Mapping[str, str], timestamp_ms: int) -> str:
    """Return the text that is signed and sent, as a form's body and as a query: the fields, then when they are sent."""
    return urlencode({**fields, "timestamp": str(timestamp_ms), "recvWindow": str(WINDOW_MS)})


def sign(secret: str, text: str) -> str:
    """Return the signature of a text, in hexadecimal."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha512).hexdigest()
