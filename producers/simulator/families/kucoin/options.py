"""KuCoin's products: what the vendor's pages leave open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """The points, each with the behaviour that is assumed.

    `unknown_symbol_is_error`: one unknown symbol of a batch refuses all of it.
    """

    unknown_symbol_is_error: bool = True
