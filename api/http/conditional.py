"""What has not changed is not sent again: entity tags, and which of them a request has already. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final

# A proxy may keep it, and asks again each time, with the key of whoever asks it: nobody is served past their access.
LIVE: Final = b"public, max-age=0, must-revalidate"
NO_STORE: Final = b"no-store"
_TAG: Final = re.compile(rb'(?:W/)?("[^"]*")')


def weak_tag(texts: Iterable[bytes]) -> bytes:
    """Return the tag of an answer whose ages and time of sending are left out: they change while the data does not."""
    digest = hashlib.blake2b(digest_size=12)
    for text in texts:
        digest.update(text)
        digest.update(b"\x00")
    return b'W/"%b"' % digest.hexdigest().encode()


def is_known(if_none_match: bytes | None, tag: bytes) -> bool:
    """Return whether the tags that a request names have this one; weak and strong ones compare alike (RFC 9110)."""
    if not if_none_match:
        return False
    return if_none_match.strip() == b"*" or tag.removeprefix(b"W/") in _TAG.findall(if_none_match)
