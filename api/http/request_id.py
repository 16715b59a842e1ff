"""The id of a request: the sender's where it is a sane one, else one of ours; it is answered, logged and audited."""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Mapping
from typing import Final

HEADER: Final = b"x-request-id"
_SANE: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_PROCESS: Final = secrets.token_hex(6)
_numbers: Final = itertools.count(1)


def request_id(headers: Mapping[bytes, bytes]) -> str:
    """Return the id of a request; no two of ours are the same."""
    given = headers.get(HEADER)
    if given is not None and _SANE.fullmatch(given):
        return given.decode("ascii")
    return f"{_PROCESS}-{next(_numbers):x}"
