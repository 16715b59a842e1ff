"""Settings of what is recorded of the API's use."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings

from runtime.config.fields import Count
from runtime.config.settings.group import GROUP


class AnalyticsSettings(BaseSettings):
    """Whether requests are recorded, for how long they are kept, and how they are exported."""

    model_config = GROUP
    enabled: bool = Field(default=True, validation_alias="GPT_API_ANALYTICS_ENABLED")
    retention_days: Count = Field(30, validation_alias="GPT_API_ANALYTICS_RETENTION_DAYS")
    export_format: Literal["json", "csv"] = Field("json", validation_alias="GPT_API_ANALYTICS_EXPORT_FORMAT")
