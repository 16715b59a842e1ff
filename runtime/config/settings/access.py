"""Settings of the key store."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings

from runtime.config.fields import Pepper
from runtime.config.settings.group import GROUP


class AccessSettings(BaseSettings):
    """What the HMACs of keys are made with; where it is not set, a file of the data directory has it."""

    model_config = GROUP
    key_pepper: Pepper | None = Field(None, validation_alias="HYDROPHONE_KEY_PEPPER")
