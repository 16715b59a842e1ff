"""The bus: connection, acknowledged publishing, durables, commands, dead letters.."""
