"""Traces through the bus: which events are sampled, how their context travels, where spans are exported."""
