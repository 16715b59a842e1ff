"""Bitfinex: what the vendor's pages leave open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """The points, each with the behaviour that is assumed.

    `error_names_request`: an error repeats the fields of the request.
    """

    error_names_request: bool = True
