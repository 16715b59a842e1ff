"""A folder a venue: its definition, paths, subscriptions, frames and REST bodies, without I/O."""
