"""Alerts: owners' price alerts, and alerts for everybody about signals and liquidations."""
