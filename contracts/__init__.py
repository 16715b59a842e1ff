"""The words of the bus: events, subjects, streams and the codec. No I/O, and nothing of ours is imported."""
