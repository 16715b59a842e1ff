"""A secret as it may go onto the bus: sealed by who was given it, opened by who uses it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class SealedText(BaseModel):
    """A secret that only a process with `APP_SECRET_KEY` opens (`runtime.vault`); nothing of it is secret as it is."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")

    key_id: str = Field(pattern=r"^[0-9a-f]{16}$", description="names the secret that it was sealed under")
    wrapped: str = Field(max_length=200, description="its own key, encrypted; base64")
    body: str = Field(max_length=4000, description="encrypted; base64")
