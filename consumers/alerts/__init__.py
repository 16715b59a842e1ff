"""Alerts: owners' price alerts, and what everybody is told of signals and liquidations."""
