"""Telegram groups that are managed: the models of `/api/v2`, the commands `cmd.v1.community.*`, and their events."""
