"""What a log line may not carry: secrets are taken out of finished text, keys appear partially."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, cast

SHOWN_CHARACTERS: Final = 4
_SHORTEST_KNOWN_SECRET: Final = 6
_SECRET_NAME: Final = re.compile(
    r"(?i)(?:^|[_-])(?:authorization|cookie|credentials?|key|passphrase|password|secret|seed|signature|token)s?$"
)
_PLAIN_KEYS: Final = frozenset({"kv_key", "state_key", "partition_key", "key_prefix", "partial_key"})
# Each takes time in proportion to the text, whatever the text is: errors carry what strangers wrote.
_URL_USER: Final = re.compile(r"(?<=[A-Za-z0-9+.-])://[^\s/@'\"]+@")
_BEARER: Final = re.compile(r"(?i)\b(?P<word>bearer|basic)\s+(?P<value>[^\s,;'\"]+)")
_PAIR: Final = re.compile(
    r"(?i)(?P<name>(?:api[_-]?key|token|secret|password|passphrase|signature|seed))"
    r"(?P<sign>['\"]?\s*[=:]\s*['\"]?)(?P<value>[^\s&,;'\"})\]]+)"
)
_BOT_TOKEN: Final = re.compile(r"\b(?P<value>\d{6,12}:[A-Za-z0-9_-]{30,})")

_MAY_HOLD_ONE: Final = re.compile(r"[:=\s]")  # each of the four above needs one of these

Redactor = Callable[[object], object]
TextRedactor = Callable[[str, str], str]
_REMEMBERED_NAMES: Final = 1024


def partial(key: str) -> str:
    """A key as a log may show it: its first four characters, or none of a short one."""
    return f"{key[:SHOWN_CHARACTERS]}…" if len(key) >= 3 * SHOWN_CHARACTERS else "…"


def redact_text(text: str, known: Iterable[str] = ()) -> str:
    """The text without URL credentials, bearer tokens, `token=…` pairs, bot tokens and the secrets known by value."""
    for secret in known:
        text = text.replace(secret, partial(secret))
    if _MAY_HOLD_ONE.search(text) is None:
        return text
    text = _URL_USER.sub("://***@", text)
    text = _BEARER.sub(lambda m: f"{m['word']} {partial(m['value'])}", text)
    text = _PAIR.sub(lambda m: f"{m['name']}{m['sign']}{partial(m['value'])}", text)
    return _BOT_TOKEN.sub(lambda m: partial(m["value"]), text)


@lru_cache(maxsize=_REMEMBERED_NAMES)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None and name not in _PLAIN_KEYS


def _known(secrets: Iterable[str]) -> list[str]:
    return sorted({secret for secret in secrets if len(secret) >= _SHORTEST_KNOWN_SECRET}, key=len, reverse=True)


def text_redactor(secrets: Iterable[str] = ()) -> TextRedactor:
    """A function that redacts a text under its name, as `redactor` does in a mapping."""
    known = _known(secrets)

    def redact(name: str, text: str) -> str:
        return partial(text) if _is_secret(name) else redact_text(text, known)

    return redact


def redactor(secrets: Iterable[str] = ()) -> Redactor:
    """A function that redacts any value; secrets of at least six characters are found wherever they stand."""
    known = _known(secrets)

    def redact(value: object) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            entries = cast("Mapping[object, object]", value)
            return {str(name): _entry(str(name), entry) for name, entry in entries.items()}
        if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes):
            return [redact(entry) for entry in cast("Sequence[object]", value)]
        return redact_text(value if isinstance(value, str) else repr(value), known)

    def _entry(name: str, value: object) -> object:
        if isinstance(value, str) and _is_secret(name):
            return partial(value)
        return redact(value)

    return redact
