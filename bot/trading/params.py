"""What people write of a strategy: `grid BTC/USDT lower=60000 upper=70000 …`, or its params one by one. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from bot.commands.alert_arguments import read_price, read_span

_SPACINGS: Final = {
    "arithmetic": "arithmetic",
    "aritmetik": "arithmetic",
    "geometric": "geometric",
    "geometrik": "geometric",
}
_KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_ORDER: Final = re.compile(r"[0-9a-f]{16}")
_WHOLE: Final = frozenset({"levels", "count", "interval_seconds"})
SKIP: Final = "-"
QUESTIONS: Final[Mapping[str, tuple[str, ...]]] = {  # what each kind is asked for, in order
    "dca": ("amount", "interval_seconds", "take_profit_percent", "stop_percent"),
    "grid": ("lower", "upper", "levels", "amount"),
    "tpsl": ("amount", "take_profit", "stop_percent"),
}
OPTIONAL: Final = frozenset({"take_profit_percent", "stop_percent"})
_OF_SAFETY: Final = {"safety_count": "count", "safety_step": "step_percent", "safety_scale": "volume_scale"}


@dataclass(frozen=True, slots=True)
class Written:
    """A strategy as it was written; `account` None where none was named."""

    kind: str
    symbol: str
    params: dict[str, Any] = field(default_factory=dict[str, Any])
    account: str | None = None


def read_strategy(words: Sequence[str]) -> Written | None:
    """Return the strategy of a line; None where it is none."""
    if len(words) < 2 or _KIND.fullmatch(words[0].lower()) is None:  # noqa: PLR2004  # kind and symbol
        return None
    given: dict[str, str] = {}
    account: str | None = None
    for word in words[2:]:
        name, is_param, value = word.partition("=")
        if is_param:
            given[name.lower()] = value
        elif account is None:
            account = word.lower()
        else:
            return None
    kind = words[0].lower()
    params = read_params(kind, given)
    return None if params is None else Written(kind, words[1].upper(), params, account)


def read_params(kind: str, given: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the params of a kind from what was written of each; None where one cannot be read."""
    params: dict[str, Any] = {"spacing": "arithmetic"} if kind == "grid" else {}
    safety: dict[str, Any] = {}
    for name, text in given.items():
        if text == SKIP:
            continue
        value = read_param(name, text)
        if value is None:
            return None
        if name in _OF_SAFETY:
            safety[_OF_SAFETY[name]] = int(value) if name == "safety_count" else value
        else:
            params[name] = value
    return params | ({"safety_orders": safety} if safety else {})


def read_param(name: str, text: str) -> Any:
    """Return one param as the contract has it; None where it is none."""
    if name == "spacing":
        return _SPACINGS.get(text.lower())
    if name == "order_id":
        return text if _ORDER.fullmatch(text) else None
    if name == "take_profit":
        return _steps(text)
    span = read_span(text) if name == "interval_seconds" else None
    figure = str(span) if span is not None else read_price(text)
    if figure is None or (name in _WHOLE and not figure.isdigit()):
        return None
    return int(figure) if name in _WHOLE else figure


def _steps(text: str) -> list[dict[str, str]] | None:
    """Return the steps of `5:50,10:50`, percent and share; one step without a share sells all."""
    found: list[dict[str, str]] = []
    for part in text.split(","):
        percent, _, share = part.partition(":")
        figures = read_price(percent), read_price(share or "100")
        if figures[0] is None or figures[1] is None:
            return None
        found.append({"percent": figures[0], "share": figures[1]})
    return found


def lines_of(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return each param with what it says, nested ones by their names."""
    found: list[tuple[str, str]] = []
    for name, value in params.items():
        if isinstance(value, Mapping):
            inner = cast("Mapping[str, Any]", value)
            found += [(f"{name}.{part}", said) for part, said in lines_of(inner)]
        elif isinstance(value, list):
            steps = cast("list[dict[str, str]]", value)
            found.append((name, ", ".join(f"{step['percent']}%:{step['share']}%" for step in steps)))
        elif value is not None:
            found.append((name, str(value)))
    return found
