"""Indodax: what the vendor's pages leave open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """The points, each with the behaviour that is assumed.

    `token_ttl_s`: seconds from the first socket on; the venue's own token ends in 2031.
    """

    token_ttl_s: float | None = None
