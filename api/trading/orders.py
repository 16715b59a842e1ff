"""`/api/trading/preview|orders|fills`: what an order would come to, orders, and what they executed."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from api.http.errors import InvalidBodyError
from api.http.idempotency import IdempotencyKey, Once
from api.http.responses import Reply
from api.trading import schemas
from api.trading.schemas import OrderInPath
from api.trading.sending import CREATED, ROUTER, Commands, answer, checked_id, failures, made
from contracts.services.responses import PaginatedResponse
from contracts.services.trading import orders
from runtime.clients.paper_account import PaperCommands

router: Final = APIRouter(**ROUTER)
_KEY_CHARACTERS: Final = 32  # of an Idempotency-Key's name: what every exchange takes as a client id


@router.post(
    "/preview", operation_id="previewOrder", response_model=schemas.PreviewOut, responses=failures(404, 409, 413)
)
async def preview(body: schemas.NewPreview, commands: Commands) -> Response:
    """What an order would come to by the book of now: rounded to the venue's steps, with price, fee and total."""
    request = made(orders.PreviewOrder, owner=commands.owner, **terms_of(body))
    found = await PaperCommands(commands.client, commands.caller).request("preview", request, orders.Preview)
    return answer(found).as_response()


@router.post(
    "/orders",
    operation_id="createOrder",
    status_code=CREATED,
    response_model=schemas.OrderOut,
    responses=failures(404, 409, 413),
)
async def create(body: schemas.NewOrder, commands: Commands, once: Once, _key: IdempotencyKey = None) -> Response:
    """Place an order.

    The same `client_id`, or `Idempotency-Key`, makes no second order. What the venue's rules do not allow is refused,
    and `fields` says which field is at fault. An order that was taken and could not be sent (too little money, a limit
    of the account, trading stopped) is `rejected`, and `error` has a code, the field and the rule at fault. The account
    `paper` is made where there is none.
    """

    async def make(request_key: str | None) -> Reply:
        client_id = body.client_id or (None if request_key is None else request_key[:_KEY_CHARACTERS])
        request = made(orders.CreateOrder, owner=commands.owner, client_id=client_id, **terms_of(body))
        found = await PaperCommands(commands.client, commands.caller).request("create_order", request, orders.OrderInfo)
        return answer(found, CREATED)

    return (await once(make)).as_response()


@router.get(
    "/orders",
    operation_id="listOrders",
    response_model=PaginatedResponse[schemas.OrderOut],
    responses=failures(404),
)
async def list_orders(query: Annotated[schemas.OrdersParameters, Query()], commands: Commands) -> Response:
    """Your orders, the newest first."""
    return await commands(
        "trading.list_orders", orders.ListOrders(owner=commands.owner, **query.model_dump()), orders.OrderPage
    )


@router.get("/orders/{id}", operation_id="getOrder", response_model=schemas.OrderOut, responses=failures(404))
async def find(id: OrderInPath, commands: Commands) -> Response:  # noqa: A002 - the name in the path
    """One of your orders."""
    return await commands(
        "trading.find_order", orders.FindOrder(owner=commands.owner, id=checked_id("order", id)), orders.OrderInfo
    )


@router.delete(
    "/orders/{id}", operation_id="cancelOrder", response_model=schemas.OrderOut, responses=failures(404, 409)
)
async def cancel(id: OrderInPath, commands: Commands) -> Response:  # noqa: A002 - the name in the path
    """Cancel an order, as far as that can be said now: one whose `status` is `open` still is asked about further."""
    return await commands(
        "trading.cancel_order", orders.CancelOrder(owner=commands.owner, id=checked_id("order", id)), orders.OrderInfo
    )


@router.get(
    "/fills", operation_id="listFills", response_model=PaginatedResponse[schemas.FillOut], responses=failures(404)
)
async def list_fills(query: Annotated[schemas.FillsParameters, Query()], commands: Commands) -> Response:
    """What your orders executed, the newest orders first; a page is one of orders, with all of their executions."""
    return await commands(
        "trading.list_fills", orders.ListFills(owner=commands.owner, **query.model_dump()), orders.FillPage
    )


def terms_of(body: schemas.NewPreview) -> dict[str, Any]:
    """Return what is to be bought or sold; InvalidBodyError names the field that the type of order does not go with."""
    faults: dict[str, str] = {}
    if body.type == "limit" and body.price is None:
        faults["price"] = "a limit order needs a price"
    if body.type == "market" and body.price is not None:
        faults["price"] = "a market order takes no price"
    if body.type == "market" and body.post_only:
        faults["post_only"] = "it is for limit orders"
    if body.side == "buy" and body.reduce_only:
        faults["reduce_only"] = "it is for sells: there are no short positions to buy back"
    if faults:
        named = [{"field": field, "fault": fault} for field, fault in faults.items()]
        raise InvalidBodyError("The body does not have the expected form", faults=named)
    return _fields(body, schemas.NewPreview)


def _fields(body: BaseModel, model: type[BaseModel]) -> dict[str, Any]:
    return {name: getattr(body, name) for name in model.model_fields}
