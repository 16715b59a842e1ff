"""Every router of `/api/trading`."""

from typing import Final

from api.trading import accounts, backtests, orders, portfolio, signals, strategies

ROUTERS: Final = (
    accounts.router,
    orders.router,
    portfolio.router,
    strategies.router,
    signals.router,
    backtests.router,
)
