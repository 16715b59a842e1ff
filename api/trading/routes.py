"""Every router of `/api/trading`."""

from typing import Final

from api.trading import accounts, orders

ROUTERS: Final = (accounts.router, orders.router)
