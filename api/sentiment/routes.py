"""`POST /api/sentiment/analyze`: sends a text to the market core and answers with its reply."""

from __future__ import annotations

import json
from typing import Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ConfigDict
from pydantic.config import JsonDict

from api.http.access.keys import MARKET_READ
from api.http.errors import PlainFailure, documented
from api.http.routing import requires
from api.http.validation import check_query
from api.market import formats
from api.market.answers import MarketAnswers, MarketRequest
from contracts.services.sentiment import SentimentQuery, SentimentReply
from runtime.clients.market_client import encode_query

router: Final = APIRouter(
    prefix="/api/sentiment",
    tags=["sentiment"],
    dependencies=[requires(MARKET_READ), Depends(check_query)],
    responses=documented(400, 401, 403, 429, 500, 503, 504, model=PlainFailure),
)
_ASKED: Final[JsonDict] = {"text": "Exchange reserves of Bitcoin fall to the lowest level since 2018"}
_ANSWERED: Final[JsonDict] = json.loads(
    '{"sentiment":"Bullish","confidence":0.92,"keywords":[{"word":"Exchange reserves","weight":0.381},'
    '{"word":"fall","weight":0.375}],"language":"en","timestamp":"2026-01-01T12:00:00Z"}'
)


class SentimentBody(SentimentQuery, extra="forbid"):
    """The body of `/api/sentiment/analyze`."""

    model_config = ConfigDict(json_schema_extra={"example": _ASKED})


class SentimentAnswer(SentimentReply):
    """The answer of `/api/sentiment/analyze`."""

    model_config = ConfigDict(json_schema_extra={"example": _ANSWERED})


@router.post("/analyze", operation_id="analyzeSentiment", response_model=SentimentAnswer)
async def analyze(body: SentimentBody, request: Request) -> Response:
    """Tone of a text: bullish, bearish or neutral.

    English and Indonesian, 1 to 5000 characters. `keywords` are the words that decided, as they stand in the text:
    below 0 bearish, above 0 bullish.
    """
    answers: MarketAnswers = request.app.state.market
    asked = MarketRequest("sentiment", encode_query(body), formats.bare)
    return (await answers.request(asked, request.scope["hydrophone.now_ns"])).as_response()
