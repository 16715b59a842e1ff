"""Parameters out of a request: query, JSON, form or multipart."""

from __future__ import annotations

import json
from typing import Any, Final, cast

from starlette.datastructures import UploadFile
from starlette.requests import Request

from bot.simulator.errors import bad_request
from bot.simulator.params import Params, Upload

LARGEST_UPLOAD: Final = 50 * 1024 * 1024


async def read_params(request: Request) -> Params:
    """Return the parameters of a request, those of its body above those of its query; 400 for a body that is none."""
    fields: dict[str, Any] = dict(request.query_params)
    files: dict[str, Upload] = {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        body = await request.body()
        try:
            given: object = json.loads(body or b"{}")
        except ValueError:
            raise bad_request("can't parse JSON object") from None
        if not isinstance(given, dict):
            raise bad_request("a JSON object is expected")
        fields |= cast("dict[str, Any]", given)
    elif kind in {"multipart/form-data", "application/x-www-form-urlencoded"}:
        async with request.form(max_part_size=LARGEST_UPLOAD) as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    files[name] = Upload(value.filename or name, await value.read())
                else:
                    fields[name] = value
    return Params(fields, files)
