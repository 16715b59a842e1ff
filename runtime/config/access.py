"""Settings of the key store."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from runtime.config.fields import Pepper


class AccessSettings(BaseSettings):
    """What the HMACs of keys are made with; where it is not set, a file of the data directory has it."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", case_sensitive=True, env_ignore_empty=True, hide_input_in_errors=True
    )
    key_pepper: Pepper | None = Field(None, validation_alias="HYDROPHONE_KEY_PEPPER")
