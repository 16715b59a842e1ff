"""From an event of the bus to numbered events of endpoints: one process at a time, under the lease."""
