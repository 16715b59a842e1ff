"""Every command of the community service: what is asked and what is replied."""

from __future__ import annotations

from typing import Final

from contracts.commands import Command, command
from contracts.services.community import actions, bot, commands, groups, rules, settings
from contracts.services.responses import SuccessResponse

COMMANDS: Final[tuple[Command, ...]] = (
    command("community.create_group", commands.CreateGroup, groups.GroupResponse),
    command("community.list_groups", commands.ListGroups, groups.GroupPage),
    command("community.find_group", commands.FindGroup, groups.GroupResponse),
    command("community.update_group", commands.UpdateGroup, groups.GroupResponse),
    command("community.delete_group", commands.DeleteGroup, SuccessResponse),
    command("community.group_stats", commands.GroupStats, actions.GroupStatistics),
    command("community.migrate", commands.MigrateGroup, groups.GroupResponse),
    command("community.create_role", commands.CreateRole, groups.RoleResponse),
    command("community.list_roles", commands.ListRoles, groups.RolePage),
    command("community.find_role", commands.FindRole, groups.RoleResponse),
    command("community.update_role", commands.UpdateRole, groups.RoleResponse),
    command("community.delete_role", commands.DeleteRole, SuccessResponse),
    command("community.assign_role", commands.AssignRole, SuccessResponse),
    command("community.unassign_role", commands.AssignRole, SuccessResponse),
    command("community.create_rule", commands.CreateRule, rules.RuleResponse),
    command("community.list_rules", commands.ListRules, rules.RulePage),
    command("community.find_rule", commands.FindRule, rules.RuleResponse),
    command("community.update_rule", commands.UpdateRule, rules.RuleResponse),
    command("community.delete_rule", commands.DeleteRule, SuccessResponse),
    command("community.rule_history", commands.RuleChanges, rules.RuleHistory),
    command("community.dry_run_rule", commands.DryRunRule, rules.DryRunResponse),
    command("community.find_settings", commands.FindSettings, settings.SettingsResponse),
    command("community.update_settings", commands.UpdateSettings, settings.SettingsResponse),
    command("community.create_action", commands.CreateAction, actions.ActionResponse),
    command("community.list_actions", commands.ListActions, actions.ActionPage),
    command("community.create_actions", commands.CreateActions, actions.BulkResponse),
    command("community.action_stats", commands.ActionStats, actions.ActionStatistics),
    command("community.undo_actions", commands.UndoActions, actions.UndoResponse),
    command("community.refuse_undo", commands.RefuseUndo, SuccessResponse),
    command("community.user_stats", commands.UserStats, actions.UserStatistics),
    command("community.find_user", commands.FindUser, groups.UserResponse),
    command("community.update_user", commands.UpdateUser, groups.UserResponse),
    command("community.permissions", bot.MemberPermissions, groups.EffectivePermissions),
    command("community.update_members", bot.UpdateMembers, bot.UpdatedMembers),
    command("community.record", bot.RecordSeen, bot.Recorded),
    command("community.judge", bot.JudgeSeen, bot.Judgement),
)
