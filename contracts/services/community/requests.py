"""Every command of the community service: its verb, what is asked and what is replied."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel

from contracts.services.community import actions, bot, commands, groups, rules, settings
from contracts.services.responses import SuccessResponse

REQUESTS: Final[tuple[tuple[str, type[BaseModel], type[BaseModel]], ...]] = (
    ("create_group", commands.CreateGroup, groups.GroupResponse),
    ("list_groups", commands.ListGroups, groups.GroupPage),
    ("find_group", commands.FindGroup, groups.GroupResponse),
    ("update_group", commands.UpdateGroup, groups.GroupResponse),
    ("delete_group", commands.DeleteGroup, SuccessResponse),
    ("group_stats", commands.GroupStats, actions.GroupStatistics),
    ("migrate", commands.MigrateGroup, groups.GroupResponse),
    ("create_role", commands.CreateRole, groups.RoleResponse),
    ("list_roles", commands.ListRoles, groups.RolePage),
    ("find_role", commands.FindRole, groups.RoleResponse),
    ("update_role", commands.UpdateRole, groups.RoleResponse),
    ("delete_role", commands.DeleteRole, SuccessResponse),
    ("assign_role", commands.AssignRole, SuccessResponse),
    ("unassign_role", commands.AssignRole, SuccessResponse),
    ("create_rule", commands.CreateRule, rules.RuleResponse),
    ("list_rules", commands.ListRules, rules.RulePage),
    ("find_rule", commands.FindRule, rules.RuleResponse),
    ("update_rule", commands.UpdateRule, rules.RuleResponse),
    ("delete_rule", commands.DeleteRule, SuccessResponse),
    ("rule_history", commands.RuleChanges, rules.RuleHistory),
    ("dry_run_rule", commands.DryRunRule, rules.DryRunResponse),
    ("find_settings", commands.FindSettings, settings.SettingsResponse),
    ("update_settings", commands.UpdateSettings, settings.SettingsResponse),
    ("create_action", commands.CreateAction, actions.ActionResponse),
    ("list_actions", commands.ListActions, actions.ActionPage),
    ("create_actions", commands.CreateActions, actions.BulkResponse),
    ("action_stats", commands.ActionStats, actions.ActionStatistics),
    ("undo_actions", commands.UndoActions, actions.UndoResponse),
    ("refuse_undo", commands.RefuseUndo, SuccessResponse),
    ("user_stats", commands.UserStats, actions.UserStatistics),
    ("find_user", commands.FindUser, groups.UserResponse),
    ("update_user", commands.UpdateUser, groups.UserResponse),
    ("permissions", bot.MemberPermissions, groups.EffectivePermissions),
    ("update_members", bot.UpdateMembers, bot.UpdatedMembers),
    ("record", bot.RecordSeen, bot.Recorded),
    ("judge", bot.JudgeSeen, bot.Judgement),
)
