"""Replies of the market core as documents whose numbers keep every digit, for faces that take them apart."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from pydantic import BaseModel, ValidationError

from api.market import formats
from contracts.errors import InvalidParameterError
from contracts.services.market import MarketQuery
from contracts.services.replies.commands import COMMANDS
from runtime.clients.market_client import MarketClient, encode_query

Fields = dict[str, Any]
QUERIES: Final[dict[str, type[BaseModel]]] = {command.verb: command.request for command in COMMANDS}
REPLIES: Final[dict[str, type[BaseModel]]] = {command.verb: command.reply for command in COMMANDS}
_decoder: Final = msgspec.json.Decoder(float_hook=lambda text: msgspec.Raw(text.encode()))


def read_exactly(body: bytes) -> Any:
    """Decode JSON; a number with a point or an exponent is its own text, whole numbers are `int`."""
    return _decoder.decode(body)


async def find_document(client: MarketClient, verb: str, parameters: Fields, now_ns: int) -> tuple[str | None, Any]:
    """Return the resolved symbol and the core's reply as it is now (ns UTC); raises what it refuses."""
    answer = await client.request(verb, encode_query(read_query(verb, parameters)))
    return answer.reply.symbol, read_exactly(formats.render(answer, formats.bare, now_ns))


def read_query(verb: str, parameters: Fields) -> MarketQuery:
    """Return the request of a verb; raises InvalidParameterError that names the parameter at fault."""
    model: Any = QUERIES[verb]
    try:
        query: MarketQuery = model.model_validate(parameters)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        name = str(fault["loc"][0])
        raise InvalidParameterError(f"Parameter {name} is not valid: {fault['msg']}", parameter=name) from None
    return query
