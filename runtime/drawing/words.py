"""The words of a picture, for those who say what is drawn without drawing it. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """What stands in a picture: its head, the names of its axes, and a mark across it where it is not live."""

    head: str
    upper: str
    lower: str
    mark: str = ""
