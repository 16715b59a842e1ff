"""`/api/v2/groups/{group_id}/rules`: rules with penalties, their history, and what they would have done."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from api.v2.schemas import DaysParameters
from api.v2.sending import ROUTER, GroupInPath, Make, RuleInPath, Send, failures
from contracts.services.community import rules
from contracts.services.responses import PaginationParams, SuccessResponse

router: Final = APIRouter(tags=["groups"], **ROUTER)
_RULES: Final = "/groups/{group_id}/rules"
_RULE: Final = _RULES + "/{rule_id}"


@router.post(
    _RULES,
    operation_id="createRule",
    status_code=201,
    response_model=rules.RuleResponse,
    responses=failures(404, 413),
)
async def create(group_id: GroupInPath, body: rules.RuleCreate, make: Make) -> Response:
    """Make a rule.

    With `shadow` it only logs what it would do.
    """
    return await make("create_rule", group_id=group_id, rule=body)


@router.get(_RULES, operation_id="listRules", response_model=rules.RulePage, responses=failures(404))
async def list_rules(group_id: GroupInPath, query: Annotated[PaginationParams, Query()], send: Send) -> Response:
    """Rules of a group, the highest priority first."""
    return await send("list_rules", group_id=group_id, **query.model_dump())


@router.get(_RULE, operation_id="getRule", response_model=rules.RuleResponse, responses=failures(404))
async def find(group_id: GroupInPath, rule_id: RuleInPath, send: Send) -> Response:
    """One rule."""
    return await send("find_rule", group_id=group_id, rule_id=rule_id)


@router.put(_RULE, operation_id="updateRule", response_model=rules.RuleResponse, responses=failures(404, 413))
async def update(group_id: GroupInPath, rule_id: RuleInPath, body: rules.RuleUpdate, send: Send) -> Response:
    """Change a rule; what is absent stays."""
    return await send("update_rule", group_id=group_id, rule_id=rule_id, changes=body)


@router.delete(_RULE, operation_id="deleteRule", response_model=SuccessResponse, responses=failures(404))
async def delete(group_id: GroupInPath, rule_id: RuleInPath, send: Send) -> Response:
    """Delete a rule; what it did stays in the log."""
    return await send("delete_rule", group_id=group_id, rule_id=rule_id)


@router.get(
    _RULE + "/history", operation_id="getRuleHistory", response_model=rules.RuleHistory, responses=failures(404)
)
async def history(
    group_id: GroupInPath, rule_id: RuleInPath, query: Annotated[PaginationParams, Query()], send: Send
) -> Response:
    """Changes of a rule, the newest first."""
    return await send("rule_history", group_id=group_id, rule_id=rule_id, **query.model_dump())


@router.post(
    _RULE + "/dry-run", operation_id="dryRunRule", response_model=rules.DryRunResponse, responses=failures(404)
)
async def dry_run(
    group_id: GroupInPath, rule_id: RuleInPath, query: Annotated[DaysParameters, Query()], send: Send
) -> Response:
    """What a rule would have done with what is recorded of the last days; nothing is done."""
    return await send("dry_run_rule", group_id=group_id, rule_id=rule_id, days=query.days)
