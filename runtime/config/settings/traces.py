"""Settings of traces: where spans go, and of how much they are."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from runtime.config.fields import HttpUrl
from runtime.config.settings.group import GROUP


class TraceSettings(BaseSettings):
    """Where spans are exported by OTLP over HTTP; without an endpoint nothing is traced."""

    model_config = GROUP
    endpoint: HttpUrl = Field("", validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    headers: SecretStr | None = Field(None, validation_alias="OTEL_EXPORTER_OTLP_HEADERS")
    ratio: Annotated[Decimal, Field(ge=0, le=1, max_digits=9)] = Field(
        Decimal("0.01"), validation_alias="HYDROPHONE_TRACE_RATIO"
    )
