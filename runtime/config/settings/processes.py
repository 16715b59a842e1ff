"""Settings of any process: which parts of it run, its logs and its metrics."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from runtime.config.fields import Level, Port, Words
from runtime.config.settings.group import GROUP


class PartSettings(BaseSettings):
    """What a part runs of what it could run; nothing named means all of it."""

    model_config = GROUP
    consumers: Words = Field((), validation_alias="HYDROPHONE_CONSUMERS")
    standby: str | None = Field(None, validation_alias="HYDROPHONE_STANDBY", pattern=r"^[a-z0-9-]{1,40}$")


class LogSettings(BaseSettings):
    """Logs and metrics; no directory means standard output only, port 0 means that no metrics are served."""

    model_config = GROUP
    level: Level = Field("INFO", validation_alias="HYDROPHONE_LOG_LEVEL")
    directory: Path | None = Field(None, validation_alias="HYDROPHONE_LOG_DIR")
    metrics_port: Port = Field(0, validation_alias="HYDROPHONE_METRICS_PORT")
