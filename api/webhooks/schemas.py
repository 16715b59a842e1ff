"""What the routes of webhooks take and give; what is in `data` is the reply of the command, with numbers as numbers."""

from __future__ import annotations

from typing import Annotated, Final, Self, get_args

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.arithmetic.moments import Moment
from contracts.services.access import DAY_SECONDS, Page, PageSize
from contracts.services.webhooks.deliveries import EventSequence, Listed
from contracts.services.webhooks.endpoints import (
    Clearable,
    Description,
    EndpointChange,
    EndpointInfo,
    EndpointPage,
    EndpointShown,
    Events,
    Exchanges,
    MinUsd,
    OrderingOf,
    Overlap,
    Secret,
    Symbols,
    Url,
)
from contracts.services.webhooks.events import Number

CLEARABLE: Final[tuple[Clearable, ...]] = get_args(Clearable)
EndpointIdInPath = Annotated[
    str, Path(max_length=64, description="id of an endpoint", examples=["wh_9f86d081884c7d65"])
]
EventTypeInPath = Annotated[str, Path(max_length=32, description="a type of event that is sent")]


class Taken(BaseModel):
    """What a request may hold: nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NewEndpoint(Taken):
    """An endpoint to be registered."""

    url: Url
    events: Events
    symbols: Symbols = ()
    exchanges: Exchanges = ()
    min_usd: MinUsd | None = Field(default=None, description="only of so many US dollars, where there is a value")
    ordering: OrderingOf = "none"
    description: Description | None = None
    secret: Secret | None = Field(default=None, description="what to sign with; made where it is left out")


class ChangedEndpoint(Taken):
    """What of an endpoint is to be otherwise; what is left out stays. Null takes away what may be absent."""

    url: Url | None = None
    events: Events | None = None
    symbols: Symbols | None = Field(default=None, description="an empty list for all")
    exchanges: Exchanges | None = Field(default=None, description="an empty list for all")
    min_usd: MinUsd | None = Field(default=None, description="null for none")
    ordering: OrderingOf | None = None
    description: Description | None = Field(default=None, description="null for none")

    @model_validator(mode="after")
    def _nulls(self) -> Self:
        """Refuse null for what there has to be."""
        wrong = [name for name in self.nulls() if name not in CLEARABLE]
        if wrong:
            raise ValueError(f"{', '.join(wrong)} cannot be null")
        return self

    def nulls(self) -> list[str]:
        """Return the names of what was given as null."""
        return sorted(name for name in self.model_fields_set if getattr(self, name) is None)

    def change(self) -> EndpointChange:
        """Return what is to be otherwise."""
        return EndpointChange(**{name: getattr(self, name) for name in type(self).model_fields})

    def clear(self) -> tuple[Clearable, ...]:
        """Return what is to be taken away."""
        return tuple(name for name in CLEARABLE if name in self.nulls())


class SecretRotation(Taken):
    """How a secret is to be rotated."""

    secret: Secret | None = Field(default=None, description="the new one; made where it is left out")
    overlap_seconds: Overlap = DAY_SECONDS


class EndpointsParameters(Taken):
    """Which endpoints."""

    page: Page = 1
    page_size: PageSize = 20


class AttemptsParameters(Taken):
    """Which attempts."""

    limit: Listed = 50
    before: Moment | None = Field(default=None, description="only earlier ones than this time")


class EventsParameters(Taken):
    """Which events."""

    after: EventSequence = 0
    limit: Listed = 50


class Since(Taken):
    """From when on."""

    since: Moment = Field(description="from this time on: events are kept for 30 days")


class EndpointAnswer(EndpointInfo):
    """An endpoint: nothing of its secrets."""

    min_usd: Number | None  # pyright: ignore[reportIncompatibleVariableOverride]  # as the answer has it


class EndpointShownAnswer(EndpointShown):
    """An endpoint with its secret, this once."""

    min_usd: Number | None  # pyright: ignore[reportIncompatibleVariableOverride]  # as the answer has it


class EndpointPageAnswer(EndpointPage):
    """One page of endpoints."""

    items: list[EndpointAnswer]  # pyright: ignore[reportIncompatibleVariableOverride]  # as the answer has them
