"""`WS /ws`: subscriptions to events of the bus and to the market core's states."""
