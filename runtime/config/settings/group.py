"""How every group of settings is read: by its names only, an empty value is none, and no value in an error."""

from __future__ import annotations

from typing import Final

from pydantic_settings import SettingsConfigDict

GROUP: Final = SettingsConfigDict(
    frozen=True, extra="ignore", case_sensitive=True, env_ignore_empty=True, hide_input_in_errors=True
)
