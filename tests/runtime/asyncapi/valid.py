"""Whether a document is AsyncAPI 3.0, by the schema of AsyncAPI itself (NOTICE)."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import jsonschema

SCHEMA = json.loads(gzip.decompress((Path(__file__).parent / "3.0.0-without-id.json.gz").read_bytes()))
_validator: Any = jsonschema.Draft7Validator(SCHEMA)


def list_faults(document: dict[str, Any]) -> list[str]:
    """List what is no AsyncAPI; empty for a valid document."""
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in _validator.iter_errors(document)]
