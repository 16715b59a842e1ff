"""Settings of the documents and of the directory where everything is kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from runtime.config.fields import MongoUrl
from runtime.config.settings.group import GROUP


def data_home() -> Path:
    """Where this platform keeps a user's data, with our name at the end."""
    if sys.platform == "win32":
        home = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        home = str(Path.home() / "Library" / "Application Support")
    else:
        home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(home) / "hydrophone"


class StoreSettings(BaseSettings):
    """Documents and the data directory."""

    model_config = GROUP
    url: MongoUrl | None = Field(None, validation_alias="MONGO_URL")
    data: Path = Field(default_factory=data_home, validation_alias="HYDROPHONE_DATA")
