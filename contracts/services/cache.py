"""How what is kept of answers is named, grouped and dropped: keys, classes, and the broadcast `cache.v1.drop`. Pure.

A key names a question: `market_data:{symbol}:{type}`, `aggregated_data:{symbol}` (price), `multi_ticker:{symbol}`,
`multi_orderbook:{symbol}`; `all` stands for a question about no symbol. `.` may stand for `:`, any case will do.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.commands import Command
from contracts.errors import InvalidParameterError
from contracts.instrument import tail_symbol
from contracts.market import Nanoseconds
from contracts.services.market import MarketQuery
from contracts.services.replies.commands import COMMANDS

LIVE: Final = "live"  # answers about live data, kept by each API process
MARKET: Final = "market"  # fetched market history that still grows
MULTI: Final = "multi"  # fetched from several exchanges at once
ANALYTICS: Final = "analytics"  # figures about the use of the API
STATIC: Final = "static"  # what does not change any more
DEFAULT: Final = "default"  # all that has no class of its own: GPT_API_CACHE_TTL
PINNED: Final = "pinned"  # put by an administrator
CLASS_SECONDS: Final[Mapping[str, float]] = {LIVE: 0.25, MARKET: 30.0, MULTI: 15.0, ANALYTICS: 60.0, STATIC: 3600.0}

LONGEST_KEY: Final = 128
LONGEST_PIN: Final = 24 * 3600  # seconds
ALL: Final = "all"
_MARKET_DATA: Final = "market_data"
_OWN_PREFIXES: Final = {"price": "aggregated_data", "ticker": "multi_ticker", "multi_orderbook": "multi_orderbook"}
_VERBS_BY_PREFIX: Final = {prefix: verb for verb, prefix in _OWN_PREFIXES.items()}
_WITHOUT_SYMBOL: Final = frozenset({"symbols", "health"})
QUESTIONS: Final[Mapping[str, Command]] = {
    command.verb: command
    for command in COMMANDS
    if command.verb in _WITHOUT_SYMBOL or "symbol" in command.request.model_fields
}
_COIN_ALIASES: Final = {"BTC": "XBT", "DOGE": "XDG"}
_PAIR: Final = re.compile(r"[/:]")
_TAIL_TOKENS: Final = 4
Matches = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Question:
    """What a key stands for: the market core's verb, and the symbol as it was asked for, in capitals."""

    verb: str
    symbol: str | None

    @property
    def key(self) -> str:
        """Its key as it is written."""
        symbol = self.symbol or ALL
        prefix = _OWN_PREFIXES.get(self.verb)
        return f"{_MARKET_DATA}:{symbol}:{self.verb}" if prefix is None else f"{prefix}:{symbol}"

    @property
    def request(self) -> MarketQuery:
        """The request with nothing but the symbol: every other parameter as by default."""
        model = cast("type[MarketQuery]", QUESTIONS[self.verb].request)
        return model.model_validate({} if self.symbol is None else {"symbol": self.symbol})

    @property
    def reply(self) -> type[BaseModel]:
        """What it is answered with."""
        return QUESTIONS[self.verb].reply


def fold(key: str) -> str:
    """Return a key or pattern in the one spelling that is compared."""
    return key.strip().upper().replace(".", ":")


def question_of(verb: str, request: bytes) -> Question:
    """Return what a request asks; the parameters beside the symbol are no part of it."""
    symbol: str | None = json.loads(request or b"{}").get("symbol")
    return Question(verb, None if symbol is None else symbol.strip().upper())


def read_key(text: str) -> Question:
    """Return what a key stands for; raises InvalidParameterError where it is none."""
    prefix, _, rest = fold(text).partition(":")
    verb, symbol = _VERBS_BY_PREFIX.get(prefix.lower()), rest
    if prefix.lower() == _MARKET_DATA:
        symbol, _, last = rest.rpartition(":")
        verb = last.lower()
    question = Question(verb or "", None if verb in _WITHOUT_SYMBOL and symbol == ALL.upper() else symbol)
    if verb not in QUESTIONS or not symbol or (verb == "health" and question.symbol is not None):
        raise InvalidParameterError(
            f"{text} is no key of the cache",
            parameter="key",
            supported_keys=[
                *(f"{prefix}:{{symbol}}" for prefix in _VERBS_BY_PREFIX),
                f"{_MARKET_DATA}:{{symbol}}:{{type}}",
            ],
            supported_types=[name for name in QUESTIONS if name not in _OWN_PREFIXES],
        )
    return question


def keys_of_candles(fetched: str) -> tuple[str, ...]:
    """Return the keys that fetched candles answer, by their name in the market core (`<kind>.<instrument's tail>…`).

    Every usual spelling of their coin and pair is among them: what is dropped too much is only fetched again.
    """
    tail = fetched.split(".")[1 : 1 + _TAIL_TOKENS]
    _, symbol = tail_symbol(".".join(tail))
    base, quote, *_ = _PAIR.split(symbol)
    bases = [base, *([_COIN_ALIASES[base]] if base in _COIN_ALIASES else [])]
    pairs = [f"{name}{mark}{quote}" for name in bases for mark in ("/", "-", "_", "")]
    return tuple(Question("ohlc", name).key for name in (symbol, *bases, *pairs))


class DropRequest(BaseModel):
    """What is to be dropped everywhere: keys, or every key that a pattern with `*` fits."""

    model_config = ConfigDict(frozen=True, extra="ignore", cache_strings="keys")

    keys: tuple[Annotated[str, Field(max_length=LONGEST_KEY)], ...] = ()
    pattern: Annotated[str, Field(min_length=1, max_length=LONGEST_KEY)] | None = None

    @model_validator(mode="after")
    def check_one(self) -> DropRequest:
        """Raise where nothing, or both, is given."""
        if bool(self.keys) == (self.pattern is not None):
            raise ValueError("either keys or a pattern")
        return self

    def matcher(self) -> Matches:
        """Return what says whether a key is meant."""
        if self.pattern is None:
            wanted = {fold(key) for key in self.keys}
            return lambda key: fold(key) in wanted
        fits = re.compile(fnmatch.translate(fold(self.pattern))).match
        return lambda key: fits(fold(key)) is not None


class DropReply(BaseModel):
    """What one process dropped."""

    model_config = ConfigDict(frozen=True, extra="ignore", cache_strings="keys")

    process: Literal["api", "market"]
    dropped: Annotated[int, Field(ge=0)]


class PinnedAnswer(BaseModel):
    """An answer that an administrator put in place of the market core's, as it is in the bucket CACHE."""

    model_config = ConfigDict(frozen=True, extra="ignore", cache_strings="keys")

    key: str
    value: dict[str, Any] = Field(description="the reply of the key's command")
    since: Nanoseconds = Field(description="when it was put")
    until: Nanoseconds = Field(description="when its life ends")
