"""What `/api/v2` answers beside resources: pages of a list, deeds without a resource, and errors."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.services.access import Page, PageSize

T = TypeVar("T")


class PaginationParams(BaseModel):
    """Which page of a list."""

    model_config = ConfigDict(frozen=True, extra="forbid", cache_strings="keys")

    page: Page = 1
    page_size: PageSize = 20


class PaginatedResponse(BaseModel, Generic[T]):
    """One page of a list."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")

    items: list[T]
    total: int = Field(description="entries of all pages")
    page: int
    page_size: int
    pages: int


class SuccessResponse(BaseModel):
    """It was done, and there is no resource to show."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")

    success: Literal[True] = True
    message: str = Field(examples=["The group was deleted"])


class ErrorResponse(BaseModel):
    """Why it was not done."""

    model_config = ConfigDict(frozen=True, extra="ignore", cache_strings="keys")

    error: Annotated[str, Field(description="a code of the closed list", examples=["NOT_FOUND"])]
    detail: str
    timestamp: AwareDatetime
    fields: dict[str, str] | None = Field(default=None, description="what is wrong with which field, where it is one")


def pages_of(total: int, page_size: int) -> int:
    """Return how many pages a list has."""
    return -(-total // page_size)
