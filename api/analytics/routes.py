"""`/admin/analytics/*`: the figures of the analytics consumer, and the recorded requests as a stream."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from api.http.access.keys import ADMIN
from api.http.errors import documented
from api.http.responses import Success, success
from api.http.routing import requires
from api.http.validation import check_query
from contracts.errors import DisabledError, InvalidParameterError
from contracts.services.analytics import (
    ExportQuery,
    ExportReply,
    Format,
    Realtime,
    RealtimeQuery,
    RequestRow,
    Stats,
    StatsQuery,
)
from contracts.market import as_text
from runtime.nats.command_client import CommandClient
