"""Leases: who may publish for a unit, and whether its holder is alive.."""
