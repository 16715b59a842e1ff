"""One file a venue: its addresses, subscriptions, heartbeat, decoder and REST answers. No I/O."""
