"""Every route of `/api/v2`."""

from __future__ import annotations

from typing import Final

from api.v2 import actions, groups, roles, rules

ROUTERS: Final = (groups.router, roles.router, rules.router, actions.router)
