"""Reads a method's parameters, which come as JSON values or, from forms and queries, as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from bot.simulator.errors import bad_request

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a multipart request."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters by name, with the files beside them; names that nobody reads are ignored, as Telegram does."""

    fields: Mapping[str, Any]
    files: Mapping[str, Upload] = field(default_factory=dict[str, Upload])

    def text(self, name: str) -> str | None:
        """Return a text; None where it is missing."""
        value = self.fields.get(name)
        return None if value is None else str(value)

    def integer(self, name: str) -> int | None:
        """Return a whole number; 400 where it is none."""
        value = self.fields.get(name)
        if value is None or value == "":
            return None
        try:
            return int(value)
        except (TypeError, ValueError):
            raise bad_request(f"parameter {name} must be an integer") from None

    def need_integer(self, name: str) -> int:
        """Return a whole number; 400 where it is missing."""
        value = self.integer(name)
        if value is None:
            raise bad_request(f"parameter {name} is required")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return whether it is true: true, `true`, `1` or `yes`."""
        value = self.fields.get(name)
        return default if value is None else str(value).lower() in {"true", "1", "yes"}

    def data(self, name: str) -> Any:
        """Return a JSON value; text is read as JSON, 400 where it is none."""
        value = self.fields.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {name} JSON object") from None

    def object(self, name: str) -> Json | None:
        """Return a JSON object; 400 where it is something else."""
        value = self.data(name)
        if value is None or isinstance(value, dict):
            return cast("Json | None", value)
        raise bad_request(f"can't parse {name}: an object is expected")

    def upload(self, name: str) -> Upload | str | None:
        """Return an uploaded file, or the text that stands for one: a file id, a URL."""
        if name in self.files:
            return self.files[name]
        value = self.text(name)
        return self.attached(value) if value else None

    def attached(self, value: str) -> Upload | str:
        """Return the file that `attach://<name>` names; any other text as it is."""
        if not value.startswith("attach://"):
            return value
        found = self.files.get(value.removeprefix("attach://"))
        if found is None:
            raise bad_request("there is no file with the name that was attached")
        return found
