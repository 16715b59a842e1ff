"""One file a venue: its paths, subscriptions, frames and REST bodies, without I/O."""
