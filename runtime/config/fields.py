"""The kinds of value a setting can have: lists, addresses, URLs, secrets, each with its rule in words."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

_WORD = re.compile(r"^[a-z0-9]+$")
SHORTEST_PEPPER = 16
SHORTEST_SECRET = 32
SIGNING_KEY_PREFIX = "whsk_"
_BOT_TOKEN = re.compile(r"\d{3,20}:[A-Za-z0-9_-]{10,100}")
_BASE = re.compile(r"^[^\s,]+$")


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(part for part in (piece.strip() for piece in value.split(",")) if part)


def _url(*schemes: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not value:
            return value
        try:
            parts = urlsplit(value)
            ok = parts.scheme in schemes and bool(parts.netloc)
        except ValueError:
            ok = False
        if not ok:
            raise ValueError(f"must be a URL that begins with {' or '.join(f'{s}://' for s in schemes)}")
        return value

    return check


def _secret_urls(separator: str | None, *schemes: str) -> Callable[[SecretStr], SecretStr]:
    check = _url(*schemes)

    def check_each(value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        for part in text.split(separator) if separator else [text]:
            check(part.strip())
        return value

    return check_each


def _network(value: str) -> str:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise ValueError(
            "each entry must be an IPv4 or IPv6 address or a network like 10.0.0.0/8; one is neither"
        ) from None
    return value


def _origin(value: str) -> str:
    if value != "*" and not re.fullmatch(r"https?://[^/\s]+", value):
        raise ValueError("each origin must be * or like https://example.org, without a path")
    return value


def _venue(value: str) -> str:
    if not _WORD.fullmatch(value):
        raise ValueError("each venue must be a CCXT id in lower-case letters and digits, like binanceusdm")
    return value


def _symbol(value: str) -> str:
    if not _BASE.fullmatch(value):
        raise ValueError("each symbol must be a coin like BTC or a pair like BTC/USDT, without blanks")
    return value


def _readable(value: Path | None) -> Path | None:
    if value is not None and not value.is_file():
        raise ValueError("must name a file that exists")
    return value


def _api_key(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]+", value.get_secret_value()):
        raise ValueError("each key must be printable ASCII without blanks")
    return value


def _bot_token(value: SecretStr) -> SecretStr:
    if not _BOT_TOKEN.fullmatch(value.get_secret_value()):
        raise ValueError("must be a bot's token as BotFather gives it: digits, a colon, letters")
    return value


def _pepper(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < SHORTEST_PEPPER:
        raise ValueError(f"must have at least {SHORTEST_PEPPER} characters")
    return value


def _app_secret(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < SHORTEST_SECRET:
        raise ValueError(f"must have at least {SHORTEST_SECRET} characters")
    return value


def _signing_key(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    try:
        raw = base64.b64decode(text.removeprefix(SIGNING_KEY_PREFIX), validate=True)
    except ValueError:
        raw = b""
    if not text.startswith(SIGNING_KEY_PREFIX) or len(raw) not in (32, 64):
        raise ValueError(f"must be {SIGNING_KEY_PREFIX} and the base64 of an Ed25519 key (its 32 bytes, or 64)")
    return value


def _host(value: str) -> str:
    if not re.fullmatch(r"(\[[0-9a-f:.]+\]|[0-9a-f:]*::[0-9a-f:.]*|[a-z0-9._-]+)(:[0-9]{1,5})?", value.lower()):
        raise ValueError("each entry must be a host, or a host and a port, like 127.0.0.1:9000 or receiver.internal")
    return value.lower()


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], NoDecode, BeforeValidator(_split)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode, BeforeValidator(_split)]
Venues = Annotated[
    tuple[Annotated[str, AfterValidator(_venue)], ...], NoDecode, BeforeValidator(_split), Field(min_length=1)
]
Symbols = Annotated[
    tuple[Annotated[str, AfterValidator(_symbol)], ...], NoDecode, BeforeValidator(_split), Field(min_length=1)
]
Keys = Annotated[tuple[Annotated[SecretStr, AfterValidator(_api_key)], ...], NoDecode, BeforeValidator(_split)]
Hosts = Annotated[tuple[Annotated[str, AfterValidator(_host)], ...], NoDecode, BeforeValidator(_split)]
SigningKey = Annotated[SecretStr, AfterValidator(_signing_key)]
BotToken = Annotated[SecretStr, AfterValidator(_bot_token)]
AppSecret = Annotated[SecretStr, AfterValidator(_app_secret)]
AppSecrets = Annotated[tuple[AppSecret, ...], NoDecode, BeforeValidator(_split)]
Pepper = Annotated[SecretStr, AfterValidator(_pepper)]
SocketUrl = Annotated[str, AfterValidator(_url("ws", "wss"))]
HttpUrl = Annotated[str, AfterValidator(_url("http", "https"))]
HttpUrls = Annotated[tuple[HttpUrl, ...], NoDecode, BeforeValidator(_split)]
NatsUrl = Annotated[SecretStr, AfterValidator(_secret_urls(",", "nats", "tls", "ws", "wss"))]
MongoUrl = Annotated[SecretStr, AfterValidator(_secret_urls(None, "mongodb", "mongodb+srv"))]
ExistingFile = Annotated[Path | None, AfterValidator(_readable)]
Port = Annotated[int, Field(ge=0, le=65535)]
Ports = Annotated[
    tuple[Annotated[int, Field(ge=1, le=65535)], ...], NoDecode, BeforeValidator(_split), Field(min_length=1)
]
Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[int, Field(ge=0)]
Share = Annotated[Decimal, Field(ge=0, lt=1, max_digits=9)]
Usd = Annotated[Decimal, Field(gt=0)]
Positive = Annotated[Decimal, Field(gt=0, max_digits=18)]
Level = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
    BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value),
]
