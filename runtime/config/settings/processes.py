"""Settings of any process: which parts of it run, its logs, its metrics and its traces."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from runtime.config.fields import HttpUrl, Level, Port, Words
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


class TraceSettings(BaseSettings):
    """Where spans are exported by OTLP over HTTP; without an endpoint nothing is traced."""

    model_config = GROUP
    endpoint: HttpUrl = Field("", validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    headers: SecretStr | None = Field(None, validation_alias="OTEL_EXPORTER_OTLP_HEADERS")
    ratio: Annotated[Decimal, Field(ge=0, le=1, max_digits=9)] = Field(
        Decimal("0.01"), validation_alias="HYDROPHONE_TRACE_RATIO"
    )
